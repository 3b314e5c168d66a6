import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** An OpenID Connect provider on loopback, which says what a test wants it to say. */
export type OidcProvider = {
  issuer: string
  /** What goes wrong, or is otherwise, from now on. */
  script: Script
  /** What tokens were asked for with: the bodies, and how the client proved itself. */
  asked: { body: URLSearchParams; authorization: string | undefined }[]
  /** What somebody does who signs in there: the address that they are sent back to. Browsers are sent there at once. */
  signIn(authorizationUrl: string): string
  close(): Promise<void>
}

type Script = {
  claims: Record<string, unknown>
  userinfo: Record<string, unknown> | null
  /** In place of the claim that was asked for. */
  nonce?: string
  issuer?: string
  audience?: string
  expiresInS?: number
  /** Signs with a key that it does not publish. */
  foreignKey?: boolean
  tokenError?: { status: number; error: string }
  methods?: string[]
}

type Grant = { challenge: string; nonce: string; redirectUri: string }

export const CLIENT = { id: 'llm-proxy', secret: 'oidc-client-secret-0123456789' }

/** `host`: `localhost` is another site than the gateway's 127.0.0.1. */
export async function startOidcProvider(host = '127.0.0.1'): Promise<OidcProvider> {
  const keys = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const others = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const grants = new Map<string, Grant>()
  const asked: OidcProvider['asked'] = []
  const script: Script = { claims: {}, userinfo: null }
  let issuer = ''
  let codes = 0

  const grant = (authorizationUrl: string): URL => {
    const { searchParams: sent } = new URL(authorizationUrl)
    const code = `code-${++codes}`
    const redirectUri = sent.get('redirect_uri')!
    grants.set(code, { challenge: sent.get('code_challenge')!, nonce: sent.get('nonce')!, redirectUri })
    const back = new URL(redirectUri)
    back.search = String(new URLSearchParams({ code, state: sent.get('state')! }))
    return back
  }

  const server = createServer(async (req, res) => {
    const send = (status: number, body: object) =>
      res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    if (req.url === '/.well-known/openid-configuration') {
      return send(200, {
        issuer: script.issuer ?? issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/jwks`,
        userinfo_endpoint: `${issuer}/userinfo`,
        response_types_supported: ['code'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['RS256'],
        ...(script.methods && { token_endpoint_auth_methods_supported: script.methods }),
      })
    }
    if (req.url === '/jwks') {
      const jwk = createPublicKey(keys.privateKey).export({ format: 'jwk' })
      return send(200, { keys: [{ ...jwk, kid: 'one', use: 'sig', alg: 'RS256' }] })
    }
    if (req.url === '/userinfo') {
      const { sub } = script.claims
      return send(200, { sub, ...script.userinfo })
    }
    if (req.url?.startsWith('/authorize?'))
      return res.writeHead(303, { location: grant(`${issuer}${req.url}`).href }).end()
    if (req.url !== '/token') return send(404, {})
    let text = ''
    for await (const piece of req) text += piece
    const body = new URLSearchParams(text)
    asked.push({ body, authorization: req.headers.authorization })
    if (script.tokenError) return send(script.tokenError.status, { error: script.tokenError.error })
    const code = body.get('code') ?? ''
    const granted = grants.get(code)
    // Once, and only by who began it: RFC 6749, 4.1.2, and RFC 7636, 4.6.
    grants.delete(code)
    const challenge = createHash('sha256')
      .update(body.get('code_verifier') ?? '')
      .digest('base64url')
    if (!granted || granted.challenge !== challenge || granted.redirectUri !== body.get('redirect_uri'))
      return send(400, { error: 'invalid_grant' })
    const now = Math.floor(Date.now() / 1000)
    const claims = {
      iss: issuer,
      aud: script.audience ?? CLIENT.id,
      iat: now,
      exp: now + (script.expiresInS ?? 300),
      nonce: script.nonce ?? granted.nonce,
      ...script.claims,
    }
    const { privateKey } = script.foreignKey ? others : keys
    send(200, { access_token: 'at-secret-of-the-test', token_type: 'bearer', id_token: jwtOf(claims, privateKey) })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  issuer = `http://${host}:${(server.address() as AddressInfo).port}`

  return {
    issuer,
    script,
    asked,
    signIn(authorizationUrl) {
      const back = grant(authorizationUrl)
      return back.pathname + back.search
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function jwtOf(claims: object, key: KeyObject): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const text = `${part({ alg: 'RS256', typ: 'JWT', kid: 'one' })}.${part(claims)}`
  return `${text}.${sign('RSA-SHA256', Buffer.from(text), key).toString('base64url')}`
}
