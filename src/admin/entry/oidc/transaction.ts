import type { Request, Response } from 'express'
import type { Sealer } from '../../../domain/secrets.ts'
import { clearCookie, readCookie, setCookie } from '../../frame/cookies.ts'

/** What is kept while somebody is away at the identity provider: nothing of it is known to anybody but this browser and the gateway. */
export type Transaction = { state: string; nonce: string; verifier: string; to: string; at: number }

const KIND = 'oidc'
const PATIENCE_MS = 10 * 60_000

/** In a cookie, sealed: it comes back from another site, hence `lax`. */
export function keepTransaction(req: Request, res: Response, sealer: Sealer, transaction: Transaction): void {
  const sealed = sealer.seal(JSON.stringify({ kind: KIND, ...transaction }))
  setCookie(req, res, 'oidc', sealed, { sameSite: 'lax', maxAgeMs: PATIENCE_MS })
}

/** Once. Null: there is none, it is too old, or not ours. */
export function takeTransaction(req: Request, res: Response, sealer: Sealer, now: number): Transaction | null {
  const sealed = readCookie(req, 'oidc')
  clearCookie(req, res, 'oidc')
  const opened = sealed ? open(sealed, sealer) : null
  const age = opened === null ? -1 : now - opened.at
  return opened !== null && age >= 0 && age <= PATIENCE_MS ? opened : null
}

function open(sealed: string, sealer: Sealer): Transaction | null {
  try {
    const { kind, at, ...texts } = JSON.parse(sealer.open(sealed)) as Record<string, unknown>
    const { state, nonce, verifier, to } = texts
    const isOurs = kind === KIND && typeof at === 'number' && Object.values(texts).every((t) => typeof t === 'string')
    return isOurs ? ({ state, nonce, verifier, to, at } as Transaction) : null
  } catch {
    // Altered, or sealed by another key: the same as none.
    return null
  }
}
