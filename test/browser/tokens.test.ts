import { afterAll, beforeAll, expect } from '@jest/globals'
import { startConsole, type TestConsole, type Visitor } from '../admin/helpers.ts'
import { findBarriers, openConsole, sticksOut } from '../helpers/browser-console.ts'
import { browserForTests } from '../helpers/browser-for-tests.ts'

const { browser, itInBrowser, where } = await browserForTests()
const PATIENCE_MS = 60_000

let house: TestConsole
let owner: Visitor
beforeAll(async () => {
  house = await startConsole()
  owner = await house.as('owner')
}, PATIENCE_MS)
afterAll(async () => {
  await house.stop()
}, PATIENCE_MS)

const open = (path: string) => openConsole(browser, { url: house.url, visitor: owner, path })

itInBrowser(
  `a token is issued within four clicks, copied, and works${where}`,
  async () => {
    const { page, complaints } = await open('/admin/tokens')
    await page.getByRole('link', { name: 'New token' }).first().click()
    await page.getByLabel('Name').fill('from the browser')
    await page.getByRole('button', { name: 'Create token' }).click()
    const secret = await page.locator('#secret').innerText()
    const answer = await fetch(`${house.baseUrl}/models`, { headers: { authorization: `Bearer ${secret}` } })
    expect(answer.status).toBe(200)
    await page.getByRole('button', { name: 'Copy token' }).click()
    // Headless, the clipboard may be closed to pages: then the text is marked.
    await page.getByText(/^(Copied|Press Ctrl\+C)$/).waitFor()
    await page.getByText('Claude Code').click()
    expect(await page.locator('#snippet-claude-code').innerText()).toContain(`ANTHROPIC_AUTH_TOKEN=${secret}`)
    expect(await findBarriers(page)).toEqual([])
    await page.setViewportSize({ width: 360, height: 800 })
    expect(await sticksOut(page)).toBe(false)
    await page.getByRole('link', { name: 'To the token' }).click()
    await page.getByRole('button', { name: 'Switch off' }).click()
    await page.getByRole('button', { name: 'Switch on' }).waitFor()
    expect(await page.content()).not.toContain(secret)
    const refused = await fetch(`${house.baseUrl}/models`, { headers: { authorization: `Bearer ${secret}` } })
    expect(refused.status).toBe(401)
    expect(complaints).toEqual([])
    await page.context().close()
  },
  PATIENCE_MS,
)

itInBrowser(
  `filters answer while one types, and several tokens are revoked with their number typed${where}`,
  async () => {
    const tokens = [await house.token({ name: 'stray one' }), await house.token({ name: 'stray two' })]
    await house.token({ name: 'kept' })
    const { page, complaints } = await open('/admin/tokens')
    await page.getByLabel('Name, id or last four').pressSequentially('stray')
    await page.getByRole('link', { name: 'kept' }).waitFor({ state: 'detached' })
    await page.waitForURL(/q=stray/)
    await page.getByLabel('State').selectOption('expired')
    await page.getByText('No token found').waitFor()
    await page.getByLabel('State').selectOption('active')
    await page.getByLabel('Tick all').check()
    await page.getByRole('button', { name: 'Revoke ticked' }).click()
    await page.getByLabel('Type 2 to confirm').fill('2')
    await page.getByRole('button', { name: 'Revoke 2 tokens' }).click()
    await page.getByText('2 tokens revoked.').waitFor()
    for (const { token } of tokens) expect((await house.ctx.store.tokens.get(token.id))!.revokedAt).not.toBeNull()
    expect(complaints).toEqual([])
    await page.context().close()
  },
  PATIENCE_MS,
)

itInBrowser(
  `a project is made, its key rotated, and deleted by its name${where}`,
  async () => {
    const { page, complaints } = await open('/admin/projects')
    await page.getByRole('link', { name: 'New project' }).click()
    await page.getByLabel('Name').fill('Search team')
    await page.getByRole('textbox', { name: 'Key' }).fill('sk-a-key-of-the-browser-1234')
    await page.getByRole('button', { name: 'Create project' }).click()
    await page.getByText('…1234', { exact: true }).waitFor()
    await page.getByText('Rotate', { exact: true }).click()
    await page.getByLabel('New key of openai').fill('sk-the-next-of-the-browser-9876')
    await page.getByRole('button', { name: 'Replace the key' }).click()
    await page.getByText('…9876', { exact: true }).waitFor()
    expect(await findBarriers(page)).toEqual([])
    await page.getByText('Delete project…').click()
    await page.getByLabel('Type the name of the project').fill('Search team')
    await page.getByRole('button', { name: 'Delete project, tokens and keys' }).click()
    await page.getByText('The project Search team is deleted.').waitFor()
    expect(await house.ctx.store.projects.findByName('Search team')).toBeNull()
    expect(complaints).toEqual([])
    await page.context().close()
  },
  PATIENCE_MS,
)
