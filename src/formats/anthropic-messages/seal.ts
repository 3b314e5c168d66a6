import type { DialectName } from '../dialect.ts'

/*
 * A thought's signature, as a client of this dialect keeps it. One that another provider's dialect made is marked with its name, so
 * that nobody but that provider is shown it again; the marks of base64 have no colon.
 */

const FOREIGN = /^(openai-chat|openai-responses|gemini):/

export const writeSeal = (seal: string, sealedIn: DialectName | undefined): string =>
  sealedIn === undefined || sealedIn === 'anthropic-messages' ? seal : `${sealedIn}:${seal}`

export function readSeal(seal: string): { seal: string; sealedIn: DialectName } {
  const match = FOREIGN.exec(seal)
  if (!match) return { seal, sealedIn: 'anthropic-messages' }
  return { seal: seal.slice(match[0].length), sealedIn: match[1] as DialectName }
}
