import { afterEach } from '@jest/globals'
import type { Config } from '../../src/config/config.ts'
import { MANAGEMENT_TOKEN, startTestGateway, type TestGateway } from '../helpers/gateway.ts'
import { ask, eventually, type RawAnswer } from '../helpers/http.ts'
import { startUpstream, type Upstream } from '../helpers/upstream.ts'

export const KEEPS_ALL = { request: true, response: true, maxBytes: 64 * 1024, days: null }

export type Body = {
  content_type: string | null
  size_bytes: number
  text: string | null
  truncated: boolean
  complete: boolean
  omitted: string | null
}
type Headers = { name: string; value: string }[]
export type Bodies = {
  id: string
  at: string
  request: { method: string; path: string; headers: Headers; body: Body } | null
  response: { status: number | null; headers: Headers; body: Body } | null
}

const open: { stop(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of open.splice(0)) await one.stop()
})

type Options = {
  keeps?: Partial<Config['bodyLog']>
  config?: Partial<Config>
  dataDir?: string
  now?: () => number
  upstream?: Upstream
}

/** A gateway that keeps bodies, with a token and a provider; gone after the test. */
export async function given({ keeps, config, upstream: own, ...options }: Options = {}) {
  const upstream = own ?? (await startUpstream())
  const gateway = await startTestGateway({
    upstream: upstream.url,
    config: { ...config, bodyLog: { ...KEEPS_ALL, ...keeps } },
    ...options,
  })
  open.push(gateway, { stop: () => upstream.close() })
  const { secret, token } = await gateway.token()
  return { upstream, gateway, secret, token, ...reading(gateway) }
}

/** What was kept, read over the management API. */
export function reading(gateway: Pick<TestGateway, 'url'>) {
  const read = (id: string) =>
    ask(`${gateway.url}/manage/requests/${id}/bodies`, { headers: { authorization: `Bearer ${MANAGEMENT_TOKEN}` } })
  return {
    read,
    /** Waits for them: a request is booked, and its connection closed, a moment after its client is content. */
    bodiesOf(answer: RawAnswer | string): Promise<Bodies> {
      const id = typeof answer === 'string' ? answer : answer.header('x-llm-proxy-request-id')!
      return eventually(async () => {
        const { status, body } = await read(id)
        return status === 200 && (JSON.parse(body.toString()) as Bodies)
      }, `the bodies of ${id}`)
    },
  }
}

export const headerOf = (part: { headers: Headers } | null, name: string) =>
  part?.headers.find((header) => header.name.toLowerCase() === name)?.value
