import { afterAll, beforeAll, describe, expect } from '@jest/globals'
import type { Page } from 'playwright-core'
import { PAGES } from '../../src/admin/pages.ts'
import { aRequest, keep, PASSWORD, startConsole, type TestConsole, type Visitor } from '../admin/helpers.ts'
import { fillWithHostility } from '../admin/hostile.ts'
import { findBarriers, openConsole, sticksOut } from '../helpers/browser-console.ts'
import { browserForTests } from '../helpers/browser-for-tests.ts'

const { browser, itInBrowser, where } = await browserForTests()
let house: TestConsole
let owner: Visitor
let ids: Record<string, string>

beforeAll(async () => {
  house = await startConsole()
  const { project, token, rows } = await fillWithHostility(house.ctx)
  ids = { projects: project.id, tokens: token.id, requests: rows[0]!.requestId, providers: 'openai', routing: '' }
  ids.routing = (await house.ctx.store.routes.list())[0]?.id ?? 'rte_none'
  owner = await house.as('owner')
}, 60_000)
afterAll(async () => {
  await house.stop()
})

const addressOf = (path: string) => {
  const [, room = ''] = path.split('/')
  return `/admin${path === '/' ? '' : path.replace(/:\w+/, ids[room] ?? '')}`
}

describe(`in a browser${where}`, () => {
  // Everything that has a name has a hostile one here: what runs would open a dialogue or complain.
  itInBrowser.each(PAGES.map(({ path }) => path))(
    '%s runs nothing foreign, breaks no rule, and is open to everybody',
    async (path) => {
      const { page, complaints, requests } = await openConsole(browser, {
        url: house.url,
        visitor: owner,
        path: addressOf(path),
      })
      const dialogues: string[] = []
      page.on('dialog', (dialog) => {
        dialogues.push(dialog.message())
        void dialog.dismiss()
      })
      expect(await findBarriers(page)).toEqual([])
      await page.setViewportSize({ width: 360, height: 800 })
      expect(await sticksOut(page)).toBe(false)
      expect(complaints).toEqual([])
      expect(dialogues).toEqual([])
      expect(requests.filter((one) => !one.includes(house.url) && !one.includes(' data:'))).toEqual([])
      await page.context().close()
    },
  )

  itInBrowser('one signs in with a name and a password, and out again, by keyboard alone', async () => {
    const { page, complaints } = await browser.open()
    await page.goto(`${house.url}/admin`)
    expect(await findBarriers(page)).toEqual([])
    await page.keyboard.type(owner.user.name)
    await page.keyboard.press('Tab')
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press('Enter')
    await page.waitForURL(`${house.url}/admin`)
    expect(await page.textContent('h1')).toBe('Dashboard')
    await page.getByRole('button', { name: 'Sign out' }).focus()
    await page.keyboard.press('Enter')
    await page.waitForURL(/\/admin\/sign-in/)
    expect(await page.textContent('.banner')).toContain('You are signed out.')
    expect(complaints).toEqual([])
    await page.context().close()
  })

  itInBrowser('the keyboard opens pages, the search and the list of its own shortcuts', async () => {
    const { page } = await openConsole(browser, { url: house.url, visitor: owner, path: '/admin' })
    await page.keyboard.press('/')
    expect(await focused(page)).toBe('q')
    await page.keyboard.press('Escape')
    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keyboard' }).waitFor()
    await page.keyboard.press('Escape')
    await page.keyboard.press('g')
    await page.keyboard.press('p')
    await page.waitForURL(/\/admin\/projects$/)
    await page.context().close()
  })

  itInBrowser('the dashboard follows what happens by itself, and rests while nobody looks', async () => {
    const { page } = await openConsole(browser, { url: house.url, visitor: owner, path: '/admin' })
    const requests = page.locator('.stat:nth-child(2) .stat-value')
    const before = Number(await requests.getAttribute('title'))
    await keep(house, [aRequest(), aRequest()])
    await page.locator(`.stat:nth-child(2) .stat-value[title="${before + 2}"]`).waitFor()
    await page.evaluate(
      `Object.defineProperty(document, 'hidden', { value: true }); document.dispatchEvent(new Event('visibilitychange'))`,
    )
    await keep(house, [aRequest()])
    const other = await openConsole(browser, { url: house.url, visitor: owner, path: '/admin' })
    expect(Number(await requests.getAttribute('title'))).toBe(before + 2)
    await other.page.context().close()
    await page.context().close()
  })

  itInBrowser('times are of the viewer’s own zone, with UTC a hover away', async () => {
    const at = Date.now() - 3_600_000
    await keep(house, [aRequest({ at, status: 500, error: 'upstream_cut' })])
    const { page } = await openConsole(browser, { url: house.url, visitor: owner, path: '/admin' })
    const title = await page.locator('#dashboard-lists time').first().getAttribute('title')
    expect(title).toMatch(/.+, \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/)
    await page.context().close()
  })

  itInBrowser('the menu opens on a phone', async () => {
    const { page } = await openConsole(browser, { url: house.url, visitor: owner, path: '/admin' })
    await page.setViewportSize({ width: 360, height: 800 })
    expect(await page.getByRole('link', { name: 'Projects' }).isVisible()).toBe(false)
    await page.getByRole('button', { name: 'Menu' }).click()
    await page.getByRole('link', { name: 'Projects' }).click()
    await page.waitForURL(/\/admin\/projects$/)
    await page.context().close()
  })
})

const focused = (page: Page) => page.evaluate('document.activeElement.name')
