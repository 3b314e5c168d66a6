import { isDeepStrictEqual } from 'node:util'
import type { Usage } from '../../src/store/store.ts'
import type { WireExchange } from '../helpers/fixtures.ts'
import { PROVIDER_KEY } from '../helpers/gateway.ts'
import { atRandom, type Bench, isOneModel, type Pieces, type Route, type Run, routeOf } from './bench.ts'
import { countsOf, expectedOf, type Json, withoutUsage } from './expected.ts'

/** How the client sends the recorded request: as it is; without asking for usage; with the provider before the model's name. */
export type Variant = 'as recorded' | 'usage not asked for' | 'provider named'

const ASKS_USAGE = '"stream_options":{"include_usage":true}'
/** Providers that are never asked for usage, because they report it anyway. */
const REPORT_ALWAYS = ['mistral']

/** The ways in which this exchange can be sent. */
export function variantsOf(exchange: WireExchange): Variant[] {
  const json = jsonOf(exchange)
  const variants: Variant[] = ['as recorded']
  if (exchange.status === 200 && asksForUsage(json)) variants.push('usage not asked for')
  if (typeof json?.model === 'string') variants.push('provider named')
  return variants
}

/** Everything in which the gateway departed from its promises for this exchange, in words; empty when it kept them all. */
export async function replay(
  bench: Bench,
  exchange: WireExchange,
  variant: Variant,
  { cut, how }: Pieces = atRandom(seedOf(exchange.name + variant)),
): Promise<string[]> {
  const route = routeOf(exchange)!
  const sent = sentBody(exchange, variant, route)
  const run = await bench.run(exchange, sent, cut)
  if (exchange.method === 'GET' && route.below === '/models') return listDifferences(exchange, run).map(named)
  const injects = injectsUsage(sent, route)
  return [
    ...requestDifferences(exchange, run, expectedUpstreamBody(exchange, variant, sent, injects)),
    ...answerDifferences(exchange, run, injects),
    ...rowDifferences(exchange, run, route, sent, injects),
  ].map(named)

  function named(difference: string): string {
    return `${exchange.name} (${variant}, ${how}): ${difference}`
  }
}

