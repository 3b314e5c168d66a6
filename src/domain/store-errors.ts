import { GatewayError } from '../errors.ts'
import { StoreError } from '../store/store.ts'

/** What a caller is told of a `StoreError`; its own words, which may name files, stay in `cause`. Other errors come back as they are. */
export function fromStoreError(error: unknown): unknown {
  if (!(error instanceof StoreError)) return error
  switch (error.kind) {
    case 'conflict':
      return new GatewayError('conflict', { cause: error })
    case 'not_found':
      return new GatewayError('not_found', { cause: error })
    case 'too_large':
      return new GatewayError('validation_failed', { message: error.message, cause: error })
    default:
      return new GatewayError('storage_unavailable', { headers: { 'retry-after': '5' }, cause: error })
  }
}
