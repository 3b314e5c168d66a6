import type { Dialect, Json } from '../../src/formats/dialect.ts'
import { DIALECTS } from '../../src/formats/dialects.ts'
import { RECORDINGS, recordedExchanges, recordedPayloads, type WireExchange } from '../helpers/fixtures.ts'

/** Recorded traffic in the dialects of chat, taken apart. */
export type Recorded = { name: string; dialect: Dialect; other: Dialect }
export type RecordedRequest = Recorded & { body: Json }
export type RecordedAnswer = Recorded & { body: Json }
/** `events`: data of events, with `[DONE]`. */
export type RecordedStream = Recorded & { events: string[] }
export type RecordedError = Recorded & { status: number; body: unknown }

const CHAT = DIALECTS['openai-chat']!
const MESSAGES = DIALECTS['anthropic-messages']!

/** Folders of payloads whose files may be chats, by the dialect that is spoken there. */
const FOLDERS: Record<string, Dialect> = {
  anthropic: MESSAGES,
  deepseek: CHAT,
  groq: CHAT,
  mistral: CHAT,
  openai: CHAT,
  'openai-compatible': CHAT,
  perplexity: CHAT,
  xai: CHAT,
}

const sides = (dialect: Dialect) => ({ dialect, other: dialect === CHAT ? MESSAGES : CHAT })

const exchanges = RECORDINGS.flatMap(recordedExchanges).flatMap((exchange) => {
  const dialect = dialectOf(exchange)
  return dialect ? [{ ...sides(dialect), exchange, name: exchange.name }] : []
})

function dialectOf({ method, path }: WireExchange): Dialect | null {
  if (method !== 'POST') return null
  return path.endsWith('/messages') ? MESSAGES : path.endsWith('/chat/completions') ? CHAT : null
}

const payloads = Object.entries(FOLDERS).flatMap(([folder, dialect]) =>
  recordedPayloads(folder).map((payload) => ({ ...sides(dialect), payload, name: payload.name })),
)

export const requests: RecordedRequest[] = exchanges.map(({ exchange, ...rest }) => ({
  ...rest,
  body: jsonOf(exchange.requestBody.toString()) as Json,
}))

export const answers: RecordedAnswer[] = [
  ...exchanges
    .filter(({ exchange }) => exchange.status === 200 && !isStream(exchange))
    .map(({ exchange, ...rest }) => ({ ...rest, body: jsonOf(exchange.responseBody.toString()) as Json })),
  ...payloads
    .filter(({ payload }) => payload.kind === 'json')
    .map(({ payload, ...rest }) => ({ ...rest, body: jsonOf(payload.bytes.toString()) as Json }))
    .filter(({ body }) => body.object === 'chat.completion' || body.type === 'message'),
]

export const streams: RecordedStream[] = [
  ...exchanges
    .filter(({ exchange }) => exchange.status === 200 && isStream(exchange))
    .map(({ exchange, ...rest }) => ({ ...rest, events: framed(exchange.responseBody.toString()) })),
  ...payloads.flatMap(({ payload, ...rest }) => {
    const text = payload.bytes.toString()
    if (payload.kind === 'json') return []
    const events = payload.kind === 'sse' ? framed(text) : text.split('\n').filter((line) => line.trim() !== '')
    const isChat = events.some((line) => /"chat\.completion\.chunk"|"message_start"/.test(line))
    if (!isChat) return []
    return [{ ...rest, events: rest.dialect === CHAT && payload.kind === 'chunks' ? [...events, '[DONE]'] : events }]
  }),
]

export const errors: RecordedError[] = exchanges
  .filter(({ exchange }) => exchange.status >= 400)
  .map(({ exchange, ...rest }) => ({
    ...rest,
    status: exchange.status,
    body: jsonOf(exchange.responseBody.toString()),
  }))

function isStream({ responseHeaders, responseBody }: WireExchange): boolean {
  return /event-stream/.test(responseHeaders['content-type'] ?? '') || /^(?:data|event):/.test(responseBody.toString())
}

function framed(stream: string): string[] {
  return stream
    .split(/\r?\n/)
    .filter((line) => line.startsWith('data:'))
    .map((line) => line.slice('data:'.length).trim())
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
