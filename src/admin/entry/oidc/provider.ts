import type { Configuration } from 'openid-client'
import type { AdminConfig } from '../../../config/config.ts'

type Oidc = NonNullable<AdminConfig['oidc']>
type Library = typeof import('openid-client')

/** The identity provider as its own document describes it, with the library that talks to it. */
export type OidcProvider = { library: Library; configuration: Configuration }

const KEPT_MS = 3_600_000
const TIMEOUT_S = 10
/** Clocks differ. */
const TOLERANCE_S = 30

/** Asks the provider who it is when somebody signs in, once an hour. `find` rejects when it cannot be reached; then the next one asks again. */
export function createOidcProvider(oidc: Oidc, now: () => number): { find(): Promise<OidcProvider> } {
  let kept: { at: number; found: Promise<OidcProvider> } | null = null
  return {
    find() {
      const age = kept === null ? Number.POSITIVE_INFINITY : Math.abs(now() - kept.at)
      if (kept !== null && age < KEPT_MS) return kept.found
      const asked = { at: now(), found: discover(oidc) }
      kept = asked
      asked.found.catch(() => {
        if (kept === asked) kept = null
      })
      return asked.found
    },
  }
}

async function discover({ issuer, clientId, clientSecret }: Oidc): Promise<OidcProvider> {
  const library = await import('openid-client')
  const { discovery, Configuration, None, ClientSecretBasic, ClientSecretPost } = library
  const metadata = { [library.clockTolerance]: TOLERANCE_S }
  const server = new URL(issuer)
  const settle = (configuration: Configuration) => {
    configuration.timeout = TIMEOUT_S
    // Signatures are looked at although the token comes from the provider itself.
    library.enableNonRepudiationChecks(configuration)
  }
  // The library has to find its own function in this list.
  const execute = [settle, ...(isLoopback(server) ? [library.allowInsecureRequests] : [])]
  const found = await discovery(server, clientId, metadata, None(), { timeout: TIMEOUT_S, execute })
  if (clientSecret === null) return { library, configuration: found }
  // Where the document says nothing, it is `client_secret_basic`: OpenID Connect Discovery 1.0, 3.
  const takesPost = found.serverMetadata().token_endpoint_auth_methods_supported?.includes('client_secret_post')
  const proof = takesPost ? ClientSecretPost(clientSecret) : ClientSecretBasic(clientSecret)
  const configuration = new Configuration(found.serverMetadata(), clientId, metadata, proof)
  for (const apply of execute) apply(configuration)
  return { library, configuration }
}

/** The only place to which tokens go without TLS. */
export const isLoopback = ({ protocol, hostname }: URL): boolean =>
  protocol === 'http:' && /^(?:localhost|\[::1\]|127(?:\.\d{1,3}){3})$/.test(hostname)
