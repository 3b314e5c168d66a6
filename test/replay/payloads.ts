import type { Payload, WireExchange } from '../helpers/fixtures.ts'
import { baseOf } from './bench.ts'
import type { Json } from './expected.ts'

/** Folders of recorded payloads in OpenAI's dialect, and the host that each provider answers on. */
export const PAYLOAD_HOSTS: Record<string, string> = {
  openai: 'api.openai.com',
  'open-responses': 'api.openai.com',
  'openai-compatible': 'api.openai.com',
  groq: 'api.groq.com',
  mistral: 'api.mistral.ai',
  deepseek: 'api.deepseek.com',
  xai: 'api.x.ai',
  perplexity: 'api.perplexity.ai',
}

/** The exchange that this answer may have been part of. One file holds several streams, one after the other. */
export function toExchanges(payload: Payload): WireExchange[] {
  const text = payload.bytes.toString()
  if (payload.kind === 'json') return [answerOf(payload, JSON.parse(text) as Json)]
  if (payload.kind === 'sse') return [streamOf(payload, '/chat/completions', text)]
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  const starts = lines.flatMap((line, index) => (line.startsWith('{"type":"response.created"') ? [index] : []))
  if (starts.length === 0) {
    const path = lines[0]!.includes('"text_completion"') ? '/completions' : '/chat/completions'
    return [streamOf(payload, path, [...lines, '[DONE]'].map((line) => `data: ${line}\n\n`).join(''))]
  }
  return starts.map((start, number) =>
    streamOf(
      { ...payload, name: `${payload.name}#${number}` },
      '/responses',
      framed(lines.slice(start, starts[number + 1])),
    ),
  )
}

/** Not parsed: a hand-made file holds JSON that is none, and must pass like any other. */
function framed(lines: string[]): string {
  return lines.map((line) => `event: ${/^\{"type":"([\w.]+)"/.exec(line)![1]}\ndata: ${line}\n\n`).join('')
}

function streamOf(payload: Payload, path: string, stream: string): WireExchange {
  const asks = path !== '/responses' && { stream_options: { include_usage: true } }
  return exchangeOf(payload, path, { stream: true, ...asks }, 200, 'text/event-stream; charset=utf-8', stream)
}

function answerOf(payload: Payload, body: Json): WireExchange {
  if (typeof body.status === 'number') {
    const { 'content-type': contentType } = body.headers as Record<string, string>
    return exchangeOf(payload, '/audio/transcriptions', {}, body.status, contentType!, String(body.body))
  }
  const error = body.error as { code?: string } | null | undefined
  const status = error ? (error.code === 'insufficient_quota' ? 429 : 400) : 200
  return exchangeOf(payload, pathOf(body), {}, status, 'application/json', payload.bytes.toString())
}

function pathOf({ object, choices, data, text }: Json): string {
  if (object === 'response') return '/responses'
  if (object === 'text_completion') return '/completions'
  if (Array.isArray(choices)) return '/chat/completions'
  if (Array.isArray(data)) return object === 'list' ? '/embeddings' : '/images/generations'
  return typeof text === 'string' ? '/audio/transcriptions' : '/chat/completions'
}

function exchangeOf(
  { name, provider }: Payload,
  path: string,
  request: Json,
  status: number,
  contentType: string,
  body: string,
): WireExchange {
  const host = PAYLOAD_HOSTS[provider]!
  return {
    name,
    host,
    method: 'POST',
    path: `${baseOf(host)}${path}`,
    requestHeaders: { 'content-type': 'application/json' },
    requestBody: Buffer.from(JSON.stringify({ model: 'model', ...request })),
    status,
    responseHeaders: { 'content-type': contentType, date: 'Sat, 21 Nov 2026 00:00:00 GMT' },
    responseBody: Buffer.from(body),
  }
}
