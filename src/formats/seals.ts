import type { DialectName } from './dialect.ts'

/*
 * A seal is read by the provider that made it and by nobody else: most refuse a request with a foreign one. In the hub `sealedIn` says
 * in whose dialect it was made. Where a dialect has no place for that, the seal that its client keeps carries it: `gemini:Eo0H…`. No
 * provider's own seals have a colon (base64).
 */

export type Sealed = { sealedIn?: DialectName }

const MARK = /^(openai-chat|openai-responses|anthropic-messages|gemini):/

/** Whether it was made in `dialect`, or nobody says where. */
export const isOwnSeal = ({ sealedIn }: Sealed, dialect: DialectName): boolean =>
  sealedIn === undefined || sealedIn === dialect

/** The seal as a client of `dialect` keeps it. */
export const markSeal = (seal: string, sealed: Sealed, dialect: DialectName): string =>
  isOwnSeal(sealed, dialect) ? seal : `${sealed.sealedIn}:${seal}`

/** The seal as its provider made it, out of what a client of `dialect` kept. */
export function unmarkSeal(kept: string, dialect: DialectName): { seal: string; sealedIn: DialectName } {
  const match = MARK.exec(kept)
  if (!match) return { seal: kept, sealedIn: dialect }
  return { seal: kept.slice(match[0].length), sealedIn: match[1] as DialectName }
}
