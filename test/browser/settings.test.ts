import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect } from '@jest/globals'
import { TOTP } from 'otpauth'
import type { Page } from 'playwright-core'
import { loadConfig } from '../../src/config/load.ts'
import { createAdminUser } from '../../src/domain/admin-users.ts'
import { SYSTEM } from '../../src/domain/audit.ts'
import { updateProject } from '../../src/domain/projects.ts'
import { PASSWORD, startConsole, type TestConsole, type Visitor } from '../admin/helpers.ts'
import { CLIENT, type OidcProvider, startOidcProvider } from '../admin/oidc-provider.ts'
import type { WatchedPage } from '../helpers/browser.ts'
import { findBarriers, openConsole, sticksOut } from '../helpers/browser-console.ts'
import { browserForTests } from '../helpers/browser-for-tests.ts'
import { makeFolder } from '../helpers/folder.ts'

const XSS = '<img src=x onerror=alert(1)>'
const { browser, itInBrowser, where } = await browserForTests()
let house: TestConsole
let owner: Visitor
let provider: OidcProvider
let hook: Server

beforeAll(async () => {
  provider = await startOidcProvider('localhost')
  hook = createServer((_req, res) => res.writeHead(204).end())
  await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve))
  const { admin, alerts } = loadConfig({ env: {}, cwd: makeFolder() }).config
  const webhook = { url: `http://127.0.0.1:${(hook.address() as AddressInfo).port}/x`, secret: null }
  house = await startConsole({
    config: {
      alerts: { ...alerts, webhook: { ...webhook, format: 'json' } },
      admin: {
        ...admin,
        oidc: {
          issuer: provider.issuer,
          clientId: CLIENT.id,
          clientSecret: null,
          scopes: 'openid email',
          nameClaim: 'email',
          roleClaim: null,
          roleMap: {},
          defaultRole: 'viewer',
        },
      },
    },
  })
  owner = await house.as('owner')
  const { project } = await house.token({ name: XSS }, { name: 'Billing' })
  const parts = { ...house.ctx, providerNames: [], defaultProvider: 'openai' }
  const ada = { name: `admin:${XSS}`, ip: '10.0.0.7', userAgent: XSS }
  await updateProject(parts, ada, project.id, { name: XSS, metadata: { [XSS]: XSS } })
  await createAdminUser(house.ctx, SYSTEM, { name: XSS, role: 'viewer', password: PASSWORD })
}, 60_000)
afterAll(async () => {
  await house.stop()
  await provider.close()
  hook.closeAllConnections()
  await new Promise((resolve) => hook.close(resolve))
})

const open = (path: string, visitor = owner) => openConsole(browser, { url: house.url, visitor, path })

/** Everything is fine with the page as it stands: nothing foreign ran, and nobody is kept out. */
async function leave({ page, complaints }: WatchedPage): Promise<void> {
  expect(await findBarriers(page)).toEqual([])
  await page.setViewportSize({ width: 360, height: 800 })
  expect(await sticksOut(page)).toBe(false)
  expect(complaints).toEqual([])
  await page.context().close()
}

const heading = (page: Page, text: string) => page.locator('h1', { hasText: text }).waitFor()

