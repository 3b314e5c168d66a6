import { afterAll, beforeAll, expect, it } from '@jest/globals'
import type { WatchedPage } from '../helpers/browser.ts'
import { browserForTests } from '../helpers/browser-for-tests.ts'
import { MANAGEMENT_TOKEN, startTestGateway, type TestGateway } from '../helpers/gateway.ts'

const { browser, itInBrowser, where } = await browserForTests()
const PATIENCE_MS = 60_000

let gateway: TestGateway
beforeAll(async () => {
  gateway = await startTestGateway()
})
afterAll(async () => {
  await gateway.stop()
}, PATIENCE_MS)

/** `/docs` in the browser, its operations shown. */
async function openDocs(): Promise<WatchedPage> {
  const watched = await browser.open()
  await watched.page.goto(`${gateway.url}/docs`)
  await watched.page.locator('.opblock').first().waitFor()
  return watched
}

itInBrowser(
  `/docs shows every operation of the API, without complaint and without asking anybody else${where}`,
  async () => {
    const { page, complaints, requests, picture } = await openDocs()
    const document = (await (await fetch(`${gateway.url}/manage/openapi.json`)).json()) as {
      paths: Record<string, object>
    }
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    )
    const shown = await page.locator('.opblock-summary').evaluateAll((summaries) =>
      summaries.map((summary) => {
        const text = (part: string) => (summary.querySelector(part)?.textContent ?? '').replace(/\u200b/g, '')
        return `${text('.opblock-summary-method')} ${text('.opblock-summary-path')}`
      }),
    )
    expect(shown.sort()).toEqual(operations.sort())
    expect(await page.title()).toContain('LLM Proxy')
    const path = await picture('docs')
    expect(path).toMatch(/docs\.png$/)
    expect(complaints).toEqual([])
    expect(requests.length).toBeGreaterThan(3)
    expect(requests.filter((request) => !request.includes(` ${gateway.url}/`) && !request.includes(' data:'))).toEqual(
      [],
    )
    await page.close()
  },
  PATIENCE_MS,
)

itInBrowser(
  `/docs lets an operator in with the management token, runs an operation, and forgets the token afterwards${where}`,
  async () => {
    const { page, complaints } = await openDocs()
    await page.locator('.auth-wrapper .authorize').click()
    await page.locator('.auth-container input').fill(MANAGEMENT_TOKEN)
    await page.locator('.auth-btn-wrapper .authorize').click()
    await page.locator('.auth-btn-wrapper .btn-done').click()
    const operation = page.locator('#operations-Projects-listProjects')
    await operation.locator('.opblock-summary-control').click()
    await operation.locator('.try-out__btn').click()
    await operation.locator('.execute').click()
    const status = operation.locator('.live-responses-table .response-col_status').last()
    await status.waitFor()
    expect(await status.textContent()).toContain('200')
    expect(await operation.locator('.live-responses-table .response-col_description').last().textContent()).toContain(
      'default',
    )
    const kept = await page.evaluate('JSON.stringify([localStorage, sessionStorage, document.cookie])')
    expect(kept).not.toContain(MANAGEMENT_TOKEN)
    expect(complaints).toEqual([])
    await page.close()
  },
  PATIENCE_MS,
)

it('/docs may load nothing but what the gateway serves, and may be framed by nobody', async () => {
  const { headers } = await fetch(`${gateway.url}/docs`)
  const policy = headers.get('content-security-policy') ?? ''
  for (const part of ["default-src 'none'", "script-src 'self'", "connect-src 'self'", "frame-ancestors 'none'"]) {
    expect(policy).toContain(part)
  }
  expect(policy).not.toMatch(/unsafe-|https?:|\*/)
  expect(headers.get('x-content-type-options')).toBe('nosniff')
})
