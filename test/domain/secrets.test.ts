import { randomBytes } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  createSealer,
  equalSecrets,
  generateToken,
  hashToken,
  last4,
  looksLikeToken,
} from '../../src/domain/secrets.ts'

describe('a proxy token', () => {
  it('is sk- and 43 url-safe characters, never twice the same', () => {
    const tokens = Array.from({ length: 1_000 }, generateToken)
    for (const token of tokens) {
      expect(token).toMatch(/^sk-[A-Za-z0-9_-]{43}$/)
      expect(looksLikeToken(token)).toBe(true)
    }
    expect(new Set(tokens).size).toBe(1_000)
  })

  it.each([
    '',
    'sk-',
    `sk-${'a'.repeat(42)}`,
    `sk-${'a'.repeat(44)}`,
    `sk-${'a'.repeat(42)}+`,
    `SK-${'a'.repeat(43)}`,
    ` sk-${'a'.repeat(43)}`,
    `sk-${'a'.repeat(43)}\n`,
  ])('does not look like %j', (text) => {
    expect(looksLikeToken(text)).toBe(false)
  })

  it('is kept as its SHA-256', () => {
    // Source: sha256sum.
    expect(hashToken('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  })

  it('shows its last four characters', () => {
    expect([last4('sk-abcdefgh'), last4('ab')]).toEqual(['efgh', 'ab'])
  })
})

describe('comparing secrets', () => {
  it('says whether they are the same, whatever their lengths', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
        expect(equalSecrets(a, a)).toBe(true)
        expect(equalSecrets(a, b)).toBe(Buffer.from(a).equals(Buffer.from(b)))
      }),
    )
  })
})

describe('a sealed provider key', () => {
  const sealer = createSealer(Buffer.alloc(32, 1))

  it('opens to what was sealed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (plain) => expect(sealer.open(sealer.seal(plain))).toBe(plain)),
    )
  })

  it('is never the same twice, and does not show the key', () => {
    const sealed = Array.from({ length: 200 }, () => sealer.seal('sk-provider-key'))
    expect(new Set(sealed).size).toBe(200)
    expect(new Set(sealed.map((envelope) => envelope.split('.')[2])).size).toBe(200)
    expect(sealed.join()).not.toContain('provider')
  })

  it('names the encryption key that opens it, by its fingerprint', () => {
    expect(sealer.seal('x').split('.').slice(0, 2)).toEqual(['v1', sealer.keyId])
    expect(sealer.keyId).toMatch(/^[0-9a-f]{8}$/)
    expect(createSealer(Buffer.alloc(32, 2)).keyId).not.toBe(sealer.keyId)
  })

  it('does not open with another key, and says which one it wants', () => {
    const other = createSealer(randomBytes(32))
    expect(() => other.open(sealer.seal('x'))).toThrow(sealer.keyId)
    const renamed = sealer.seal('x').replace(sealer.keyId, other.keyId)
    expect(() => other.open(renamed)).toThrow()
  })

  it('does not open once any bit of it was changed', () => {
    const parts = sealer.seal('sk-provider-key').split('.')
    for (const part of [2, 3, 4]) {
      const bytes = Buffer.from(parts[part]!, 'base64url')
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const changed = Buffer.from(bytes)
        changed[bit >> 3]! ^= 1 << (bit & 7)
        const envelope = parts.with(part, changed.toString('base64url')).join('.')
        expect(() => sealer.open(envelope)).toThrow()
      }
    }
  })

  it('does not open when it is cut short, or is none', () => {
    const envelope = sealer.seal('sk-provider-key')
    for (let length = 0; length < envelope.length; length++) {
      const cut = envelope.slice(0, length)
      // The last character of a tag may hold nothing but padding bits.
      if (Buffer.from(cut.split('.')[4] ?? '', 'base64url').length === 16) continue
      expect(() => sealer.open(cut)).toThrow()
    }
    for (const none of ['', 'v1', 'v2.a.b.c.d', 'v1....', envelope.replace('v1', 'v2'), 'sk-plain'])
      expect(() => sealer.open(none)).toThrow()
  })

  it('does not open with a tag that was cut short, which would be quick to guess', () => {
    const parts = sealer.seal('sk-provider-key').split('.')
    for (const length of [4, 8, 12, 15]) {
      const tag = Buffer.from(parts[4]!, 'base64url').subarray(0, length).toString('base64url')
      expect(() => sealer.open(parts.with(4, tag).join('.'))).toThrow()
    }
  })
})
