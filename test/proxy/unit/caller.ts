import type { Caller, OpenKey } from '../../../src/domain/token-index.ts'
import type { Project, Token } from '../../../src/store/store.ts'

/** A caller who may do everything, but for what is said here. */
export function caller({
  keys = [],
  token = {},
  project = {},
}: {
  keys?: OpenKey[]
  token?: Partial<Token>
  project?: Partial<Project>
} = {}): Caller {
  return {
    keys,
    ipList: null,
    token: {
      id: 'tok_1',
      projectId: 'proj_1',
      name: null,
      hash: '',
      last4: '0000',
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
      createdAt: 0,
      updatedAt: 0,
      ...token,
    },
    project: {
      id: 'proj_1',
      name: 'p',
      isActive: true,
      allowedModels: null,
      rateLimit: null,
      budgets: null,
      metadata: {},
      createdAt: 0,
      updatedAt: 0,
      ...project,
    },
  }
}

export const ownKey = (provider: string, secret: string, weight = 1): OpenKey => ({
  id: `key_${secret}`,
  provider,
  secret,
  weight,
})
