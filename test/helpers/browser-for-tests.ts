import { afterAll, it } from '@jest/globals'
import { startBrowser, type TestBrowser } from './browser.ts'

/**
 * The browser of a test file. Where Chromium does not start (its package is for Linux alone) `itInBrowser` skips, and `where` says so in
 * the names of the tests.
 */
export async function browserForTests() {
  const started = await startBrowser()
  if (typeof started !== 'string') {
    afterAll(() => started.close())
    return { browser: started, itInBrowser: it, where: '' }
  }
  const missing = async (): Promise<never> => {
    throw new Error(started)
  }
  return {
    browser: { open: missing, close: missing } satisfies TestBrowser,
    itInBrowser: it.skip,
    where: ` (skipped: no browser: ${started})`,
  }
}
