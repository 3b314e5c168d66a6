import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from '@jest/globals'

const folders: string[] = []

/** An empty folder that goes away when the tests of the file are through. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'llm-proxy-store-'))
  folders.push(path)
  return path
}

afterAll(() => {
  for (const path of folders) rmSync(path, { recursive: true, force: true })
})
