import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** One request and its answer, as they were on the wire (headers in lower case; bodies without transfer encoding). */
export type WireExchange = {
  /** Names it in a failed test. */
  name: string
  host: string
  method: string
  /** With its query. */
  path: string
  requestHeaders: Record<string, string>
  requestBody: Buffer
  status: number
  responseHeaders: Record<string, string>
  responseBody: Buffer
}

/** A recorded answer without its request, and an SSE stream without its framing. */
export type Payload = { name: string; provider: string; kind: 'json' | 'chunks' | 'sse'; bytes: Buffer }

/** Recorded provider traffic. It is not part of the repository: null where it is not beside it. */
export const fixturesFolder = locate()

export const RECORDINGS = ['ruby_llm', 'ruby-openai', 'opentelemetry-python-contrib'] as const

/** What to say of tests that have nothing to work on. */
export const NO_FIXTURES = 'recorded traffic is not here: set LLM_PROXY_FIXTURES or put it into ../shared/fixtures'

/** All exchanges of one recording, in order; none where the folder is absent. */
export function recordedExchanges(source: (typeof RECORDINGS)[number]): WireExchange[] {
  if (fixturesFolder === null) return []
  const lines = readFileSync(join(fixturesFolder, source, 'exchanges.jsonl'), 'utf8')
    .trim()
    .split('\n')
  return lines.map((line, index) => toExchange(JSON.parse(line) as RecordedLine, `${source}[${index}]`))
}

/** The files of `vercel-ai/<provider>`, in the order of their names; none where the folder is absent. */
export function recordedPayloads(provider: string): Payload[] {
  if (fixturesFolder === null) return []
  const folder = join(fixturesFolder, 'vercel-ai', provider)
  return readdirSync(folder)
    .sort()
    .map((file) => ({
      name: `${provider}/${file}`,
      provider,
      kind: file.endsWith('.json') ? 'json' : file.endsWith('.sse') ? 'sse' : 'chunks',
      bytes: readFileSync(join(folder, file)),
    }))
}

function locate(): string | null {
  const folder = process.env.LLM_PROXY_FIXTURES ?? join(import.meta.dirname, '../../../shared/fixtures')
  return existsSync(folder) ? folder : null
}

type RecordedLine = {
  file: string
  method: string
  host: string
  path: string
  query: string
  requestHeaders: Record<string, string>
  requestBody?: string | null
  requestBodyBase64?: string
  status: number
  responseHeaders: Record<string, string>
  responseBody?: string | null
  responseBodyBase64?: string
}

function toExchange(line: RecordedLine, name: string): WireExchange {
  return {
    name: `${name} ${line.method} ${line.path} (${line.file.split('/').at(-1)})`,
    host: line.host,
    method: line.method,
    path: line.query ? `${line.path}?${line.query}` : line.path,
    requestHeaders: line.requestHeaders,
    requestBody: bytesOf(line.requestBody, line.requestBodyBase64),
    status: line.status,
    responseHeaders: line.responseHeaders,
    responseBody: bytesOf(line.responseBody, line.responseBodyBase64),
  }
}

const bytesOf = (text: string | null | undefined, base64: string | undefined) =>
  base64 === undefined ? Buffer.from(text ?? '') : Buffer.from(base64, 'base64')
