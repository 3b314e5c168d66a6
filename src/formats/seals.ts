import type { DialectName } from './dialect.ts'

/*
 * A seal is read by the provider that made it and by nobody else: most refuse a request with a foreign one. In the hub `sealedIn` says
 * in whose dialect it was made, and by whom: OpenAI and Azure speak the same, and refuse each other's (`invalid_encrypted_content`,
 * github.com/openai/codex/issues/3573). Where a dialect has no place for that, the seal that its client keeps carries it:
 * `gemini@my-gemini:Eo0H…`. No provider's own seals have a colon (base64).
 */

/** A dialect, and, where it is known, a name of the provider, which means nothing here but itself. */
export type Sealer = DialectName | `${DialectName}@${string}`
export type Sealed = { sealedIn?: Sealer }

const MARK = /^((openai-chat|openai-responses|anthropic-messages|gemini)(?:@[\w.-]+)?):/

export const dialectOf = (sealer: Sealer): DialectName => sealer.split('@', 1)[0] as DialectName
/** Null: nobody says who. */
export const providerOf = (sealer: Sealer): string | null => /@(.*)$/.exec(sealer)?.[1] ?? null

/** Whether it was made in `dialect`, or nobody says where. */
export const isOwnSeal = ({ sealedIn }: Sealed, dialect: DialectName): boolean =>
  sealedIn === undefined || dialectOf(sealedIn) === dialect

/** The seal as a client of `dialect` keeps it. */
export const markSeal = (seal: string, sealed: Sealed, dialect: DialectName): string =>
  isOwnSeal(sealed, dialect) ? seal : `${sealed.sealedIn}:${seal}`

/** The seal as its provider made it, out of what a client of `dialect` kept. */
export function unmarkSeal(kept: string, dialect: DialectName): { seal: string; sealedIn: Sealer } {
  const match = MARK.exec(kept)
  if (!match) return { seal: kept, sealedIn: dialect }
  return { seal: kept.slice(match[0].length), sealedIn: match[1] as Sealer }
}
