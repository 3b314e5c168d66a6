import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'

export type TestBrowser = {
  /** A new page, with an account of what happens on it. */
  open(): Promise<WatchedPage>
  close(): Promise<void>
}

export type WatchedPage = {
  page: Page
  /** Warnings and errors on the console, and exceptions that nobody caught. */
  complaints: string[]
  /** Every request of the page, as method and URL. */
  requests: string[]
  /** Saves a picture of what is seen, until the browser is closed; returns its path. */
  picture(name: string): Promise<string>
}

/** Headless Chromium from the npm package `@sparticuz/chromium`; a text that says why where it does not start. */
export async function startBrowser(): Promise<TestBrowser | string> {
  try {
    const [{ default: packaged }, { chromium }] = await Promise.all([
      import('@sparticuz/chromium'),
      import('playwright-core'),
    ])
    const browser = await chromium.launch({
      executablePath: await packaged.executablePath(),
      // In a single process the end of one page's context is the end of the browser.
      args: packaged.args.filter((arg) => arg !== '--single-process'),
      headless: true,
    })
    const folder = mkdtempSync(join(tmpdir(), 'llm-proxy-pictures-'))
    return {
      open: () => watch(browser, folder),
      async close() {
        await browser.close()
        rmSync(folder, { recursive: true, force: true })
      },
    }
  } catch (error) {
    return (error instanceof Error ? error.message : String(error)).split('\n')[0]!
  }
}

async function watch(browser: Browser, folder: string): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, deviceScaleFactor: 1 })
  const page = await context.newPage()
  const complaints: string[] = []
  const requests: string[] = []
  page.on('console', (message) => {
    if (['warning', 'error'].includes(message.type())) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('request', (request) => requests.push(`${request.method()} ${request.url()}`))
  return {
    page,
    complaints,
    requests,
    async picture(name) {
      const path = join(folder, `${name}.png`)
      await page.screenshot({ path })
      return path
    },
  }
}
