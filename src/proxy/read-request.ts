import type { IncomingMessage } from 'node:http'
import { type Readable, Transform } from 'node:stream'
import { GatewayError } from '../errors.ts'

/** JSON is read whole, once; everything else stays a stream. */
export type RequestBody =
  | { kind: 'none' }
  /** `problem`: why it is no JSON; to be thrown by whoever goes on with it. */
  | { kind: 'json'; bytes: Buffer; value: Record<string, unknown> | null; problem: GatewayError | null }
  | { kind: 'stream'; stream: Readable; contentLength: string | null }

type JsonBody = Extract<RequestBody, { kind: 'json' }>

export const NO_BODY: RequestBody = { kind: 'none' }

/** A client that sends nothing for so long, in the middle of a body, has gone. */
const BODY_IDLE_MS = 60_000

type Limits = { maxBodyBytes: number; maxUploadBytes: number; timeouts: { totalMs: number }; bodyIdleMs?: number }

/**
 * Reads the body as far as the gateway must know it. Throws `request_too_large`, `request_timeout`, `unsupported_parameter` (a
 * compressed JSON body), `client_closed`; `invalid_json` is a `problem` of the body, which has come whole. `expectsJson`: the endpoint takes nothing else but forms.
 */
export async function readRequest(req: IncomingMessage, limits: Limits, expectsJson: boolean): Promise<RequestBody> {
  const length = req.headers['content-length']
  if (req.headers['transfer-encoding'] === undefined && (length === undefined || length === '0')) return NO_BODY
  if (!isJson(req.headers['content-type'], expectsJson)) return readStream(req, length ?? null, limits)

  const encoding = req.headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity') {
    throw new GatewayError('unsupported_parameter', {
      message: 'Send the JSON body without compression.',
      param: 'content-encoding',
    })
  }
  if (length !== undefined && Number(length) > limits.maxBodyBytes) throw tooLarge(limits.maxBodyBytes)
  // A small body is here with its headers: one read, no listeners, no timer.
  const atOnce = length !== undefined && req.readableLength === Number(length) ? (req.read() as Buffer | null) : null
  const bytes = atOnce ?? (await collect(req, limits))
  return { kind: 'json', bytes, ...parse(bytes) }
}

/** Without a content type, or with the one that curl sends by itself, JSON is what a client of a JSON endpoint means. */
const isJson = (contentType: string | undefined, expected: boolean) =>
  contentType === undefined ||
  /^application\/(?:[\w.-]+\+)?json\b/i.test(contentType) ||
  (expected && !/^multipart\//i.test(contentType))

function collect(req: IncomingMessage, { maxBodyBytes, timeouts, bodyIdleMs = BODY_IDLE_MS }: Limits): Promise<Buffer> {
  // Its `close` has been and will not come again.
  if (req.destroyed) return Promise.reject(new GatewayError('client_closed'))
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = []
    let bytes = 0
    const deadline = performance.now() + timeouts.totalMs
    const timer = setTimeout(() => stop(new GatewayError('request_timeout')), bodyIdleMs)
    const stop = (error: GatewayError) => {
      clearTimeout(timer)
      req.off('data', onData).off('end', onEnd).off('close', onClose).pause()
      reject(error)
    }
    const onData = (piece: Buffer) => {
      pieces.push(piece)
      bytes += piece.length
      if (bytes > maxBodyBytes) stop(tooLarge(maxBodyBytes))
      // A byte now and then is no body either.
      else if (performance.now() > deadline) stop(new GatewayError('request_timeout'))
      else timer.refresh()
    }
    const onEnd = () => {
      clearTimeout(timer)
      req.off('close', onClose)
      resolve(pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces))
    }
    const onClose = () => stop(new GatewayError('client_closed'))
    req.on('data', onData).once('end', onEnd).once('close', onClose)
  })
}

function parse(bytes: Buffer): Pick<JsonBody, 'value' | 'problem'> {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'))
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return { value: isObject ? (value as Record<string, unknown>) : null, problem: null }
  } catch (cause) {
    const message = `The request body is not valid JSON: ${reason(cause)}`
    return { value: null, problem: new GatewayError('invalid_json', { message, cause }) }
  }
}

/** V8 tells where it stumbled, and quotes the text around: only the place is passed on. */
function reason(error: unknown): string {
  const text = String(error)
  const place = /at position \d+(?: \(line \d+ column \d+\))?/.exec(text)
  if (place) return `unexpected text ${place[0]}.`
  return /unexpected end/i.test(text) ? 'it ends too early.' : 'unexpected text.'
}

function readStream(req: IncomingMessage, contentLength: string | null, { maxUploadBytes }: Limits): RequestBody {
  if (contentLength !== null && Number(contentLength) > maxUploadBytes) throw tooLarge(maxUploadBytes)
  if (contentLength !== null) return { kind: 'stream', stream: req, contentLength }
  return { kind: 'stream', stream: req.pipe(limitBytes(maxUploadBytes)), contentLength }
}

function limitBytes(most: number): Transform {
  let bytes = 0
  return new Transform({
    transform(piece: Buffer, _encoding, done) {
      bytes += piece.length
      if (bytes > most) done(tooLarge(most))
      else done(null, piece)
    },
  })
}

const tooLarge = (most: number) =>
  new GatewayError('request_too_large', {
    message: `The request body is larger than ${Math.floor(most / 1024 / 1024)} MB.`,
    details: { max_bytes: most },
  })
