import { describe, expect, it } from '@jest/globals'
import { KeyBenches } from '../../src/routing/key-bench.ts'

describe('a key that rests', () => {
  it('is fit again when its time is over', () => {
    const benches = new KeyBenches()
    benches.bench('openai', 'key_a', 5_000, 'limited', 0)
    expect(benches.until('openai', 'key_a', 4_999)).toBe(5_000)
    expect(benches.until('openai', 'key_b', 4_999)).toBeNull()
    expect(benches.until('groq', 'key_a', 4_999)).toBeNull()
    expect(benches.until('openai', 'key_a', 5_000)).toBeNull()
    expect(benches.list(5_000)).toEqual([])
  })

  it('rests for the longer of two reasons', () => {
    const benches = new KeyBenches()
    benches.bench('openai', 'key_a', 60_000, 'refused', 0)
    benches.bench('openai', 'key_a', 1_000, 'limited', 0)
    expect(benches.list(500)).toEqual([{ provider: 'openai', keyId: 'key_a', untilMs: 60_000, why: 'refused' }])
  })

  it('is tried again after an hour, whatever the provider says', () => {
    const benches = new KeyBenches()
    benches.bench('openai', 'key_a', 86_400_000, 'limited', 0)
    expect(benches.until('openai', 'key_a', 1)).toBe(3_600_000)
  })

  it('is fit when a request that began since then was answered, not when one from before was', () => {
    const benches = new KeyBenches()
    benches.bench('openai', 'key_a', 60_000, 'limited', 1_000)
    benches.served('openai', 'key_a', 999)
    expect(benches.until('openai', 'key_a', 2_000)).toBe(60_000)
    benches.served('openai', 'key_a', 1_500)
    expect(benches.until('openai', 'key_a', 2_000)).toBeNull()
  })

  it('is fit at once when somebody says so', () => {
    const benches = new KeyBenches()
    benches.bench('openai', 'key_a', 60_000, 'refused', 0)
    benches.bench('openai', 'key_b', 60_000, 'refused', 0)
    expect(benches.release('openai', 'key_a', 1)).toBe(true)
    expect(benches.list(1).map(({ keyId }) => keyId)).toEqual(['key_b'])
    expect(benches.release('openai', 'key_a', 1)).toBe(false)
    expect(benches.release('openai', 'key_b', 60_000)).toBe(false)
  })

  it('that somebody lets rest goes on resting while it serves, until it is woken', () => {
    const benches = new KeyBenches()
    benches.bench('openai', 'key_a', 60_000, 'by_hand', 1_000)
    benches.served('openai', 'key_a', 1_500)
    expect(benches.until('openai', 'key_a', 2_000)).toBe(60_000)
    expect(benches.release('openai', 'key_a', 2_000)).toBe(true)
    expect(benches.until('openai', 'key_a', 2_000)).toBeNull()
  })

  it('is one of so many at the most', () => {
    const benches = new KeyBenches(3)
    for (let i = 0; i < 10; i++) benches.bench('openai', `key_${i}`, 5_000, 'limited', 0)
    expect(benches.list(0).map(({ keyId }) => keyId)).toHaveLength(3)
    expect(benches.until('openai', 'key_9', 0)).toBe(5_000)
  })
})
