import { GatewayError } from '../errors.ts'
import { deploymentIn, modelCall } from './endpoints.ts'
import type { Exchange } from './exchange.ts'
import { refuseDoubledModel } from './rewrite.ts'

/** The few fields that routing needs: from the JSON body, else from the query (`/v1/realtime/calls?model=…`). */
export function readFields(exchange: Exchange): void {
  const { body, path } = exchange
  const call = modelCall(path.api)
  if (call) {
    exchange.model = shortEnough(call.model)
    exchange.stream = call.action === 'streamGenerateContent'
  } else if (body.kind === 'json' && body.value !== null) {
    const { model, stream } = body.value
    if (model !== undefined) refuseDoubledModel(body.bytes)
    const deployment = path.mount === null ? null : deploymentIn(path.endpoint)
    if (deployment !== null) exchange.model = shortEnough(deployment)
    else if (typeof model === 'string') exchange.model = shortEnough(model)
    exchange.stream = stream === true
    exchange.inBackground = body.value.background === true && exchange.endpoint?.text === 'response'
  } else if (body.kind === 'none' && path.query.includes('model=')) {
    exchange.model = shortEnough(new URLSearchParams(path.query).get('model') ?? '') || null
  }
}

/** No model is named at such length; it would stand whole in the ledger and in the log. */
const MAX_MODEL_LENGTH = 256

export function shortEnough(model: string): string {
  if (model.length <= MAX_MODEL_LENGTH) return model
  throw new GatewayError('invalid_request', {
    message: `The name of the model is longer than ${MAX_MODEL_LENGTH} characters.`,
    param: 'model',
  })
}
