import type { Config } from '../config/config.ts'
import { ensureDefaultProject } from '../domain/default-project.ts'
import { hashToken, last4 } from '../domain/secrets.ts'
import type { Caller } from '../domain/token-index.ts'
import type { Project, Store } from '../store/store.ts'

/** Callers that are not in the database: static keys, or everybody when authentication is off. */
export type StaticCallers = {
  /** The caller behind a static key; with authentication off, the anonymous one. Null: neither. */
  find(key: string | null): Promise<Caller | null>
}

type Options = { config: Pick<Config, 'proxyApiKeys' | 'disableAuth'>; store: Store; now(): number }

/**
 * Callers of `PROXY_API_KEYS` and `DISABLE_AUTH`. They belong to the project `default`, as it stands in the database now, and use
 * the operator's keys.
 */
export function createStaticCallers({ config: { proxyApiKeys, disableAuth }, store, now }: Options): StaticCallers {
  // Looked up by hash, so that the time it takes tells nothing about the key.
  const names = new Map(
    proxyApiKeys.map((key) => [hashToken(key), { name: `static-${hashToken(key).slice(0, 12)}`, tail: last4(key) }]),
  )
  let project: Project | null = null
  let revision = -1

  const defaultProject = async (): Promise<Project> => {
    const current = store.revision()
    if (project === null || current !== revision) {
      // As of before the read: what changes meanwhile is read again.
      revision = current
      project = await ensureDefaultProject(store, now)
    }
    return project
  }

  return {
    async find(key) {
      const known = key === null || names.size === 0 ? undefined : names.get(hashToken(key))
      if (!known && !disableAuth) return null
      return staticCaller(await defaultProject(), known?.name ?? 'anonymous', known?.tail ?? '')
    },
  }
}

/** One without limits of its own, by no token of the database. */
export function staticCaller(project: Project, name: string, tail: string): Caller {
  const token = {
    id: `tok_${name}`,
    projectId: project.id,
    name,
    hash: '',
    last4: tail,
    expiresAt: null,
    maxRequests: null,
    rateLimit: null,
    budgets: null,
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
