import type { HubReasoningPart } from '../hub.ts'

/*
 * `encrypted_content` is the one place of this dialect that every client keeps and sends back as it is. The seal of a thought stands
 * there as its provider made it. Other seals, which this dialect does not know, are marked with a colon, which no seal has in it.
 */

const REDACTED = 'redacted:'
const CALL = 'call:'

/** `call`: the id of the tool call that is sealed. */
export type CallSeal = { call: string; signature: string }
type ThoughtSeal = { signature: string } | { redacted: string }

/** Of a thought, or of a call. */
export function readSeal(content: string): { thought: ThoughtSeal | null; call: CallSeal | null } {
  if (content === '') return { thought: null, call: null }
  if (content.startsWith(REDACTED)) return { thought: { redacted: content.slice(REDACTED.length) }, call: null }
  if (!content.startsWith(CALL)) return { thought: { signature: content }, call: null }
  const [id = '', ...signature] = content.slice(CALL.length).split(':')
  return { thought: null, call: { call: Buffer.from(id, 'base64url').toString(), signature: signature.join(':') } }
}

/** Null: no seal. */
export const writeSeal = ({ signature, redacted }: Pick<HubReasoningPart, 'signature' | 'redacted'>): string | null =>
  redacted === undefined ? (signature ?? null) : REDACTED + redacted

export const writeCallSeal = (id: string, signature: string): string =>
  `${CALL}${Buffer.from(id).toString('base64url')}:${signature}`
