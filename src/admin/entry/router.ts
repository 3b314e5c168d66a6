import { type RequestHandler, Router } from 'express'
import type { AppContext } from '../../context.ts'
import { setCookie } from '../frame/cookies.ts'
import { createForm } from '../frame/form.ts'
import { safeTarget } from '../frame/safe-target.ts'
import { oidcRoutes } from './oidc.ts'
import { setupRoutes } from './setup.ts'
import { signInRoutes } from './sign-in.ts'
import { signOut } from './sign-out.ts'

const YEAR_MS = 365 * 86_400_000

/** What is open to who has not signed in. */
export function entryRouter(ctx: AppContext): Router {
  const router = Router({ caseSensitive: true })
  router.use(setupRoutes(ctx))
  router.use(signInRoutes(ctx))
  router.use(oidcRoutes(ctx))
  router.post('/sign-out', signOut(ctx))
  router.post('/theme', setTheme)
  return router
}

/** Harmless, whoever asks for it: hence no token. */
const setTheme: RequestHandler = (req, res) => {
  const form = createForm((req.body ?? {}) as Record<string, unknown>)
  const theme = ['light', 'dark'].includes(form.text('theme')) ? form.text('theme') : 'auto'
  setCookie(req, res, 'theme', theme, { maxAgeMs: YEAR_MS })
  res.redirect(303, safeTarget(form.text('to')))
}
