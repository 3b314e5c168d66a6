import type { Config } from '../config/config.ts'
import { hashToken, last4 } from '../domain/secrets.ts'
import type { Caller } from '../domain/token-index.ts'
import type { Project } from '../store/store.ts'
import type { StaticCallers } from './authenticate.ts'

/** Callers of `PROXY_API_KEYS` and `DISABLE_AUTH`. They belong to the project `default` and use the operator's keys. */
export function createStaticCallers(
  { proxyApiKeys, disableAuth }: Pick<Config, 'proxyApiKeys' | 'disableAuth'>,
  project: Project,
): StaticCallers {
  const byHash = new Map(
    proxyApiKeys.map((key) => [
      hashToken(key),
      staticCaller(project, `static-${hashToken(key).slice(0, 12)}`, last4(key)),
    ]),
  )
  return {
    // Looked up by hash, so that the time it takes tells nothing about the key.
    byKey: (key) => (byHash.size === 0 ? null : (byHash.get(hashToken(key)) ?? null)),
    anyone: disableAuth ? staticCaller(project, 'anonymous', '') : null,
  }
}

function staticCaller(project: Project, name: string, tail: string): Caller {
  const token = {
    id: `tok_${name}`,
    projectId: project.id,
    name,
    hash: '',
    last4: tail,
    expiresAt: null,
    maxRequests: null,
    rateLimit: null,
    allowedModels: null,
    allowedEndpoints: null,
    allowedIps: null,
    metadata: {},
    requestCount: 0,
    lastUsedAt: null,
    isActive: true,
    revokedAt: null,
    createdAt: project.createdAt,
    updatedAt: project.createdAt,
  }
  return { token, project, keys: [], ipList: null }
}
