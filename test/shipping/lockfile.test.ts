import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from '@jest/globals'

const lock = JSON.parse(readFileSync(join(import.meta.dirname, '../../package-lock.json'), 'utf8')) as {
  packages: Record<string, { gypfile?: boolean; integrity?: string; resolved?: string }>
}

it('installs where there is no Python and no compiler: npm must not build better-sqlite3, which brings its binaries', () => {
  // npm builds every package with a binding.gyp, unless its entry says this. `npm install` drops the line: put it back by hand.
  expect(lock.packages['node_modules/better-sqlite3']?.gypfile).toBe(false)
})

it('pins every package by its hash, and names no registry', () => {
  for (const [path, entry] of Object.entries(lock.packages)) {
    if (path === '') continue
    expect([path, entry.integrity?.startsWith('sha512-')]).toEqual([path, true])
    expect([path, entry.resolved]).toEqual([path, undefined])
  }
})
