import { afterAll, beforeAll, expect } from '@jest/globals'
import type { Page } from 'playwright-core'
import { startConsole, type TestConsole, type Visitor } from '../admin/helpers.ts'
import { findBarriers, openConsole, sticksOut } from '../helpers/browser-console.ts'
import { browserForTests } from '../helpers/browser-for-tests.ts'
import { sendJson, startUpstream, type Upstream } from '../helpers/upstream.ts'

const { browser, itInBrowser, where } = await browserForTests()
const PATIENCE_MS = 60_000

let house: TestConsole
let upstream: Upstream
let admin: Visitor

beforeAll(async () => {
  upstream = await startUpstream((_req, res) =>
    sendJson(res, 200, { object: 'list', data: [{ id: 'gpt-4o' }, { id: 'gpt-4o-mini' }, { id: 'o3' }] }),
  )
  house = await startConsole({ upstream: upstream.url })
  admin = await house.as('admin')
})
afterAll(async () => {
  await house.stop()
  await upstream.close()
}, PATIENCE_MS)

async function open(path: string) {
  return openConsole(browser, { url: house.url, visitor: admin, path })
}

async function expectOpenToEverybody(page: Page) {
  expect(await findBarriers(page)).toEqual([])
  await page.setViewportSize({ width: 360, height: 800 })
  expect(await sticksOut(page)).toBe(false)
  expect(await findBarriers(page)).toEqual([])
  await page.setViewportSize({ width: 1280, height: 900 })
}

itInBrowser(
  `a route is made, explained, seen to fail while one looks, and deleted${where}`,
  async () => {
    const { page, complaints } = await open('/admin/routing')
    await expectOpenToEverybody(page)
    await page.getByRole('main').getByRole('link', { name: 'Create a route' }).click()
    await page.getByLabel('Pattern').fill('fast')
    const first = page.getByRole('group', { name: 'Target 1' })
    await first.getByLabel('Provider').selectOption('openai')
    await first.getByLabel('Model there').fill('gpt-4o-mini')
    await first.getByLabel('Weight').fill('a lot')
    await page.getByRole('button', { name: 'Create the route' }).click()
    await page.getByText('must be a number', { exact: true }).waitFor()
    await expectOpenToEverybody(page)
    await page.getByLabel('Weight').first().fill('2')
    await page.getByRole('button', { name: 'Create the route' }).click()
    await page.waitForURL(/\/admin\/routing$/)

    await page.getByLabel('Model', { exact: true }).fill('fast')
    await page.getByRole('button', { name: 'Explain', exact: true }).click()
    await page.getByText('It would go to openai as gpt-4o-mini.').waitFor()
    await expectOpenToEverybody(page)

    const row = page.getByRole('row', { name: /openai gpt-4o-mini/ }).first()
    expect(await row.textContent()).toContain('unused')
    const lane = { provider: 'openai', keyId: 'shared', model: 'gpt-4o-mini' }
    for (let i = 0; i < 5; i++) house.ctx.live.begin(lane).end('failed')
    await row.getByText('breaker open').waitFor()

    await page.getByRole('link', { name: 'fast' }).click()
    await page.waitForURL(/\/edit$/)
    await page.getByText('Delete…').click()
    await page.getByRole('button', { name: 'Delete the route' }).click()
    await page.getByText('The route is deleted.').waitFor()
    expect(await house.ctx.store.routes.list()).toEqual([])
    // The browser itself notes the answer to the form that was refused.
    expect(complaints.filter((one) => !one.includes('status of 422'))).toEqual([])
    await page.context().close()
  },
  PATIENCE_MS,
)

itInBrowser(
  `a provider is tested, its models are found while one types, and a key that rests is let to work${where}`,
  async () => {
    house.ctx.live.benchKey('openai', 'shared', Date.now() + 600_000, 'limited')
    const { page, complaints } = await open('/admin/providers')
    await expectOpenToEverybody(page)
    await page.getByRole('main').getByRole('link', { name: 'openai', exact: true }).click()
    await page.getByRole('button', { name: 'Test now' }).click()
    await page.getByText(/takes the key\. It lists 3 models\./).waitFor()
    await expectOpenToEverybody(page)
    await page.getByLabel('Search models').fill('MINI')
    await page.getByRole('rowheader', { name: 'o3' }).waitFor({ state: 'detached' })
    expect(await page.locator('#models-found tbody tr').count()).toBe(1)
    await page.getByRole('button', { name: 'Let it work again' }).click()
    await page.getByText('The key works again').waitFor()
    expect(house.ctx.live.benchedUntil('openai', 'shared')).toBeNull()
    expect(complaints).toEqual([])
    await page.context().close()
  },
  PATIENCE_MS,
)
