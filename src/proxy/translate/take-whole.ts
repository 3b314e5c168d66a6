import { GatewayError } from '../../errors.ts'
import { note } from '../dispatch.ts'
import type { HttpExchange } from '../exchange.ts'
import { type Answer, UpstreamFailure } from '../forward.ts'
import type { Target } from '../plan.ts'
import type { SettleParts } from '../settle.ts'
import { readWhole } from './read-whole.ts'

/**
 * The provider's whole answer as text, with its try noted. Throws `upstream_cut` (also where it is longer than `mostBytes`),
 * `upstream_timeout`, `client_closed`.
 */
export async function takeWhole(
  parts: SettleParts,
  exchange: HttpExchange,
  target: Target,
  answer: Answer,
  mostBytes: number,
): Promise<string> {
  exchange.firstByteMs = answer.firstByteAt === 0 ? null : answer.firstByteAt - exchange.startedMs
  const text = await readWhole(answer, mostBytes).catch((failure) => {
    note(parts, exchange, target, answer, failure)
    throw toReadError(failure, exchange)
  })
  note(parts, exchange, target, answer, null)
  return text
}

function toReadError(failure: unknown, exchange: HttpExchange): GatewayError {
  if (exchange.clientGone) return new GatewayError('client_closed', { cause: failure })
  const kind = failure instanceof UpstreamFailure ? failure.kind : 'cut'
  return new GatewayError(kind === 'timeout' ? 'upstream_timeout' : 'upstream_cut', { cause: failure })
}
