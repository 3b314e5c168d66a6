import { isIP } from 'node:net'
import { z } from 'zod'

/*
 * The kinds of values an option can have. Each takes what the environment says (text) as well as what YAML says
 * (numbers, booleans, lists), and has one error text that tells what would be right. No text ever quotes the value:
 * load.ts does, where the value is no secret.
 */

export function integer(min: number, max: number) {
  const error = `must be a whole number from ${min} to ${max}`
  return z.preprocess(textToNumber, z.int({ error }).min(min, { error }).max(max, { error }))
}

export function decimal(min: number, max: number) {
  const error = `must be a number from ${min} to ${max}`
  return z.preprocess(textToNumber, z.number({ error }).min(min, { error }).max(max, { error }))
}

export function oneOf<const T extends readonly string[]>(values: T) {
  return z.preprocess(trimLower, z.enum(values, { error: `must be one of ${values.join(', ')}` }))
}

const TRUE = new Set(['true', '1', 'yes', 'on'])
const FALSE = new Set(['false', '0', 'no', 'off'])

export const flag = z.preprocess(textToBoolean, z.boolean({ error: 'must be true or false' }))

export const flagOrAuto = z.preprocess(
  textToBoolean,
  z.union([z.boolean(), z.literal('auto')], { error: 'must be auto, true or false' }),
)

export const text = z.string({ error: 'must be text (in YAML, put it in quotes)' }).trim()

/** One word, in lower case. */
export const word = z.preprocess(trimLower, z.string({ error: 'must be text' }))

/** What travels in an HTTP header: a stray space or line break is a copying mistake, better said than sent. */
export const token = z
  .string({ error: 'must be text (in YAML, put it in quotes)' })
  .regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, {
    error: 'must be visible ASCII characters, without double quotes and backslashes',
  })

export const host = text.refine((value) => isIP(value) > 0 || /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(value), {
  error: 'must be an IP address or a host name, without a port',
})

/** An http(s) address as it was written. */
export const address = text.superRefine((value, context) => {
  const complaint = complainAboutUrl(URL.canParse(value) ? new URL(value) : null, value)
  if (complaint !== null) context.addIssue({ code: 'custom', message: complaint })
})

/** An http(s) address to which paths are appended; comes out without a trailing slash. */
export const baseUrl = address.transform((value) => value.replace(/\/+$/, ''))

export const KEY_BYTES = 32

/** A 32-byte key as 64 hex digits, base64 or base64url. */
export const encryptionKey = text.transform((value, context) => {
  const key = decodeKey(value)
  if (key !== null) return key
  context.addIssue({ code: 'custom', message: `must be ${KEY_BYTES} bytes in base64 or hex (openssl rand -base64 32)` })
  return z.NEVER
})

export const proxyApiKeys = listOf(token.min(16, { error: 'is shorter than 16 characters' })).transform(unique)

/** Names of models. */
export const names = listOf(
  z
    .string({ error: 'must be text (in YAML, put it in quotes)' })
    .trim()
    .min(1, { error: 'must not be empty' })
    .max(200, { error: 'must have at most 200 characters' }),
).transform(unique)

export const apiVersion = text.regex(/^(?:v1|preview|\d{4}-\d\d-\d\d(?:-preview)?)$/, {
  error: 'must be a version as 2024-10-21 or 2025-04-01-preview, or preview, or v1',
})

/** Set by the gateway itself, for each request or for none. */
const OWN_HEADERS = /^(?:host|connection|content-length|transfer-encoding|upgrade|te|trailer|expect|accept-encoding)$/

/** Header names and their values; the names come out in lower case. */
export const headers = z
  .record(z.string(), z.string({ error: 'must be text (in YAML, put it in quotes)' }).trim(), {
    error: 'must hold header names with their values',
  })
  .superRefine((found, context) => {
    for (const [name, value] of Object.entries(found)) {
      const complain = (message: string) => context.addIssue({ code: 'custom', path: [name], message })
      if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) complain('is no header name')
      else if (OWN_HEADERS.test(name.toLowerCase())) complain('is set by the gateway')
      else if (!/^[\t\x20-\x7e]*$/.test(value)) complain('must be visible ASCII characters')
    }
  })
  .transform((found) => Object.fromEntries(Object.entries(found).map(([name, value]) => [name.toLowerCase(), value])))

