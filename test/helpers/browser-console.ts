import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'
import type { Visitor } from '../admin/helpers.ts'
import type { TestBrowser, WatchedPage } from './browser.ts'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core'), 'utf8')

export type Finding = { rule: string; impact: string; where: string[] }

/** A page of the console, signed in as this visitor. What the console complains of, CSP among it, is in `complaints`. */
export async function openConsole(
  browser: TestBrowser,
  { url, visitor, path }: { url: string; visitor: Visitor; path: string },
): Promise<WatchedPage> {
  const watched = await browser.open()
  await watched.page
    .context()
    .addCookies(
      [...visitor.cookies].map(([name, value]) => ({ name, value, url, sameSite: 'Strict' as const, httpOnly: true })),
    )
  await watched.page.goto(`${url}${path}`, { waitUntil: 'load' })
  return watched
}

/** What axe-core finds that is serious or worse, in light and in dark. */
export async function findBarriers(page: Page): Promise<Finding[]> {
  const found: Finding[] = []
  // Not through a script element, which the page's policy refuses, as it should.
  await page.evaluate(AXE)
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    // Colours are all that the dark differs in.
    const rules = colorScheme === 'dark' ? ", runOnly: ['color-contrast']" : ''
    const { violations } = (await page.evaluate(`axe.run({ resultTypes: ['violations']${rules} })`)) as {
      violations: Violation[]
    }
    for (const { id, impact, nodes } of violations) {
      if (impact !== 'serious' && impact !== 'critical') continue
      found.push({
        rule: `${id} (${colorScheme})`,
        impact,
        where: nodes.slice(0, 5).map(({ html }) => html.slice(0, 160)),
      })
    }
  }
  return found
}

type Violation = { id: string; impact: string; nodes: { html: string }[] }

/** Whether anything sticks out to the side, which phones make one scroll for. */
export const sticksOut = (page: Page): Promise<boolean> =>
  page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth')
