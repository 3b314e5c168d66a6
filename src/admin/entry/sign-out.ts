import type { RequestHandler } from 'express'
import type { AppContext } from '../../context.ts'
import { closeSession } from '../../domain/admin-sessions.ts'
import { clearCookie } from '../frame/cookies.ts'
import { csrfToken, requireOwnForm } from '../frame/csrf.ts'
import { createForm } from '../frame/form.ts'
import { leaveNotice } from '../frame/notice.ts'
import { findVisitor } from '../frame/session.ts'
import { createVisit } from '../frame/visit.ts'

/** Ends the session here and in the store, and takes what the browser keeps of it. */
export function signOut(ctx: AppContext): RequestHandler {
  return async (req, res) => {
    const visitor = await findVisitor(ctx, req)
    if (visitor !== null) {
      requireOwnForm(ctx, req, createForm((req.body ?? {}) as Record<string, unknown>), csrfToken(visitor.secret))
      await closeSession(ctx, createVisit(ctx, req, visitor).actor, visitor.session)
    }
    clearCookie(req, res, 'session')
    leaveNotice(req, res, 'You are signed out.')
    res.redirect(303, '/admin/sign-in')
  }
}
