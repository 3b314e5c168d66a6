import type { Request, Response } from 'express'
import type { Sealer } from '../../../domain/secrets.ts'
import { clearCookie, readCookie, setCookie } from '../../frame/cookies.ts'
import { createSealedNotes } from '../../frame/sealed-note.ts'

/** What is kept while somebody is away at the identity provider: nothing of it is known to anybody but this browser and the gateway. */
export type Transaction = { state: string; nonce: string; verifier: string; to: string }

const notes = createSealedNotes('oidc', ['state', 'nonce', 'verifier', 'to'], 10 * 60_000)

/** In a cookie, sealed: it comes back from another site, hence `lax`. */
export function keepTransaction(
  req: Request,
  res: Response,
  { sealer, now }: { sealer: Sealer; now(): number },
  transaction: Transaction,
): void {
  const sealed = notes.seal(sealer, transaction, now())
  setCookie(req, res, 'oidc', sealed, { sameSite: 'lax', maxAgeMs: notes.patienceMs })
}

/** Once. Null: there is none, it is too old, or not ours. */
export function takeTransaction(req: Request, res: Response, sealer: Sealer, now: number): Transaction | null {
  const sealed = readCookie(req, 'oidc')
  clearCookie(req, res, 'oidc')
  return sealed ? notes.open(sealer, sealed, now) : null
}
