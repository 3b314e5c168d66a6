import { type Request, type Response, Router } from 'express'
import type { AppContext } from '../../context.ts'
import { openSession } from '../../domain/admin-sessions.ts'
import { findOrCreateOidcUser, type Identity, type OidcSettings } from '../../domain/oidc-users.ts'
import { beginAttempt } from '../../domain/prove.ts'
import { GatewayError } from '../../errors.ts'
import { createForm } from '../frame/form.ts'
import { safeTarget } from '../frame/safe-target.ts'
import { keepSession } from '../frame/session.ts'
import { sendBare } from '../frame/shell.ts'
import { clientOf, originOf } from '../frame/visit.ts'
import { explainFailure, type OidcFailure } from './oidc/failure.ts'
import { createOidcProvider, type OidcProvider } from './oidc/provider.ts'
import { keepTransaction, type Transaction, takeTransaction } from './oidc/transaction.ts'

/**
 * `/oidc`: single sign-on by OpenID Connect, the authorization code flow with PKCE. `start` sends the visitor to the provider, `callback`
 * is where the provider sends them back to.
 */
export function oidcRoutes(ctx: AppContext): Router {
  const router = Router({ caseSensitive: true })
  const { oidc } = ctx.config.admin
  if (oidc === null) return router
  const provider = createOidcProvider(oidc, ctx.now)

  router.get('/oidc/start', async (req, res) => {
    const to = safeTarget(createForm(req.query).text('to'))
    const found = await provider.find().catch(explainFailure)
    if ('message' in found) return refuse(ctx, req, res, found)
    const { library, configuration } = found
    const transaction: Transaction = {
      state: library.randomState(),
      nonce: library.randomNonce(),
      verifier: library.randomPKCECodeVerifier(),
      to,
    }
    keepTransaction(req, res, ctx, transaction)
    const address = library.buildAuthorizationUrl(configuration, {
      redirect_uri: redirectUriOf(ctx, req),
      scope: oidc.scopes,
      state: transaction.state,
      nonce: transaction.nonce,
      code_challenge: await library.calculatePKCECodeChallenge(transaction.verifier),
      code_challenge_method: 'S256',
    })
    res.redirect(303, address.href)
  })

  router.get('/oidc/callback', async (req, res) => {
    const transaction = takeTransaction(req, res, ctx.sealer, ctx.now())
    if (transaction === null) return refuse(ctx, req, res, EXPIRED)
    const attempt = beginAttempt(ctx.admin.throttle, undefined, req.ip ?? null)
    const identity = await provider
      .find()
      .then((found) => identify(found, oidc, callbackUrl(ctx, req), transaction))
      .catch(explainFailure)
    // Guessing is what is slowed down, not a provider that fails.
    if (!('message' in identity) || identity.status !== 401) attempt.undo()
    if ('message' in identity) return refuse(ctx, req, res, identity)
    const client = clientOf(req)
    const outcome = await findOrCreateOidcUser({ ...ctx, oidc, recordDenied: ctx.admin.recordDenied }, client, identity)
    // The domain has written it down.
    if (outcome.outcome === 'refused') return show(req, res, { status: 403, message: outcome.message })
    const { sessionLimits } = ctx.admin
    const { secret } = await openSession({ ...ctx, sessionLimits }, outcome.user, 'oidc', client).catch(explainGone)
    keepSession(req, res, secret, ctx)
    // A redirect would belong to the journey that began at the provider, on which browsers keep the session's cookie back.
    res.set('refresh', `0; url=${transaction.to}`)
    sendBare(req, res, 200, { title: 'Signed in', view: 'oidc-done', locals: { to: transaction.to } })
  })
  return router
}

/** Trades the code for who it is. Rejects with errors of openid-client, when anything does not fit. */
async function identify(
  { library, configuration }: OidcProvider,
  { nameClaim, roleClaim }: OidcSettings,
  url: URL,
  { state, nonce, verifier }: Transaction,
): Promise<Identity> {
  const tokens = await library.authorizationCodeGrant(configuration, url, {
    expectedState: state,
    expectedNonce: nonce,
    pkceCodeVerifier: verifier,
    idTokenExpected: true,
  })
  const claims = tokens.claims()!
  const { issuer, userinfo_endpoint: more } = configuration.serverMetadata()
  // A role claim may be a path: its first step is what stands in the token.
  const wanted = [
    nameClaim,
    ...(roleClaim === null || Object.hasOwn(claims, roleClaim) ? [] : [roleClaim.split('.')[0]!]),
  ]
  if (more === undefined || wanted.every((name) => Object.hasOwn(claims, name))) return { issuer, claims }
  // Some providers keep the token short, and tell the rest when they are asked.
  const told = await library.fetchUserInfo(configuration, tokens.access_token, claims.sub)
  return { issuer, claims: { ...told, ...claims } }
}

const EXPIRED: OidcFailure = {
  status: 400,
  reason: 'no_transaction',
  message: 'This sign-in took too long, was finished already, or was begun in another browser. Start again.',
}

async function refuse(ctx: AppContext, req: Request, res: Response, failure: OidcFailure): Promise<void> {
  ctx.log.warn('single sign-on failed', { reason: failure.reason })
  const nobody = { name: 'anonymous', ...clientOf(req) }
  await ctx.admin.recordDenied(nobody, { action: 'admin.sign_in' }, failure.reason, { method: 'oidc' })
  show(req, res, failure)
}

const show = (req: Request, res: Response, { status, message }: { status: number; message: string }) =>
  sendBare(req, res, status, { title: 'Not signed in', view: 'oidc-failed', locals: { message } })

/** Deleted or switched off in this very moment. */
function explainGone(error: unknown): never {
  const isGone = error instanceof GatewayError && error.code === 'not_found'
  throw isGone
    ? new GatewayError('forbidden', { message: 'Your user may not sign in (any more).', cause: error })
    : error
}

/** As it has to be registered with the provider. */
const redirectUriOf = (ctx: AppContext, req: Request): string => `${originOf(ctx, req)}/admin/oidc/callback`

/** What the provider appended, at the address that it knows. */
function callbackUrl(ctx: AppContext, req: Request): URL {
  const url = new URL(redirectUriOf(ctx, req))
  url.search = new URL(req.originalUrl, 'http://host').search
  return url
}
