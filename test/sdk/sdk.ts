import OpenAI, { type ClientOptions } from 'openai'
import type { Config } from '../../src/config/config.ts'
import type { LedgerRow, Token } from '../../src/store/store.ts'
import { samples } from '../fixtures/index.ts'
import { startTestGateway, type TestGateway } from '../helpers/gateway.ts'
import { eventually } from '../helpers/http.ts'
import { type Seen, startUpstream, type Upstream } from '../helpers/upstream.ts'

export type SdkBench = {
  upstream: Upstream
  gateway: TestGateway
  /** The official SDK, pointed at the gateway. */
  openai: OpenAI
  /** One with a token, or options, of its own; `tries` counts what it sent. */
  client(options?: ClientOptions & { token?: Partial<Token> }): Promise<{ openai: OpenAI; tries(): number }>
  /** The provider answers with this sample of test/fixtures from now on. */
  answer(sample: string): void
  /** The request that the provider got last. */
  lastSeen(): Seen
  /** The first request that reaches the provider after this call. */
  nextSeen(): Promise<Seen>
  /** The ledger row of the request that was answered last. */
  lastRow(): Promise<LedgerRow>
  /** The rows that were written since the last call, once there are `count` of them. */
  newRows(count: number): Promise<LedgerRow[]>
  close(): Promise<void>
}

/** The SDK, the gateway and a scripted provider, over real sockets. */
export async function startSdk(config: Partial<Config> = {}): Promise<SdkBench> {
  const upstream = await startUpstream()
  const gateway = await startTestGateway({ upstream: upstream.url, config })
  let lastId = ''
  let rowsRead = 0

  const client: SdkBench['client'] = async ({ token, ...options } = {}) => {
    const { secret } = await gateway.token(token)
    let tries = 0
    const watched: typeof fetch = async (url, init) => {
      tries++
      const response = await fetch(url, init).catch(ofThisRealm)
      lastId = response.headers.get('x-llm-proxy-request-id') ?? ''
      return response
    }
    const openai = new OpenAI({ baseURL: gateway.baseUrl, apiKey: secret, fetch: watched, ...options })
    return { openai, tries: () => tries }
  }

  return {
    upstream,
    gateway,
    openai: (await client()).openai,
    client,
    answer(name) {
      const { status, responseHeaders, responseBody } = samples.find((sample) => sample.name === name)!
      upstream.script((_req, res) => void res.writeHead(status, responseHeaders).end(responseBody))
    },
    lastSeen: () => upstream.seen.at(-1)!,
    nextSeen: () => {
      const before = upstream.seen.length
      return eventually(() => upstream.seen[before], 'a request at the provider')
    },
    lastRow: async () => (await gateway.ctx.store.ledger.get(lastId))!,
    async newRows(count) {
      const rows = await eventually(async () => {
        const all = await gateway.rows()
        return all.length >= rowsRead + count && all
      }, `${count} more ledger rows`)
      const fresh = rows.slice(rowsRead)
      rowsRead = rows.length
      return fresh
    },
    async close() {
      await gateway.stop()
      await upstream.close()
    },
  }
}

/** Jest runs tests in a realm of their own, and the SDK does not know the errors of another one. */
function ofThisRealm(error: Error): never {
  throw Object.assign(new Error(error.message, { cause: error.cause }), { name: error.name })
}

/** What a row says of a good answer; `usage` in the order input, output, cached, reasoning. */
export const goodRow = (
  endpoint: string,
  servedModel: string | null,
  [inputTokens, outputTokens, cachedTokens, reasoningTokens]: [number, number, number, number],
) => ({
  endpoint,
  servedModel,
  status: 200,
  error: null,
  provider: 'openai',
  usage: { inputTokens, outputTokens, cachedTokens, reasoningTokens, source: 'reported' },
})

/** A row of an answer that has no usage. */
export const freeRow = (endpoint: string, method = 'POST') => ({
  endpoint,
  method,
  status: 200,
  error: null,
  usage: { inputTokens: 0, outputTokens: 0, cachedTokens: 0, reasoningTokens: 0, source: 'none' },
})

/** Everything that a stream gives, in order. */
export async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of stream) items.push(item)
  return items
}

/** What a promise was rejected with. */
export const failureOf = (promise: PromiseLike<unknown>): Promise<unknown> =>
  Promise.resolve(promise).then(
    () => {
      throw new Error('It did not fail.')
    },
    (error: unknown) => error,
  )
