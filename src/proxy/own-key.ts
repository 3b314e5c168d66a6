import type { AppContext } from '../context.ts'
import { GatewayError } from '../errors.ts'
import { note } from './dispatch.ts'
import type { Exchange } from './exchange.ts'
import type { Answer } from './forward.ts'
import type { Target } from './plan.ts'
import { LONGEST_ERROR, readError } from './read-error.ts'
import { readText } from './read-text.ts'
import type { Translation } from './translate/translation.ts'

/**
 * The provider does not know *our* key. Most say 401; Gemini calls it an invalid argument. What has to be translated is read, and
 * judged, as a whole anyway. The answer is not taken.
 */
export async function isAboutOwnKey(
  { provider }: Target,
  answer: Answer,
  translation: Translation | null,
): Promise<boolean> {
  if (answer.status === 401) return true
  if (answer.status !== 400 || translation !== null) return false
  return (await readError(answer, provider.speaks[0]!.dialect)).kind === 'authentication'
}

/** The caller's key is not at fault, and he must not be told that it is. Always throws `upstream_auth_failed`. */
export async function refuseOwnKey(
  parts: Pick<AppContext, 'metrics'>,
  exchange: Exchange,
  target: Target,
  answer: Answer,
): Promise<never> {
  // Masked before it is cut: half a key would no longer be known for one.
  const said = (await readText(answer, LONGEST_ERROR)).replaceAll(target.key, '[redacted]').slice(0, 2_000)
  note(parts, exchange, target, answer, answer.failure)
  const cause = new Error(`${target.provider.name} answered ${answer.status}: ${said}`)
  throw new GatewayError('upstream_auth_failed', { headers: { 'x-should-retry': 'false' }, cause })
}
