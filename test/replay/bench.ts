import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { LedgerRow } from '../../src/store/store.ts'
import type { WireExchange } from '../helpers/fixtures.ts'
import { PROVIDER_KEY, startTestGateway, type TestGateway } from '../helpers/gateway.ts'
import { ask, type RawAnswer } from '../helpers/http.ts'
import { type Seen, sendJson, startUpstream, type Upstream } from '../helpers/upstream.ts'

/** Where an OpenAI-compatible API begins on its host, longest first, and as which provider the gateway reaches it. */
const HOSTS: Record<string, { provider: string; bases: string[] }> = {
  'api.openai.com': { provider: 'openai', bases: ['/v1'] },
  'api.mistral.ai': { provider: 'mistral', bases: ['/v1'] },
  'openrouter.ai': { provider: 'openrouter', bases: ['/api/v1'] },
  'api.deepseek.com': { provider: 'openai', bases: ['/v1', ''] },
  'api.groq.com': { provider: 'openai', bases: ['/openai/v1'] },
  'api.perplexity.ai': { provider: 'openai', bases: [''] },
  'api.x.ai': { provider: 'openai', bases: ['/v1'] },
  'rubyllm.services.ai.azure.com': { provider: 'openai', bases: ['/openai/v1', '/models'] },
  localhost: { provider: 'openai', bases: ['/v1'] },
}

export type Route = { provider: string; base: string; below: string }

/** How a recorded request goes through the gateway; null when its API is not OpenAI's, or the path stands beside it. */
export function routeOf({ host, path }: Pick<WireExchange, 'host' | 'path'>): Route | null {
  const known = HOSTS[host]
  const base = known?.bases.find((start) => path.startsWith(`${start}/`) && path !== `${start}/`)
  return known && base !== undefined ? { provider: known.provider, base, below: path.slice(base.length) } : null
}

/** The gateway looks into the list of all models first. */
export const isOneModel = (path: string) => path.startsWith('/models/')

/** The usual path of the API on this host. */
export const baseOf = (host: string) => HOSTS[host]!.bases[0]!

/** What each side saw of one exchange. `seen` is null when nothing reached the provider. */
export type Run = { seen: Seen | null; answer: RawAnswer; row: LedgerRow | null }

/** Takes a body apart: what the gateway gets at a time; and how, in words. */
export type Pieces = { how: string; cut(bytes: Buffer): Buffer[] }

/** `closed`: the connection is gone, and the end of the answer was never told. */
export type Ending = 'ended' | 'closed'

export type Bench = {
  /** Sends the request (with `body` in place of its own) to the gateway, whose provider answers as recorded, in those pieces. */
  run(exchange: WireExchange, body: Buffer, cut: Pieces['cut'], ending?: Ending): Promise<Run>
  close(): Promise<void>
}

/** One scripted provider, and a gateway for each way to it, started when it is needed. */
export async function startBench(): Promise<Bench> {
  const upstream = await startUpstream()
  const gateways = new Map<string, Promise<{ gateway: TestGateway; secret: string }>>()

  const gatewayFor = (route: Route) => {
    const key = `${route.provider} ${route.base}`
    const started = gateways.get(key) ?? openGateway(upstream, route)
    gateways.set(key, started)
    return started
  }

  return {
    async run(exchange, body, cut, ending = 'ended') {
      const route = routeOf(exchange)!
      const { gateway, secret } = await gatewayFor(route)
      const isAside = isOneModel(route.below)
      upstream.script((_req, res, { url }) =>
        isAside && url === `${route.base}/models` ? sendJson(res, 500, {}) : answerInPieces(res, exchange, cut, ending),
      )
      const before = upstream.seen.length
      const answer = await ask(`${gateway.baseUrl}${route.below}`, {
        method: exchange.method,
        headers: {
          ...exchange.requestHeaders,
          host: 'gateway',
          authorization: `Bearer ${secret}`,
          ...(body.length > 0 && { 'content-length': String(body.length) }),
        },
        body,
      })
      let seen = upstream.seen.length > before ? await upstream.next() : null
      if (isAside && seen?.url === `${route.base}/models`) seen = await upstream.next()
      const id = answer.header('x-llm-proxy-request-id') ?? ''
      return { seen, answer, row: await gateway.ctx.store.ledger.get(id) }
    },
    async close() {
      for (const started of gateways.values()) await (await started).gateway.stop()
      await upstream.close()
    },
  }
}

async function openGateway(upstream: Upstream, { provider, base }: Route) {
  const baseUrl = `${new URL(upstream.url).origin}${base}`
  const gateway = await startTestGateway({
    config: { providers: { [provider]: { apiKey: PROVIDER_KEY, baseUrl } }, defaultProvider: provider },
  })
  return { gateway, secret: (await gateway.token()).secret }
}

/** The recorded answer, each piece of its body in a turn of the event loop of its own. */
async function answerInPieces(res: ServerResponse, exchange: WireExchange, cut: Pieces['cut'], ending: Ending) {
  const { status, responseHeaders, responseBody } = exchange
  const headers = Object.entries(responseHeaders).flatMap(([name, value]) => {
    if (name === 'transfer-encoding' || name === 'connection') return []
    // Some recordings were trimmed or filled with placeholders after their length was taken.
    return [name, name === 'content-length' ? String(responseBody.length) : value]
  })
  res.writeHead(status, headers)
  res.flushHeaders()
  for (const piece of cut(responseBody)) {
    if (!res.write(piece)) await once(res, 'drain')
    await new Promise((resolve) => setImmediate(resolve))
  }
  if (ending === 'ended') res.end()
  else res.socket?.destroySoon()
}

export const asOnePiece: Pieces = { how: 'in one piece', cut: (bytes) => (bytes.length === 0 ? [] : [bytes]) }

export const byteByByte: Pieces = {
  how: 'byte by byte',
  cut: (bytes) => Array.from(bytes, (_, at) => bytes.subarray(at, at + 1)),
}

/** Tiny pieces, usual ones and large ones, so that every kind of seam comes to pass; the same ones for the same seed. */
export const atRandom = (seed: number): Pieces => ({
  how: 'in pieces',
  cut(bytes) {
    const random = createRandom(seed)
    const pieces: Buffer[] = []
    for (let at = 0; at < bytes.length; ) {
      const most = [3, 40, 400, 4_000][Math.floor(random() * 4)]! * Math.ceil(bytes.length / 100_000)
      const next = at + 1 + Math.floor(random() * most)
      pieces.push(bytes.subarray(at, next))
      at = next
    }
    return pieces
  },
})

/** mulberry32: numbers in [0, 1) that are the same for the same seed. */
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
