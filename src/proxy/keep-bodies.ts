import type { RawRequest, RawResponse } from '../store/store.ts'
import type { BodyLog } from '../usage/body-log.ts'
import { credentialOf } from './authenticate.ts'
import { Capture, omittedBy } from './capture.ts'
import type { Exchange, HttpExchange } from './exchange.ts'
import type { RecordedResponse } from './recorded-response.ts'

/**
 * Hands over what was said in an exchange, to be kept. Called when its row is written and when its answer has closed, in whichever
 * order they come: the second of the two finds both true.
 */
export function keepBodies(bodies: BodyLog, exchange: Exchange): void {
  const { res, requestId, at, req, target } = exchange
  if (res === null || !exchange.booked || !res.closed) return
  const { request, response, maxBytes } = bodies.keeps
  const secrets = [target?.key ?? '', credentialOf(req) ?? '']
  bodies.record({
    requestId,
    at,
    secrets: secrets.filter((secret) => secret !== ''),
    request: request ? requestOf(exchange, maxBytes) : null,
    response: response ? responseOf(res as RecordedResponse) : null,
  })
}

/** For an upload that is text; null for any other, of which type and size are enough. */
export function captureUpload({ keeps }: BodyLog, { req }: HttpExchange): Capture | null {
  return keeps.request && omittedBy(req.rawHeaders) === null ? new Capture(keeps.maxBytes) : null
}

function requestOf({ method, path, req, body, uploadText, uploadedBytes }: Exchange, maxBytes: number): RawRequest {
  const head = { method, path: `/v1${path.below}${path.query}`, headers: req.rawHeaders }
  if (body.kind === 'json') {
    const bytes = body.bytes.subarray(0, maxBytes)
    // Ten megabytes are not held for the sake of their beginning.
    const kept = bytes.length < body.bytes.length ? Buffer.from(bytes) : bytes
    return { ...head, body: { bytes: kept, size: body.bytes.length, complete: true, omitted: null } }
  }
  if (body.kind === 'stream') {
    const bytes = uploadText?.bytes ?? NOTHING
    return {
      ...head,
      body: {
        bytes,
        size: uploadedBytes,
        complete: req.complete,
        omitted: uploadText ? null : omittedBy(req.rawHeaders),
      },
    }
  }
  const isThere = (req.headers['content-length'] ?? '0') !== '0' || req.headers['transfer-encoding'] !== undefined
  return { ...head, body: { bytes: NOTHING, size: 0, complete: !isThere, omitted: isThere ? 'unread' : null } }
}

/** Null: it went out where nobody looked. */
function responseOf(res: RecordedResponse): RawResponse | null {
  const { sentHeaders, sentBody, statusCode, writableFinished } = res
  if (sentHeaders === null || sentBody === null) {
    if (res.headersSent) return null
    return { status: null, headers: [], body: { bytes: NOTHING, size: 0, complete: false, omitted: null } }
  }
  const { bytes, size } = sentBody
  const body = { bytes, size, complete: writableFinished, omitted: omittedBy(sentHeaders) }
  return { status: statusCode, headers: sentHeaders, body }
}

const NOTHING = Buffer.alloc(0)
