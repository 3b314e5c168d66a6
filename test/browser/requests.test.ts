import { afterAll, beforeAll, describe, expect } from '@jest/globals'
import type { Page } from 'playwright-core'
import { aRequest, keep, startConsole, type TestConsole, type Visitor } from '../admin/helpers.ts'
import { KEEPS_ALL } from '../bodies/given.ts'
import { findBarriers, openConsole, sticksOut } from '../helpers/browser-console.ts'
import { browserForTests } from '../helpers/browser-for-tests.ts'

const { browser, itInBrowser, where } = await browserForTests()
let house: TestConsole
let owner: Visitor
let secret: string

beforeAll(async () => {
  house = await startConsole({ config: { bodyLog: KEEPS_ALL } })
  owner = await house.as('owner')
  const { token, ...given } = await house.token({ name: 'billing-bot' })
  secret = given.secret
  const ofToken = { tokenId: token.id, projectId: token.projectId }
  const now = Date.now()
  await keep(house, [
    aRequest({ ...ofToken, at: now - 60_000, model: 'well' }),
    aRequest({ ...ofToken, at: now - 50_000, model: 'badly', status: 502, error: 'upstream_unreachable' }),
    aRequest({ ...ofToken, at: now - 40_000, model: 'unpriced', costNanoUsd: null, priceSource: null }),
  ])
}, 60_000)
afterAll(async () => {
  await house.stop()
})

const open = (path: string) => openConsole(browser, { url: house.url, visitor: owner, path })

async function ask(content: string): Promise<string> {
  const answer = await fetch(`${house.baseUrl}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'demo', stream: true, messages: [{ role: 'user', content }] }),
  })
  await answer.text()
  return answer.headers.get('x-llm-proxy-request-id')!
}
const linkTo = (page: Page, id: string) => page.locator(`#request-rows a[href="/admin/requests/${id}"]`)

describe(`in a browser${where}`, () => {
  itInBrowser(
    'new requests come on top by themselves, until one presses pause',
    async () => {
      const { page, complaints } = await open('/admin/requests')
      const first = await ask('hello')
      await linkTo(page, first).waitFor()
      expect(await page.locator('#request-rows tbody tr').first().innerHTML()).toContain(first)
      const live = page.getByRole('button', { name: 'Live' })
      await live.click()
      expect(await live.getAttribute('aria-pressed')).toBe('false')
      const second = await ask('again')
      await live.click()
      await linkTo(page, second).waitFor()
      expect(complaints).toEqual([])
      await page.context().close()
    },
    30_000,
  )

  itInBrowser('one filters, chooses columns, opens a request and finds why it failed', async () => {
    const { page, complaints } = await open('/admin/requests')
    page.setDefaultTimeout(5_000)
    await page.getByLabel('Failed only').check()
    await page.getByRole('button', { name: 'Show', exact: true }).click()
    await page.waitForURL(/failed=1/)
    expect(await page.locator('#request-rows tbody tr').count()).toBe(1)
    await page.getByText('Columns', { exact: true }).click()
    await page.getByRole('checkbox', { name: 'Tries' }).check()
    await page.getByRole('button', { name: 'Show these' }).click()
    await page.getByRole('columnheader', { name: 'Tries' }).waitFor()
    expect(await page.locator('#request-rows tbody tr').count()).toBe(1)
    await page.locator('#request-rows tbody a').first().click()
    await page.getByText('No connection to the provider came about.').waitFor()
    expect(complaints).toEqual([])
    await page.context().close()
  })

  itInBrowser('bodies are read with one click, safely, and open to everybody', async () => {
    const id = await ask('<img src=x onerror=alert(1)> please')
    const { page, complaints } = await open(`/admin/requests/${id}`)
    const dialogues: string[] = []
    page.on('dialog', (dialog) => {
      dialogues.push(dialog.message())
      void dialog.dismiss()
    })
    await page.getByRole('button', { name: 'Read bodies' }).click()
    await page.getByRole('heading', { name: 'The answer, put together' }).waitFor()
    expect(await page.locator('.message .said').textContent()).toBe('<img src=x onerror=alert(1)> please')
    expect(await page.locator('.json .j-key').first().textContent()).toBe('"model"')
    for (const summary of await page.locator('#bodies summary').all()) await summary.click()
    expect(await findBarriers(page)).toEqual([])
    await page.setViewportSize({ width: 360, height: 800 })
    expect(await sticksOut(page)).toBe(false)
    expect(dialogues).toEqual([])
    expect(complaints).toEqual([])
    await page.context().close()
  })

  itInBrowser('usage is turned over by another group, a chart and a search away', async () => {
    const { page, complaints } = await open('/admin/usage')
    await page.getByLabel('Rows').selectOption('token')
    await page.getByLabel('Chart of').selectOption('requests')
    await page.getByRole('button', { name: 'Show', exact: true }).click()
    await page.getByRole('heading', { name: 'By token' }).waitFor()
    await page.getByRole('link', { name: 'Requests', exact: true }).last().click()
    await page.waitForURL(/sort=requests/)
    expect(await findBarriers(page)).toEqual([])
    await page.getByRole('link', { name: 'See which, and what to do' }).click()
    await page.getByRole('heading', { name: 'What to do' }).waitFor()
    expect(await findBarriers(page)).toEqual([])
    await page.keyboard.press('/')
    await page.keyboard.type('unpriced')
    await page.keyboard.press('Enter')
    await page.getByRole('link', { name: 'unpriced', exact: true }).click()
    await page.waitForURL(/\/admin\/requests\?model=unpriced/)
    expect(complaints).toEqual([])
    await page.context().close()
  })
})
