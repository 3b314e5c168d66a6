import type { ErrorRequestHandler } from 'express'
import { fromStoreError } from './domain/store-errors.ts'
import { GatewayError, toGatewayError, toOpenAiError } from './errors.ts'
import type { Logger } from './logger.ts'

/** The one error middleware, for every surface but the data path (whose errors are also settled in the ledger). */
export function sendOpenAiErrors(log: Logger): ErrorRequestHandler {
  return (thrown, req, res, _next) => {
    const error = toGatewayError(fromStoreError(fromExpress(thrown)))
    if (error.status >= 500)
      log.error('request failed', { code: error.code, method: req.method, path: req.path, cause: error.cause })
    if (res.headersSent) return void res.destroy()
    res.status(error.status).set(error.headers).json(toOpenAiError(error))
  }
}

/** Errors of express and its body parser carry a `type` and a `status`. Others come back as they are. */
export function fromExpress(thrown: unknown): unknown {
  if (thrown instanceof GatewayError) return thrown
  const { type, status } = (thrown ?? {}) as { type?: unknown; status?: unknown }
  if (type === 'entity.parse.failed') return new GatewayError('invalid_json', { cause: thrown })
  if (type === 'entity.too.large') return new GatewayError('request_too_large', { cause: thrown })
  if (typeof status === 'number' && status >= 400 && status < 500)
    return new GatewayError('invalid_request', { cause: thrown })
  return thrown
}
