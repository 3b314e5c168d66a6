import type { Request, Response } from 'express'
import type { AppContext } from '../../context.ts'
import { findSession } from '../../domain/admin-sessions.ts'
import type { AdminSession, AdminUser } from '../../store/store.ts'
import { readCookie, setCookie } from './cookies.ts'

/** Who has signed in, with the secret of the session's cookie. */
export type Visitor = { user: AdminUser; session: AdminSession; secret: string }

const SECRET_SHAPE = /^[A-Za-z0-9_-]{43}$/

/** Null: nobody has signed in, or the session is over. `quiet`: the page asks by itself, which keeps no session alive. */
export async function findVisitor(
  { store, admin, now }: AppContext,
  req: Request,
  { quiet = false } = {},
): Promise<Visitor | null> {
  const secret = readCookie(req, 'session')
  if (secret === null || !SECRET_SHAPE.test(secret)) return null
  const found = await findSession({ store, now, sessionLimits: admin.sessionLimits }, secret, { quiet })
  return found && { ...found, secret }
}

export function keepSession(req: Request, res: Response, secret: string, { admin }: AppContext): void {
  setCookie(req, res, 'session', secret, { maxAgeMs: admin.sessionLimits.totalMs })
}
