import type { HubReasoningPart } from '../hub.ts'
import { markSeal, type Sealed, unmarkSeal } from '../seals.ts'

/*
 * `encrypted_content` is the one place of this dialect that every client keeps and sends back as it is. The seal of a thought stands
 * there as its provider made it. What this dialect does not know (that there is nothing but a seal, or that it is a call's) is marked as
 * well, before the mark of its maker.
 */

const REDACTED = 'redacted:'
const CALL = 'call:'

/** `call`: the id of the tool call that is sealed. */
export type CallSeal = { call: string; seal: Sealed & { signature: string } }
type ThoughtSeal = Sealed & ({ signature: string } | { redacted: string })

/** Of a thought, or of a call. */
export function readSeal(content: string): { thought: ThoughtSeal | null; call: CallSeal | null } {
  if (content === '') return { thought: null, call: null }
  if (content.startsWith(CALL)) {
    const [id = '', ...kept] = content.slice(CALL.length).split(':')
    const seal = readSignature(kept.join(':'))
    return { thought: null, call: { call: Buffer.from(id, 'base64url').toString(), seal } }
  }
  if (!content.startsWith(REDACTED)) return { thought: readSignature(content), call: null }
  const { signature: redacted, sealedIn } = readSignature(content.slice(REDACTED.length))
  return { thought: { redacted, sealedIn }, call: null }
}

/** Null: no seal. */
export function writeSeal(part: Pick<HubReasoningPart, 'signature' | 'redacted' | 'sealedIn'>): string | null {
  if (part.redacted !== undefined) return REDACTED + markSeal(part.redacted, part, 'openai-responses')
  return part.signature === undefined ? null : markSeal(part.signature, part, 'openai-responses')
}

export const writeCallSeal = (id: string, signature: string, sealed: Sealed): string =>
  `${CALL}${Buffer.from(id).toString('base64url')}:${markSeal(signature, sealed, 'openai-responses')}`

function readSignature(kept: string) {
  const { seal, sealedIn } = unmarkSeal(kept, 'openai-responses')
  return { signature: seal, sealedIn }
}
