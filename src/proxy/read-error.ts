import type { DialectName } from '../formats/dialect.ts'
import { DIALECTS } from '../formats/dialects.ts'
import type { HubError } from '../formats/hub.ts'
import type { Answer } from './forward.ts'

/** Bytes. No provider says more of an error. */
export const LONGEST_ERROR = 64 * 1024

/** What the provider says of its error. The answer is not taken: it still waits for its receiver. */
export async function readError(answer: Answer, dialect: DialectName): Promise<HubError> {
  const said = (await answer.peek(LONGEST_ERROR)).toString('utf8')
  return DIALECTS[dialect]!.parseError(answer.status, parse(said))
}

/** A page of something in between is no JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
