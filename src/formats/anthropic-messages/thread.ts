import { GatewayError } from '../../errors.ts'
import type { Json } from '../dialect.ts'

/**
 * A conversation that the provider keeps, of which a request sends but what is new. Without the rest an answer would be one to another
 * question, so it is refused, in the words at which the SDK sends the whole conversation and goes on so by itself. Source:
 * `ThreadUnsupportedRequestErrorDetails` of @anthropic-ai/sdk 1.12. Throws it.
 */
export function refuseThread({ thread }: Json): void {
  if (thread === undefined || thread === null) return
  throw new GatewayError('unsupported_parameter', {
    message:
      '`thread` is not supported for this model, which is reached by translation: nothing is kept between requests, so send the whole conversation in `messages`.',
    param: 'thread',
    details: { error_code: 'thread_unsupported_request', unsupported: ['model'] },
  })
}
