import { describe, expect, it } from '@jest/globals'
import { durationMs, readRateLimits, timeOfReset } from '../../src/providers/rate-limits.ts'
import { PROVIDERS } from '../../src/providers/registry.ts'
import { fixturesFolder, NO_FIXTURES, RECORDINGS, recordedExchanges } from '../helpers/fixtures.ts'

const NOW = Date.parse('2026-11-21T12:00:00Z')
const namesOf = (provider: string) => PROVIDERS.find(({ name }) => name === provider)!.rateLimits!
const read = (provider: string, headers: Record<string, string>) =>
  readRateLimits(namesOf(provider), (name) => headers[name] ?? null, NOW)

describe('the time of a reset', () => {
  it.each([
    ['6m0s', 360_000],
    ['12ms', 12],
    ['1.5s', 1_500],
    ['1h2m3s', 3_723_000],
    ['1d', 86_400_000],
    ['0', 0],
    ['60', 60_000],
    ['0.25', 250],
    ['2026-11-21T12:00:07Z', 7_000],
    ['2026-11-21T12:00:07.500+00:00', 7_500],
    [String(NOW + 90_000), 90_000],
    [String(NOW / 1000 + 90), 90_000],
    [' 3s ', 3_000],
  ])('is read from %j', (text, fromNow) => {
    expect(timeOfReset(text, NOW)).toBe(NOW + fromNow)
  })

  it.each(['', 'soon', '-1', '1x', 's', '6m 0s', '2026-99-99T00:00:00Z', '1e9', 'Infinity'])(
    'is not made up from %j',
    (text) => {
      expect(timeOfReset(text, NOW)).toBeNull()
    },
  )

  it('is looked for in a long text without getting lost in it', () => {
    expect(durationMs(`${'1s'.repeat(50_000)}x`)).toBeNull()
  })
})

describe('the limits that a provider tells of', () => {
  it('are read by the names that it has for them', () => {
    expect(
      read('groq', {
        'x-ratelimit-limit-requests': '14400',
        'x-ratelimit-remaining-requests': '14399',
        'x-ratelimit-reset-requests': '6s',
        'x-ratelimit-limit-tokens': '12000',
        'x-ratelimit-remaining-tokens': '11994',
        'x-ratelimit-reset-tokens': '30ms',
      }),
    ).toEqual({
      requests: { limit: 14_400, remaining: 14_399, resetAt: NOW + 6_000 },
      tokens: { limit: 12_000, remaining: 11_994, resetAt: NOW + 30 },
    })
    expect(
      read('anthropic', {
        'anthropic-ratelimit-tokens-limit': '50000',
        'anthropic-ratelimit-tokens-remaining': '0',
        'anthropic-ratelimit-tokens-reset': '2026-11-21T12:01:00Z',
      }),
    ).toEqual({ requests: null, tokens: { limit: 50_000, remaining: 0, resetAt: NOW + 60_000 } })
    expect(read('mistral', { 'x-ratelimit-remaining-req-minute': '99' })).toEqual({
      requests: { limit: null, remaining: 99, resetAt: null },
      tokens: null,
    })
    expect(
      read('openrouter', {
        'x-ratelimit-limit': '50',
        'x-ratelimit-remaining': '0',
        'x-ratelimit-reset': `${NOW + 1_000}`,
      }),
    ).toEqual({ requests: { limit: 50, remaining: 0, resetAt: NOW + 1_000 }, tokens: null })
  })

  it('are none where nothing, or nonsense, is told', () => {
    const nonsense = { 'x-ratelimit-remaining-requests': 'many', 'x-ratelimit-remaining-tokens': '-1' }
    for (const headers of [{}, nonsense]) expect(read('openai', headers)).toEqual({ requests: null, tokens: null })
  })

  const HOSTS: [host: string, provider: string][] = [
    ['api.openai.com', 'openai'],
    ['api.anthropic.com', 'anthropic'],
    ['api.mistral.ai', 'mistral'],
    ['api.x.ai', 'xai'],
    ['api.groq.com', 'groq'],
    ['rubyllm.services.ai.azure.com', 'azure-openai'],
  ]
  const recorded = RECORDINGS.flatMap(recordedExchanges)
  const each = fixturesFolder === null ? it.skip : it
  each.each(HOSTS)(
    `are found in recorded answers of %s${fixturesFolder === null ? ` (${NO_FIXTURES})` : ''}`,
    (host, provider) => {
      const limits = recorded
        .filter((exchange) => exchange.host === host)
        .map(({ responseHeaders }) => read(provider, responseHeaders))
        .filter(({ requests, tokens }) => requests !== null && tokens !== null)
      expect(limits.length).toBeGreaterThan(0)
      for (const { requests, tokens } of limits) {
        expect(requests!.remaining).toBeLessThanOrEqual(requests!.limit!)
        expect(tokens!.remaining).toBeLessThanOrEqual(tokens!.limit!)
      }
    },
  )
})
