import { expect, it } from '@jest/globals'
import { calcPrice, extractUsage, findProvider } from '@pydantic/genai-prices'
import { readUsage, usageOf } from '../../../src/usage/read-usage.ts'
import {
  fixturesFolder,
  NO_FIXTURES,
  RECORDINGS,
  recordedExchanges,
  type WireExchange,
} from '../../helpers/fixtures.ts'
import { NOON, pricesOf } from './samples.ts'

/** By host: our name of the provider, and the package's. */
const HOSTS: Record<string, [ours: string, theirs: string]> = {
  'api.openai.com': ['openai', 'openai'],
  'api.anthropic.com': ['anthropic', 'anthropic'],
  'api.mistral.ai': ['mistral', 'mistral'],
  'api.deepseek.com': ['deepseek', 'deepseek'],
  'openrouter.ai': ['openrouter', 'openrouter'],
}

if (fixturesFolder === null) {
  it.skip(`costs recorded answers as genai-prices reads and costs them (${NO_FIXTURES})`, () => {})
} else {
  it('costs recorded answers as genai-prices reads and costs them', () => {
    const compared = RECORDINGS.flatMap(recordedExchanges).flatMap((exchange) => compare(exchange) ?? [])
    expect(compared.length).toBeGreaterThan(90)
    const apart = compared.filter(({ ours, theirs }) => ours === null || Math.abs(Number(ours) - theirs) > 1)
    expect(apart).toEqual([])
  })
}

const prices = pricesOf()

/** Nano-dollars. Null: no JSON answer of a known provider with a usage. */
function compare({ name, host, status, responseBody }: WireExchange) {
  const provider = HOSTS[host]
  const body = status === 200 && provider ? parse(responseBody) : null
  if (!body || !provider || typeof body.model !== 'string') return null
  const usage = readUsage(usageOf(body))
  const theirs = theirCost(provider[1], body, body.model)
  if (usage === null || theirs === null) return null
  const ours = prices.price(provider[0], body.model, null, usage, NOON)?.costNanoUsd ?? null
  return { name, ours, theirs }
}

function theirCost(providerId: string, body: Record<string, unknown>, model: string): number | null {
  const provider = findProvider({ providerId })!
  for (const { api_flavor } of provider.extractors ?? []) {
    try {
      const { usage } = extractUsage(provider, body, api_flavor)
      const priced = calcPrice(usage, model, { providerId, timestamp: new Date(NOON) })
      return priced && priced.total_price * 1e9
    } catch {
      // An answer of another of the provider's formats.
    }
  }
  return null
}

function parse(bytes: Buffer): Record<string, unknown> | null {
  try {
    return JSON.parse(bytes.toString('utf8')) as Record<string, unknown>
  } catch {
    return null
  }
}