/** Whole percentages, from the smallest on. */
export const percentages = listOf(integer(1, 100)).transform((values) => [...new Set(values)].sort((a, b) => a - b))

const RETRY_REASON = 'must be an HTTP status from 400 to 599, 5xx or network'

/** Statuses, `5xx`, `network`; all as text. */
export const retryReasons = listOf(
  z.preprocess(
    (value) => (typeof value === 'number' ? String(value) : trimLower(value)),
    z.string({ error: RETRY_REASON }).regex(/^(?:[45]\d\d|5xx|network)$/, { error: RETRY_REASON }),
  ),
).transform(unique)

const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[^/?#@\s*]+$/i

export const origins = listOf(
  z
    .string({ error: 'must be text' })
    .transform((value) => value.replace(/\/$/, ''))
    .refine((value) => value === '*' || (ORIGIN.test(value) && URL.canParse(value)), {
      error: 'must be an origin such as https://app.example.com (no path), or *',
    })
    .transform((value) => (/^https?:/i.test(value) ? new URL(value).origin : value)),
).transform(unique)

const PROXY_NAMES = new Set(['loopback', 'linklocal', 'uniquelocal'])

const trustProxyError = 'must be true, false, a number of hops, or a list of addresses (10.0.0.0/8, loopback, …)'

/** Express' `trust proxy`: a flag, a number of hops, or addresses (as one comma-separated text). */
export const trustProxy = z.preprocess(
  (value) => (Array.isArray(value) ? value.join(',') : textToNumber(textToFlagWord(value))),
  z.union([z.boolean(), z.int().min(0).max(100), z.string().refine(isProxyList, { error: trustProxyError })], {
    error: trustProxyError,
  }),
)

function listOf<S extends z.ZodType>(item: S) {
  return z.preprocess(
    (value) => (typeof value === 'string' ? splitList(value) : value),
    z.array(item, { error: 'must be a list (comma-separated, or a YAML list)' }),
  )
}

function splitList(value: string): string[] {
  return value
    .split(/[,\n]/)
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

function unique(values: string[]): string[] {
  return [...new Set(values)]
}

function textToNumber(value: unknown): unknown {
  return typeof value === 'string' && /^\s*-?\d+(\.\d+)?\s*$/.test(value) ? Number(value) : value
}

function textToBoolean(value: unknown): unknown {
  const word = trimLower(value)
  if (typeof word !== 'string') return value
  if (TRUE.has(word)) return true
  return FALSE.has(word) ? false : word
}

/** Unlike elsewhere, `1` and `0` are numbers of hops here, as in Express. */
function textToFlagWord(value: unknown): unknown {
  const word = trimLower(value)
  if (word === 'true') return true
  return word === 'false' ? false : value
}

function trimLower(value: unknown): unknown {
  return typeof value === 'string' ? value.trim().toLowerCase() : value
}

function complainAboutUrl(url: URL | null, value: string): string | null {
  if (url === null || !/^https?:$/.test(url.protocol)) return 'must be an address that starts with http:// or https://'
  if (url.username !== '' || url.password !== '') return 'must not contain credentials'
  if (/[?#]/.test(value)) return 'must not contain a query (?) or a fragment (#)'
  return null
}

function decodeKey(value: string): Buffer | null {
  if (/^[0-9a-f]{64}$/i.test(value)) return Buffer.from(value, 'hex')
  // 32 bytes are 43 digits of base64 and one '=' of padding.
  return /^[\w+/-]{43}=?$/.test(value) ? Buffer.from(value, 'base64') : null
}

function isProxyList(value: string): boolean {
  const addresses = splitList(value)
  return addresses.length > 0 && addresses.every(isProxyAddress)
}

function isProxyAddress(value: string): boolean {
  if (PROXY_NAMES.has(value)) return true
  const [address = '', prefix, ...rest] = value.split('/')
  const version = isIP(address)
  if (version === 0 || rest.length > 0) return false
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128))
}
