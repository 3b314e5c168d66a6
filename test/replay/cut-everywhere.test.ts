import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { LedgerRow } from '../../src/store/store.ts'
import { fixturesFolder, NO_FIXTURES, RECORDINGS, recordedExchanges, type WireExchange } from '../helpers/fixtures.ts'
import type { TestGateway } from '../helpers/gateway.ts'
import { routeOf } from './bench.ts'
import { type Cut, KINDS, type Shears, startShears } from './cutting.ts'
import { countsOf, expectedOf, hasText, type Json } from './expected.ts'

if (fixturesFolder === null) {
  it.skip(`a recorded stream that is cut anywhere is booked once and rightly (${NO_FIXTURES})`, () => {})
}

let shears: Shears
beforeAll(async () => {
  shears = await startShears()
})
afterAll(() => shears.close())

describe('a recorded stream that is cut anywhere is booked once, rightly, and holds no money back', () => {
  for (const exchange of streams()) {
    it(exchange.name, async () => {
      const gateway = await shears.gatewayFor(exchange)
      for (const prefix of prefixesOf(exchange.responseBody)) {
        for (const kind of KINDS) {
          const { row, budget } = await shears.cut(exchange, { kind, prefix })
          const where = `${kind} at byte ${prefix.length} of ${exchange.responseBody.length}`
          const booked = { where, ...saidOf(row), cost: row.costNanoUsd, ...budget }
          const cost = costOf(gateway, row)
          expect(booked).toEqual({
            where,
            ...shouldSay(exchange, { kind, prefix }, row),
            cost,
            used: cost,
            reserved: 0n,
          })
        }
      }
      expect(await gateway.ctx.store.ledger.verify()).toEqual([])
      expect(await gateway.ctx.store.ledger.openRequests()).toEqual([])
    })
  }
})

/** One of each kind in OpenAI's dialect. */
function streams(): WireExchange[] {
  const all = RECORDINGS.flatMap(recordedExchanges).filter(
    (exchange) => exchange.responseHeaders['content-type']?.startsWith('text/event-stream') && routeOf(exchange),
  )
  return [...new Map(all.map((exchange) => [kindOf(exchange), exchange])).values()]
}

/** Whose it is, what the client asked for, and the shapes of its events. */
function kindOf({ host, path, requestBody, responseBody }: WireExchange): string {
  const shapes = dataOf(responseBody).map(({ type, choices }) => {
    const { delta } = (choices as { delta?: Json }[] | undefined)?.[0] ?? {}
    return type ?? Object.keys(delta ?? {}).join()
  })
  return [host, path, requestBody.includes('include_usage'), ...new Set(shapes)].join(' ')
}

/** Between events and within them: at all of a short stream, at some of a long one, and always near both ends. */
function prefixesOf(stream: Buffer): Buffer[] {
  const ends = [0]
  for (const event of stream.toString().split(/(?<=\r?\n\r?\n)/)) ends.push(ends.at(-1)! + Buffer.byteLength(event))
  const places = ends.flatMap((end, i) => (i === 0 ? [0] : [Math.ceil((ends[i - 1]! + end) / 2), end]))
  const wanted = places.filter((_, i) => i < 3 || i >= places.length - 6 || i % Math.ceil(places.length / 4) === 0)
  return wanted.map((end) => stream.subarray(0, end))
}

type Said = Pick<LedgerRow, 'status' | 'error' | 'estimateReason'> & { usage: unknown }

const saidOf = ({ status, error, estimateReason, usage }: LedgerRow): Said => ({
  status,
  error,
  estimateReason,
  usage: countsOf(usage),
})

/** What the row must say, by the part of the answer that came. `row`: for the numbers of an estimate. */
function shouldSay(exchange: WireExchange, { kind, prefix }: Cut, row: LedgerRow): Said {
  const { below } = routeOf(exchange)!
  const contentType = exchange.responseHeaders['content-type']!
  const read = (status: number) => expectedOf({ ...exchange, status, path: below, contentType, body: prefix }).usage
  const unreported = { estimateReason: null, usage: read(502) }
  if (prefix.length === 0 && kind === 'lost') return { status: 502, error: 'upstream_unreachable', ...unreported }
  const isWhole = endsWithItsMark(prefix) || (kind === 'ended' && saysThatItEnded(prefix))
  const left = kind === 'client' ? { status: 499, error: 'client_closed' } : { status: 200, error: 'upstream_cut' }
  const outcome = isWhole ? { status: 200, error: null } : left
  const usage = read(200)
  if (usage !== 'estimated') return { ...outcome, estimateReason: null, usage }
  const { inputTokens, outputTokens } = row.usage
  expect([inputTokens > 0, outputTokens > 0]).toEqual([true, dataOf(prefix).some(hasText)])
  const estimateReason = isWhole ? 'not_reported' : kind === 'client' ? 'client_abort' : 'upstream_cut'
  const counts = { inputTokens, outputTokens, cachedTokens: 0, reasoningTokens: 0, source: 'estimated' }
  return { ...outcome, estimateReason, usage: counts }
}

/** By the row's own usage; what was held back where nothing tells of any. */
function costOf(gateway: TestGateway, row: LedgerRow): bigint | null {
  const { provider, servedModel, model, usage, at, error, reservedNanoUsd } = row
  if (usage.source === 'none') return error === 'upstream_unreachable' ? 0n : reservedNanoUsd
  return gateway.ctx.prices.price(provider!, servedModel, model, usage, at)?.costNanoUsd ?? null
}

function dataOf(stream: Buffer): Json[] {
  const data = stream.toString().matchAll(/^data: ?(\{.*\})\s*\r?\n\r?\n/gm)
  return [...data].map(([, json]) => JSON.parse(json!) as Json)
}

const endsWithItsMark = (stream: Buffer) =>
  /^data: \[DONE\]\r?\n\r?\n/m.test(stream.toString()) ||
  dataOf(stream).some(({ type }) => /^response\.(?:completed|incomplete|failed)$/.test(String(type)))

function saysThatItEnded(stream: Buffer): boolean {
  const chunks = dataOf(stream)
  if (chunks.some(({ type }) => type === 'transcript.text.done')) return true
  const choices = chunks.flatMap(({ choices }) => (choices ?? []) as { index: number; finish_reason: unknown }[])
  const ended = new Set(choices.filter(({ finish_reason }) => finish_reason).map(({ index }) => index))
  return ended.size > 0 && choices.every(({ index }) => ended.has(index))
}
