import { DEFAULT_PROJECT } from '../src/domain/default-project.ts'
import { generateToken, hashToken, last4 } from '../src/domain/secrets.ts'
import { newId } from '../src/ids.ts'
import { openStore } from '../src/store/open.ts'
import type { Token } from '../src/store/store.ts'

/** Never reached, so that every limit is kept and none refuses. */
const LIMITS: Token['rateLimit'] = {
  requestsPerMinute: 1_000_000_000,
  tokensPerMinute: 1_000_000_000_000,
  concurrentRequests: 1_000_000,
}

/** New proxy tokens in the gateway's data folder: one with rate limits, one with `max_requests` besides. */
export async function createTokens(
  dataDir: string,
  allowedModels = ['gpt-*'],
): Promise<{ limited: string; capped: string }> {
  const store = await openStore({ dataDir })
  try {
    const project = await store.projects.findByName(DEFAULT_PROJECT)
    if (!project) throw new Error(`There is no project "${DEFAULT_PROJECT}" in ${dataDir}.`)
    const create = async (name: string, maxRequests: number | null) => {
      const secret = generateToken()
      const now = Date.now()
      const token: Token = {
        id: newId('tok'),
        projectId: project.id,
        name,
        hash: hashToken(secret),
        last4: last4(secret),
        expiresAt: now + 86_400_000,
        maxRequests,
        rateLimit: LIMITS,
        budgets: null,
        allowedModels,
        allowedEndpoints: null,
        allowedIps: null,
        metadata: {},
        requestCount: 0,
        lastUsedAt: null,
        isActive: true,
        revokedAt: null,
        createdAt: now,
        updatedAt: now,
      }
      await store.tokens.create(token, {
        id: newId('aud'),
        at: now,
        actor: 'system',
        ip: null,
        userAgent: null,
        action: 'token.create',
        targetId: token.id,
        projectId: project.id,
        outcome: 'success',
        reason: null,
      })
      return secret
    }
    return { limited: await create('bench', null), capped: await create('bench-capped', 1_000_000_000) }
  } finally {
    await store.close()
  }
}