function sentBody(exchange: WireExchange, variant: Variant, { provider }: Route): Buffer {
  const { requestBody } = exchange
  if (variant === 'as recorded') return requestBody
  const json = jsonOf(exchange)!
  if (variant === 'usage not asked for') {
    const { stream_options: _, ...rest } = json
    return Buffer.from(JSON.stringify(rest))
  }
  const text = requestBody.toString().replace(/"model"\s*:\s*"/, (before) => `${before}${provider}:`)
  if ((JSON.parse(text) as Json).model !== `${provider}:${json.model}`) throw new Error(`No model in ${exchange.name}`)
  return Buffer.from(text)
}

/** Streams of chats and completions are asked for their usage, where the client does not ask himself. */
function injectsUsage(sent: Buffer, { provider, below }: Route): boolean {
  const json = parse(sent)
  return (
    /^\/(?:chat\/)?completions(?:\?|$)/.test(below) &&
    json?.stream === true &&
    !asksForUsage(json) &&
    !REPORT_ALWAYS.includes(provider)
  )
}

function expectedUpstreamBody(exchange: WireExchange, variant: Variant, sent: Buffer, injects: boolean): Buffer {
  const base = variant === 'provider named' ? exchange.requestBody : sent
  if (!injects) return base
  const text = base.toString()
  if (parse(base)?.stream_options !== undefined) throw new Error(`${exchange.name} has stream_options of its own`)
  const open = text.indexOf('{') + 1
  return Buffer.from(`${text.slice(0, open)}${ASKS_USAGE},${text.slice(open)}`)
}

const NOT_UP = [
  'authorization',
  'api-key',
  'connection',
  'host',
  'content-length',
  'accept-encoding',
  'te',
  'user-agent',
]

function requestDifferences(exchange: WireExchange, { seen }: Run, body: Buffer): string[] {
  if (seen === null) return ['did not reach the provider']
  const headers = pairs(seen.rawHeaders).filter(([name]) => !NOT_UP.includes(name))
  const recorded = Object.entries(exchange.requestHeaders).filter(([name]) => !NOT_UP.includes(name))
  return [
    differ('method', seen.method, exchange.method),
    differ('path', seen.url, exchange.path),
    differ('provider key', seen.headers.authorization, `Bearer ${PROVIDER_KEY}`),
    differ('request headers', headers, recorded),
    differBytes('request body', seen.body, body),
  ].filter((difference) => difference !== null)
}

function answerDifferences(exchange: WireExchange, { answer }: Run, hidesUsage: boolean): string[] {
  // Our own key was refused: nothing that the caller could mend.
  if (exchange.status === 401) {
    const code = (parse(answer.body)?.error as Json | undefined)?.code
    return [differ('answer', [answer.status, code], [502, 'upstream_auth_failed'])].filter((d) => d !== null)
  }
  const isStream = exchange.responseHeaders['content-type']?.startsWith('text/event-stream') ?? false
  const shown = isStream && hidesUsage ? withoutUsage(exchange.responseBody) : exchange.responseBody
  const body = isStream && lacksDone(exchange) ? Buffer.concat([shown, Buffer.from('data: [DONE]\n\n')]) : shown
  // A model was looked for in the list before: nobody needs to try again.
  const isSecondTry = isOneModel(routeOf(exchange)!.below) && exchange.status >= 400
  // A list is read as a whole for what others may not see: then its length is known, too.
  const isList = exchange.method === 'GET' && exchange.responseHeaders['content-length'] === undefined
  const added = new Set([isSecondTry ? 'x-should-retry' : '', isList ? 'content-length' : ''])
  const headers = pairs(answer.headers).filter(([name]) => !added.has(name))
  return [
    differ('status', answer.status, exchange.status),
    differ('end', answer.ended, 'clean'),
    differ('answer headers', shownHeaders(headers), shownHeaders(recordedHeaders(exchange))),
    differBytes('answer body', answer.body, body),
  ].filter((difference) => difference !== null)
}

/** Some leave the word for the end out, and only that: the gateway supplies it. */
const lacksDone = (exchange: WireExchange) =>
  /^\/(?:chat\/)?completions(?:\?|$)/.test(routeOf(exchange)!.below) &&
  exchange.responseBody.includes('"finish_reason":"') &&
  !exchange.responseBody.includes('[DONE]') &&
  !expectedOf({ ...exchange, contentType: 'text/event-stream', body: exchange.responseBody }).failed

const recordedHeaders = ({ responseHeaders, responseBody }: WireExchange): [string, string][] =>
  Object.entries(responseHeaders).map(([name, value]) => [
    name,
    name === 'content-length' ? String(responseBody.length) : value,
  ])

const HOP_BY_HOP = ['connection', 'keep-alive', 'transfer-encoding', 'set-cookie']

/** What must pass as it is: all but the hop-by-hop headers and the gateway's own. */
const shownHeaders = (headers: [string, string][]) =>
  headers.filter(
    ([name, value]) =>
      !HOP_BY_HOP.includes(name) &&
      !name.startsWith('x-llm-proxy-') &&
      !(name === 'server-timing' && value.startsWith('gateway;')),
  )

function rowDifferences(
  exchange: WireExchange,
  { row, seen }: Run,
  { provider, below }: Route,
  sent: Buffer,
  injects: boolean,
): string[] {
  if (row === null) return ['has no ledger row']
  const contentType = exchange.responseHeaders['content-type'] ?? ''
  const { usage, servedModel, failed } = expectedOf({
    ...exchange,
    path: below,
    contentType,
    body: exchange.responseBody,
  })
  const refused = exchange.status === 401
  const asked = parse(sent)
  const renamed = seen !== null && asked !== null && parse(seen.body)?.model !== asked.model
  return [
    differ('row.endpoint', row.endpoint, decodeURIComponent(`/v1${below.split('?')[0]}`)),
    differ('row.method', row.method, exchange.method),
    differ('row.status', row.status, refused ? 502 : exchange.status),
    differ('row.error', row.error, refused ? 'upstream_auth_failed' : failed ? 'upstream_error' : null),
    differ('row.stream', row.stream, asked?.stream === true || contentType.startsWith('text/event-stream')),
    differ('row.provider', row.provider, provider),
    differ('row.model', row.model, asked?.model ?? formModel(exchange)),
    differ('row.servedModel', row.servedModel, servedModel),
    differ(
      'row.usage',
      countsOf(row.usage),
      usage === 'estimated' && isEstimate(row.usage) ? countsOf(row.usage) : usage,
    ),
    differ(
      'row.changes',
      [...row.changes],
      [
        ...(renamed ? ['model'] : []),
        ...(injects ? ['stream_options'] : []),
        ...(contentType.startsWith('text/event-stream') && lacksDone(exchange) ? ['done'] : []),
      ],
    ),
  ].filter((difference) => difference !== null)
}

const isEstimate = ({ source, inputTokens, outputTokens }: Usage) =>
  source === 'estimated' && inputTokens + outputTokens > 0

/** `GET /v1/models` is answered by the gateway itself, with all that the provider says of each model; each by two names. */
function listDifferences({ responseBody }: WireExchange, { answer, row }: Run): string[] {
  const provider = row?.provider
  const models = (parse(responseBody)!.data as Json[]).map((model) => ({ owned_by: provider, ...model, provider }))
  const prefixed = models.map((model) => ({ ...model, id: `${provider}:${(model as Json).id}` }))
  return [
    differ('status', answer.status, 200),
    differ('list', parse(answer.body), { object: 'list', data: [...models, ...prefixed] }),
    differ('row', row?.endpoint, '/v1/models'),
  ].filter((difference) => difference !== null)
}

function formModel({ requestHeaders, requestBody }: WireExchange): string | null {
  if (!requestHeaders['content-type']?.startsWith('multipart/')) return null
  return /name="model"\r\n(?:[^\r]+\r\n)*\r\n([^\r]*)\r\n/.exec(requestBody.toString('latin1'))?.[1] ?? null
}

function differ(what: string, actual: unknown, expected: unknown): string | null {
  if (isDeepStrictEqual(actual, expected)) return null
  return `${what}\n    is        ${JSON.stringify(actual)}\n    should be ${JSON.stringify(expected)}`
}

function differBytes(what: string, actual: Buffer, expected: Buffer): string | null {
  if (actual.equals(expected)) return null
  const at = actual.findIndex((byte, index) => byte !== expected[index])
  const place = at === -1 ? actual.length : at
  const around = (bytes: Buffer) => JSON.stringify(bytes.toString('utf8', Math.max(0, place - 40), place + 80))
  return `${what} at byte ${place} of ${expected.length}\n    is        ${around(actual)}\n    should be ${around(expected)}`
}

const asksForUsage = (json: Json | null) => (json?.stream_options as Json | undefined)?.include_usage === true

const jsonOf = ({ requestBody }: WireExchange) => parse(requestBody)

function parse(bytes: Buffer): Json | null {
  if (bytes[0] !== 0x7b) return null
  try {
    return JSON.parse(bytes.toString()) as Json
  } catch {
    return null
  }
}

function pairs(raw: readonly string[]): [string, string][] {
  const list: [string, string][] = []
  for (let i = 0; i < raw.length; i += 2) list.push([raw[i]!.toLowerCase(), raw[i + 1]!])
  return list
}

/** Another stream is cut at other places; the same one always at the same. */
const seedOf = (name: string) => [...name].reduce((seed, letter) => (Math.imul(seed, 31) + letter.charCodeAt(0)) | 0, 7)
