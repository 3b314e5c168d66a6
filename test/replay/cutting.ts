import { request } from 'node:http'
import { expect } from '@jest/globals'
import type { LedgerRow } from '../../src/store/store.ts'
import type { WireExchange } from '../helpers/fixtures.ts'
import { PROVIDER_KEY, startTestGateway, type TestGateway } from '../helpers/gateway.ts'
import { eventually } from '../helpers/http.ts'
import { type Script, startUpstream } from '../helpers/upstream.ts'
import { type Route, routeOf } from './bench.ts'
import { withoutUsage } from './expected.ts'

/** Who breaks the answer off: the client, a lost connection to the provider, or a provider that ends it as if it were whole. */
export type Kind = 'client' | 'lost' | 'ended'
export const KINDS: Kind[] = ['client', 'lost', 'ended']
/** How much of the answer the provider gives before. */
export type Cut = { kind: Kind; prefix: Buffer }

/** The row of a request, and where the budget of its token stands then. */
export type Booked = { row: LedgerRow; budget: { used: bigint; reserved: bigint } }

export type Shears = {
  gatewayFor(exchange: WireExchange): Promise<TestGateway>
  /** Sends the recorded request with a token of its own, and cuts its answer. There is exactly one row for it. */
  cut(exchange: WireExchange, cut: Cut): Promise<Booked>
  close(): Promise<void>
}

/** Prices for what the list does not have under the name of the provider that these go through. */
const models = ['deepseek*', 'grok*', 'llama*', 'sonar*', 'gpt-4o-*transcribe*'].map((model) => ({
  provider: 'openai',
  model,
  input: 1,
  output: 5,
}))
const BUDGET = { period: 'total', limitNanoUsd: 100_000_000_000, limitTokens: null, resetAt: null } as const

/** One scripted provider, and a gateway for each way to it, started when it is needed. */
export async function startShears(): Promise<Shears> {
  const upstream = await startUpstream()
  const gateways = new Map<string, Promise<TestGateway>>()

  const open = ({ provider, base }: Route) =>
    startTestGateway({
      config: {
        providers: { [provider]: { apiKey: PROVIDER_KEY, baseUrl: `${new URL(upstream.url).origin}${base}` } },
        defaultProvider: provider,
        prices: { discounts: {}, models },
      },
    })
  const gatewayFor = (exchange: WireExchange) => {
    const route = routeOf(exchange)!
    const key = `${route.provider} ${route.base}`
    const started = gateways.get(key) ?? open(route)
    gateways.set(key, started)
    return started
  }

  return {
    gatewayFor,
    async cut(exchange, what) {
      const gateway = await gatewayFor(exchange)
      const { secret, token } = await gateway.token({ budgets: [BUDGET] })
      const written = Promise.withResolvers<{ hidesUsage: boolean }>()
      upstream.script(providerOf(exchange, what, written.resolve))
      await talk(gateway, exchange, secret, what, written.promise)
      const rows = await eventually(async () => {
        const { data } = await gateway.ctx.store.ledger.list({ tokenId: token.id }, { limit: 10 })
        return data.length > 0 && data
      }, 'the row')
      expect(rows).toHaveLength(1)
      const owner = { kind: 'token', id: token.id } as const
      const [state] = await gateway.ctx.budgets.states(owner, token.budgets!, Date.now())
      return { row: rows[0]!, budget: { used: state!.used.nanoUsd, reserved: state!.reserved.nanoUsd } }
    },
    async close() {
      for (const started of gateways.values()) await (await started).stop()
      await upstream.close()
    },
  }
}

const providerOf =
  (exchange: WireExchange, { kind, prefix }: Cut, written: (facts: { hidesUsage: boolean }) => void): Script =>
  async (_req, res, seen) => {
    const { 'content-length': length, ...headers } = exchange.responseHeaders
    const total = length === undefined || kind === 'ended' ? {} : { 'content-length': exchange.responseBody.length }
    res.writeHead(exchange.status, { ...headers, ...total })
    res.flushHeaders()
    // In one write, so that the gateway has all of it when the client has the first byte.
    if (prefix.length > 0) res.write(prefix)
    written({ hidesUsage: seen.body.includes('include_usage') && !exchange.requestBody.includes('include_usage') })
    if (kind === 'ended') res.end()
    else if (kind === 'lost') res.socket!.destroySoon()
    else await seen.aborted
  }

/** Sends the recorded request, and reads to the end or leaves once it has all that this part of the answer can show. */
async function talk(
  gateway: TestGateway,
  exchange: WireExchange,
  secret: string,
  { kind, prefix }: Cut,
  written: Promise<{ hidesUsage: boolean }>,
): Promise<void> {
  const { method, requestHeaders, requestBody } = exchange
  const { below } = routeOf(exchange)!
  const ours = { host: 'gateway', authorization: `Bearer ${secret}`, 'content-length': String(requestBody.length) }
  const req = request(`${gateway.baseUrl}${below}`, { method, headers: { ...requestHeaders, ...ours }, agent: false })
  req.on('error', () => {})
  const closed = new Promise((resolve) => req.once('close', resolve))
  let heard = 0
  let enough = Number.POSITIVE_INFINITY
  const look = () => {
    if (heard >= enough) req.destroy()
  }
  req.on('response', (res) => {
    res.on('error', () => {})
    res.on('data', (piece: Buffer) => {
      heard += piece.length
      look()
    })
  })
  req.end(requestBody)
  if (kind === 'client') {
    const { hidesUsage } = await written
    enough = hidesUsage ? withoutUsage(wholeEvents(prefix)).length : prefix.length
    look()
  }
  await closed
}

const wholeEvents = (stream: Buffer) =>
  stream.subarray(0, stream.lastIndexOf('\n\n') === -1 ? 0 : stream.lastIndexOf('\n\n') + 2)
