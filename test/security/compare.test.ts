import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { equalSecrets, generateToken, hashToken, last4 } from '../../src/domain/secrets.ts'

describe('comparing secrets', () => {
  it('tells equal from different, whatever the lengths and characters', () => {
    expect(equalSecrets('secret', 'secret')).toBe(true)
    expect(equalSecrets('', '')).toBe(true)
    expect(equalSecrets('sécret 🦊', 'sécret 🦊')).toBe(true)
    for (const other of ['', 'secre', 'secret ', 'Secret', 'secret\0', 'secreт']) {
      expect(equalSecrets(other, 'secret')).toBe(false)
      expect(equalSecrets('secret', other)).toBe(false)
    }
  })

  it('takes as long for a guess that is almost right as for one that is all wrong', () => {
    const expected = generateToken().repeat(50)
    const guesses = { wrong: `x${expected.slice(1)}`, almost: `${expected.slice(0, -1)}x`, short: 'x' }
    const time = (guess: string) => {
      const since = process.hrtime.bigint()
      for (let i = 0; i < 50; i++) equalSecrets(guess, expected)
      return Number(process.hrtime.bigint() - since)
    }
    const fastest = (guess: string) => Math.min(...Array.from({ length: 60 }, () => time(guess)))
    for (const guess of Object.values(guesses)) fastest(guess)
    const [wrong, almost] = [fastest(guesses.wrong), fastest(guesses.almost)]
    // A comparison that stops at the first difference would take hardly any time for the one, all of it for the other.
    expect(Math.abs(wrong - almost) / almost).toBeLessThan(0.5)
  })

  it('is done by that one function: no source compares a token or key with === ', () => {
    const source = join(import.meta.dirname, '..', '..', 'src')
    const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
    expect(files.length).toBeGreaterThan(50)
    const suspicious = /(?:managementToken|given|secret|apiKey|bearer)\s*[!=]==\s*(?!null|undefined|'')\w/
    for (const file of files) {
      const lines = readFileSync(join(source, file), 'utf8').split('\n')
      expect(lines.filter((line) => suspicious.test(line)).map((line) => `${file}: ${line.trim()}`)).toEqual([])
    }
  })
})

it('keeps of a token its hash and its last four characters, from which it cannot be had again', () => {
  const token = generateToken()
  expect(token).toMatch(/^sk-[\w-]{43}$/)
  expect(hashToken(token)).toMatch(/^[0-9a-f]{64}$/)
  expect(last4(token)).toBe(token.slice(-4))
  expect(new Set(Array.from({ length: 1000 }, generateToken)).size).toBe(1000)
})