describe(`in a browser${where}`, () => {
  itInBrowser('the audit log answers while one types, and opens to what changed', async () => {
    const watched = await open('/admin/audit')
    const { page } = watched
    await page.fill('[name=action]', 'project.update')
    await page.locator('.entry-rows').nth(1).waitFor({ state: 'detached' })
    await page.waitForURL(/action=project\.update/)
    await page.click('.entry-more summary')
    expect(await page.locator('.compare ins').first().textContent()).toBe(XSS)
    await leave(watched)
  })

  itInBrowser('an option is found while one types', async () => {
    const watched = await open('/admin/settings')
    const { page } = watched
    await page.locator('main [name=q]').pressSequentially('webhook url')
    await page.locator('tbody th > code', { hasText: 'DATA_DIR' }).waitFor({ state: 'detached' })
    expect(await page.locator('tbody th > code').allTextContents()).toEqual(['ALERT_WEBHOOK_URL'])
    await leave(watched)
  })

  itInBrowser('a user is added, and deleted after a question', async () => {
    const watched = await open('/admin/settings/users')
    const { page } = watched
    await page.fill('#f-name', 'new@example.com')
    await page.selectOption('#f-role', 'admin')
    await page.fill('#f-password', PASSWORD)
    await page.click('text=Add user')
    await heading(page, 'new@example.com')
    expect(await findBarriers(page)).toEqual([])
    await page.click('summary:has-text("Delete")')
    await page.click('.confirm-box button:has-text("Delete")')
    await heading(page, 'Users')
    expect(await page.locator('table').textContent()).not.toContain('new@example.com')
    await leave(watched)
  })

  itInBrowser('a test alert says what came back', async () => {
    const watched = await open('/admin/settings/alerts')
    await watched.page.click('text=Send a test')
    await watched.page.locator('.banner.ok', { hasText: 'answered 204' }).waitFor()
    await leave(watched)
  })

  itInBrowser('a backup is downloaded, and the page stays', async () => {
    const watched = await open('/admin/settings/data')
    const { page } = watched
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('text=Download a backup')])
    expect(download.suggestedFilename()).toMatch(/^llm-proxy-backup-.*\.tar$/)
    expect(
      readFileSync(await download.path())
        .subarray(0, 11)
        .toString(),
    ).toBe('RESTORE.txt')
    await heading(page, 'Data and backup')
    await leave(watched)
  })

  itInBrowser('the second factor is set up by hand, and its recovery codes are shown once, to copy', async () => {
    const me = await house.as('viewer')
    const watched = await open('/admin/account', me)
    const { page } = watched
    await page.click('text=Set it up')
    const secret = (await page.textContent('#totp-secret'))!.replaceAll(' ', '')
    await page.locator('svg.qr').waitFor()
    expect(await findBarriers(page)).toEqual([])
    await page.fill('[name=code]', '000000')
    await page.fill('#f-enrol-password', PASSWORD)
    await page.click('text=Switch on')
    await page.locator('.field-error').waitFor()
    await page.fill('[name=code]', new TOTP({ secret }).generate())
    await page.fill('#f-enrol-password', PASSWORD)
    await page.click('text=Switch on')
    expect((await page.textContent('#recovery-codes'))!.split('\n')).toHaveLength(10)
    expect(await page.locator('[data-copy=recovery-codes]').isVisible()).toBe(true)
    // The refusal of the wrong code is an answer that browsers report.
    const unexpected = watched.complaints.filter((text) => !text.includes('422'))
    watched.complaints.splice(0, watched.complaints.length, ...unexpected)
    await leave(watched)
  })

  itInBrowser('works without JavaScript all the same', async () => {
    const watched = await open('/admin/about')
    const context = await watched.page.context().browser()!.newContext({ javaScriptEnabled: false })
    await context.addCookies(await watched.page.context().cookies())
    await watched.page.context().close()
    const page = await context.newPage()
    await page.goto(`${house.url}/admin/settings`)
    await page.fill('main [name=q]', 'webhook url')
    await page.click('main button:has-text("Search")')
    expect(await page.locator('tbody th > code').allTextContents()).toEqual(['ALERT_WEBHOOK_URL'])
    await page.goto(`${house.url}/admin/audit`)
    await page.fill('[name=action]', 'project.update')
    await page.click('text=Filter')
    expect(await page.locator('.entry-rows').count()).toBe(1)
    await context.close()
  })

  itInBrowser('single sign-on comes back signed in, although the way led over another site', async () => {
    provider.script.claims = { sub: 'ada', email: 'ada@example.com', email_verified: true }
    const watched = await browser.open()
    const { page } = watched
    await page.goto(`${house.url}/admin/account`)
    await page.click('text=Sign in with single sign-on')
    await heading(page, 'Your account')
    expect(await page.textContent('.lead')).toContain('ada@example.com')
    await leave(watched)
  })
})
