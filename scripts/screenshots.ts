/*
 * node scripts/screenshots.ts [page …]: the pictures in docs/screenshots, of a house with made-up projects, tokens and five weeks of requests.
 * Needs the packages for development (a Chromium comes with them).
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { startConsole } from '../test/admin/helpers.ts'
import { fillHouse } from '../test/admin/house.ts'
import { startBrowser } from '../test/helpers/browser.ts'
import { openConsole } from '../test/helpers/browser-console.ts'

const FOLDER = join(import.meta.dirname, '../docs/screenshots')
const WIDE = { width: 1440, height: 900 }
const PHONE = { width: 360, height: 780 }

const house = await startConsole()
const { project, token, failed } = await fillHouse(house)
const owner = await house.as('owner')
const browser = await startBrowser()
if (typeof browser === 'string') throw new Error(browser)
mkdirSync(FOLDER, { recursive: true })

type Shot = { name: string; path: string; dark?: boolean; phone?: boolean }
const SHOTS: Shot[] = [
  { name: 'dashboard', path: '/admin?period=7d' },
  { name: 'dashboard-dark', path: '/admin?period=7d', dark: true },
  { name: 'dashboard-phone', path: '/admin?period=7d', phone: true },
  { name: 'projects', path: '/admin/projects' },
  { name: 'project', path: `/admin/projects/${project.id}` },
  { name: 'tokens', path: '/admin/tokens' },
  { name: 'token', path: `/admin/tokens/${token.id}` },
  { name: 'token-new', path: '/admin/tokens/new' },
  { name: 'requests', path: '/admin/requests' },
  { name: 'request', path: `/admin/requests/${failed.requestId}` },
  { name: 'request-phone', path: `/admin/requests/${failed.requestId}`, phone: true },
  { name: 'usage', path: '/admin/usage?by=model&period=30d' },
  { name: 'routing', path: '/admin/routing' },
  { name: 'providers', path: '/admin/providers', dark: true },
  { name: 'audit', path: '/admin/audit' },
  { name: 'settings', path: '/admin/settings' },
]

const wanted = process.argv.slice(2)
for (const { name, path, dark = false, phone = false } of SHOTS) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  const { page, complaints } = await openConsole(browser, { url: house.url, visitor: owner, path })
  await page.emulateMedia({ colorScheme: dark ? 'dark' : 'light' })
  await page.setViewportSize(phone ? PHONE : WIDE)
  // Charts are drawn anew for the size and the colours.
  await page.reload({ waitUntil: 'load' })
  await page.screenshot({ path: join(FOLDER, `${name}.png`) })
  console.log(name, ...complaints)
  await page.context().close()
}
await browser.close()
await house.stop()
process.exit(0)
