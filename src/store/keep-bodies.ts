import { unescape as unescapeUrl } from 'node:querystring'
import { redact, redactBeginning } from '../redact.ts'
import type { KeptBodies, KeptBody, KeptHeader, RawBodies, RawBody } from './bodies.ts'

/**
 * What is kept of a request: texts without their secrets, headers by a list of those that are harmless. What stands in the request's
 * own credentials is masked wherever it comes up.
 */
export function toKept({ secrets, request, response }: RawBodies): KeptBodies {
  const own = [...secrets, ...credentialsOf(request?.headers ?? [])].filter(({ length }) => length >= MIN_SECRET_LENGTH)
  return {
    request: request && {
      method: request.method,
      path: cleanPath(request.path, own),
      headers: cleanHeaders(request.headers, own),
      body: cleanBody(request.body, request.headers, own),
    },
    response: response && {
      status: response.status,
      headers: cleanHeaders(response.headers, own),
      body: cleanBody(response.body, response.headers, own),
    },
  }
}

const MASK = '[redacted]'
/** Shorter ones would be found in any text. */
const MIN_SECRET_LENGTH = 8
const CREDENTIALS = new Set([
  'authorization',
  'proxy-authorization',
  'x-api-key',
  'api-key',
  'x-goog-api-key',
  'cookie',
])

function credentialsOf(headers: readonly string[]): string[] {
  const found: string[] = []
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!.toLowerCase()
    if (CREDENTIALS.has(name)) found.push(...credentialsIn(name, headers[i + 1]!))
  }
  return found.map((secret) => secret.trim())
}

function credentialsIn(name: string, value: string): string[] {
  if (name === 'cookie') return value.split(';').map((pair) => pair.slice(pair.indexOf('=') + 1))
  // Behind its scheme.
  return [name.endsWith('authorization') ? value.trim().replace(/^\S+ /, '') : value]
}

const HARMLESS = new Set([
  'accept',
  'accept-encoding',
  'accept-language',
  'age',
  'allow',
  'cache-control',
  'connection',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-length',
  'content-range',
  'content-type',
  'date',
  'expect',
  'host',
  'http-referer',
  'keep-alive',
  'origin',
  'range',
  'request-id',
  'retry-after',
  'retry-after-ms',
  'server',
  'server-timing',
  'traceparent',
  'transfer-encoding',
  'user-agent',
  'vary',
  'x-request-id',
  'x-should-retry',
  'x-title',
])
const HARMLESS_FAMILY = /^(?:access-control|anthropic|openai|x-llm-proxy|x-ratelimit|x-stainless)-/

function cleanHeaders(headers: readonly string[], own: readonly string[]): KeptHeader[] {
  const clean: KeptHeader[] = []
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!.toLowerCase()
    const isHarmless = HARMLESS.has(name) || HARMLESS_FAMILY.test(name)
    // A name is the caller's to choose, too.
    clean.push([redact(headers[i]!, own), isHarmless ? redact(headers[i + 1]!, own) : MASK])
  }
  return clean
}

/** Whatever is hidden by percent escapes is looked for without them. */
function cleanPath(path: string, own: readonly string[]): string {
  const clean = redact(path, own)
  const plain = unescapeUrl(clean)
  const cleaner = redact(plain, own)
  return cleaner === plain ? clean : cleaner
}

function cleanBody(body: RawBody, headers: readonly string[], own: readonly string[]): KeptBody {
  const { bytes, size, complete } = body
  const text = body.omitted === null ? textOf(bytes, complete && bytes.length === size, own) : null
  return {
    type: contentType(headers, own),
    size,
    text,
    truncated: text !== null && bytes.length < size,
    complete,
    omitted: text === null ? (body.omitted ?? 'not_text') : null,
  }
}

/**
 * Null: no text, whatever its type says. In another encoding than UTF-8, where every other byte may be a zero, no secret would be
 * known for one.
 */
function textOf(bytes: Uint8Array, whole: boolean, own: readonly string[]): string | null {
  try {
    // A character that was cut at the end is none, and no error.
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes, { stream: !whole })
    if (text.includes('\0')) return null
    return whole ? redact(text, own) : redactBeginning(text, own)
  } catch {
    return null
  }
}

function contentType(headers: readonly string[], own: readonly string[]): string | null {
  const at = headers.findIndex((name, i) => i % 2 === 0 && name.toLowerCase() === 'content-type')
  return at === -1 ? null : redact(headers[at + 1]!, own)
}
