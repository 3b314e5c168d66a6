import { GatewayError } from '../../errors.ts'
import type { Json } from '../dialect.ts'

/*
 * What only the API that keeps state, and runs tools of its own, can do. It is refused and not dropped: an answer without it would
 * be an answer to another question.
 */

/** Throws it. `advice`: what to do instead. */
export function refuseUnsupported(param: string, advice: string): never {
  throw new GatewayError('unsupported_parameter', {
    message: `\`${param}\` is not supported for this model, which is reached by translation: ${advice}.`,
    param,
  })
}

const ADVICE = {
  previous_response_id: 'nothing is kept between requests, so send the whole conversation in `input`',
  conversation: 'nothing is kept between requests, so send the whole conversation in `input`',
  store: 'nothing is kept between requests, so leave it out or send false',
  background: 'leave it out, and stream the answer where it takes long',
  prompt: 'send the text of the template in `instructions` and `input`',
}

/** Fields by which a request refers to what is kept somewhere. Empty, or false, they ask for nothing. */
export function refuseState(body: Json): void {
  for (const [param, advice] of Object.entries(ADVICE))
    if (body[param] !== undefined && body[param] !== null && body[param] !== false) refuseUnsupported(param, advice)
}

export const STATE_FIELDS = Object.keys(ADVICE)

/** A tool that is not a function of the client's own. */
export const refuseTool = (param: string, type: string): never =>
  refuseUnsupported(
    param,
    type === 'custom'
      ? 'declare the tool as a `function` with one text parameter'
      : `\`${type}\` is run by the API itself, so leave it out or declare a \`function\` that does it`,
  )

/** An item of the conversation that is neither a message, nor a call of a function, nor a thought. */
export const refuseItem = (param: string, type: string): never =>
  refuseUnsupported(
    param,
    type === 'item_reference'
      ? 'nothing is kept between requests, so send the item itself'
      : `leave out items of the type \`${type}\`; messages, function calls with their outputs, and reasoning are translated`,
  )
