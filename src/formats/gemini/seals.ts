import { isOwnSeal, markSeal, type Sealed, unmarkSeal } from '../seals.ts'

/*
 * `thoughtSignature` is the provider's seal on a part, and the one place where a client of this dialect keeps anything for it. The
 * seals of others travel there too, wrapped: it has to be base64, which some SDKs decode and write again in another alphabet.
 */

/** Passes for the seal of a call whose own one nobody has. Source: ai.google.dev/gemini-api/docs/thought-signatures; wire facts 2.3. */
export const ANY_SEAL = Buffer.from('skip_thought_signature_validator').toString('base64')

/** As long as base64 needs to keep them recognizable. */
const WRAPPED = { signature: 'sealed-text:', redacted: 'sealed-data:' } as const
const HEADS = {
  signature: Buffer.from(WRAPPED.signature).toString('base64'),
  redacted: Buffer.from(WRAPPED.redacted).toString('base64'),
}

export type Seal = Sealed & { signature?: string; redacted?: string }

export function readSeal(thoughtSignature: unknown): Seal {
  if (typeof thoughtSignature !== 'string' || thoughtSignature === '' || thoughtSignature === ANY_SEAL) return {}
  for (const kind of ['signature', 'redacted'] as const)
    if (thoughtSignature.startsWith(HEADS[kind])) {
      const kept = Buffer.from(thoughtSignature, 'base64').toString('utf8').slice(WRAPPED[kind].length)
      const { seal, sealedIn } = unmarkSeal(kept, 'gemini')
      return { [kind]: seal, sealedIn }
    }
  return { signature: thoughtSignature, sealedIn: 'gemini' }
}

/** Of a call, which has no sealed text in its place. */
export function readCallSeal(thoughtSignature: unknown): Omit<Seal, 'redacted'> {
  const { signature, sealedIn } = readSeal(thoughtSignature)
  return signature === undefined ? {} : { signature, sealedIn }
}

/** For a client, whosever it is. */
export function writeSeal(seal: Seal): string | null {
  const { signature, redacted } = seal
  if (redacted !== undefined) return wrap(WRAPPED.redacted + markSeal(redacted, seal, 'gemini'))
  if (signature === undefined || isOwnSeal(seal, 'gemini')) return signature ?? null
  return wrap(WRAPPED.signature + markSeal(signature, seal, 'gemini'))
}

const wrap = (text: string) => Buffer.from(text).toString('base64')
