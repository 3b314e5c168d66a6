import { inspect } from 'node:util'
import { afterEach, describe, expect, it } from '@jest/globals'
import type { Config } from '../../../src/config/config.ts'
import { createStaticCallers } from '../../../src/proxy/static-callers.ts'
import type { Project, Store } from '../../../src/store/store.ts'
import { PROVIDER_KEY, startTestGateway, type TestGateway } from '../../helpers/gateway.ts'
import { ask, chat } from '../../helpers/http.ts'
import { startUpstream, type Upstream } from '../../helpers/upstream.ts'

const KEYS = ['team-key-one-0001', 'sk-team-key-two-0002']
let upstream: Upstream
let gateway: TestGateway

async function start(config: Partial<Config>) {
  upstream = await startUpstream()
  gateway = await startTestGateway({ upstream: upstream.url, config })
}
afterEach(async () => {
  await gateway?.stop()
  await upstream?.close()
})
const stamp = {
  id: 'aud_s',
  at: 1,
  actor: 'x',
  ip: null,
  userAgent: null,
  action: 'x',
  targetId: null,
  projectId: null,
  outcome: 'success' as const,
  reason: null,
}

describe('a key of PROXY_API_KEYS', () => {
  it('lets its holder in, with the operator’s provider key, and is booked to the project default under its own name', async () => {
    await start({ proxyApiKeys: KEYS })
    for (const key of KEYS) expect((await chat(gateway.baseUrl, key)).status).toBe(200)
    expect(upstream.seen.every(({ headers }) => headers.authorization === `Bearer ${PROVIDER_KEY}`)).toBe(true)
    const rows = await gateway.rows()
    expect(rows.map(({ projectId }) => projectId)).toEqual([gateway.projectId, gateway.projectId])
    expect(new Set(rows.map(({ tokenId }) => tokenId)).size).toBe(2)
    expect(rows[0]!.tokenId).toMatch(/^tok_static-[0-9a-f]{12}$/)
    expect(inspect(rows, { depth: null }) + gateway.logs()).not.toContain(KEYS[0])
  })

  it('is refused when it is not quite right, and without one', async () => {
    await start({ proxyApiKeys: KEYS })
    for (const wrong of ['team-key-one-000', 'team-key-one-00011', 'TEAM-KEY-ONE-0001', 'constructor', '']) {
      expect([wrong, (await chat(gateway.baseUrl, wrong)).status]).toEqual([wrong, 401])
    }
    expect((await ask(`${gateway.baseUrl}/models`)).status).toBe(401)
    expect(upstream.seen).toHaveLength(0)
  })

  it('goes on beside proxy tokens, and works in every header that SDKs use', async () => {
    await start({ proxyApiKeys: KEYS })
    const { secret } = await gateway.token()
    expect((await chat(gateway.baseUrl, secret)).status).toBe(200)
    for (const name of ['x-api-key', 'x-goog-api-key']) {
      expect((await ask(`${gateway.baseUrl}/files`, { headers: { [name]: KEYS[0]! } })).status).toBe(200)
    }
    expect((await ask(`${gateway.baseUrl}/files?key=${KEYS[0]}&limit=1`)).status).toBe(200)
    expect(upstream.seen.at(-1)!.url).toBe('/v1/files?limit=1')
  })

  it('does what the project default allows, as it stands now', async () => {
    await start({ proxyApiKeys: KEYS })
    expect((await chat(gateway.baseUrl, KEYS[0]!)).status).toBe(200)
    const { projects } = gateway.ctx.store
    await projects.update(gateway.projectId, { allowedModels: ['o3'] }, 1, stamp)
    expect((await chat(gateway.baseUrl, KEYS[0]!)).status).toBe(403)
    await projects.update(gateway.projectId, { isActive: false, allowedModels: null }, 1, { ...stamp, id: 'aud_t' })
    expect(JSON.parse((await chat(gateway.baseUrl, KEYS[0]!)).body.toString())).toMatchObject({
      error: { code: 'project_inactive' },
    })
  })

  it('is under the usual rate limit, each on its own', async () => {
    await start({ proxyApiKeys: KEYS, rateLimit: { requests: 2, windowSeconds: 60 } })
    const statuses: number[] = []
    for (const key of [KEYS[0]!, KEYS[0]!, KEYS[0]!, KEYS[1]!]) statuses.push((await chat(gateway.baseUrl, key)).status)
    expect(statuses).toEqual([200, 200, 429, 200])
  })
})

describe('with DISABLE_AUTH', () => {
  it('everybody is let in, with or without a credential, and booked as anonymous', async () => {
    await start({ disableAuth: true })
    expect((await ask(`${gateway.baseUrl}/files`)).status).toBe(200)
    expect((await chat(gateway.baseUrl, 'anything')).status).toBe(200)
    expect((await ask(`${gateway.baseUrl}/files`, { headers: { authorization: 'Basic eHg6eXk=' } })).status).toBe(200)
    const rows = await gateway.rows()
    expect(rows.map(({ tokenId }) => tokenId)).toEqual(Array(3).fill('tok_anonymous'))
    expect(upstream.seen.every(({ headers }) => headers.authorization === `Bearer ${PROVIDER_KEY}`)).toBe(true)
  })

  it('a token and a static key are still who they are', async () => {
    await start({ disableAuth: true, proxyApiKeys: KEYS })
    const { secret, token } = await gateway.token({ allowedModels: ['o3'] })
    expect((await chat(gateway.baseUrl, secret)).status).toBe(403)
    await chat(gateway.baseUrl, KEYS[0]!)
    expect((await gateway.rows()).map(({ tokenId }) => tokenId)).toEqual([
      token.id,
      expect.stringContaining('tok_static-'),
    ])
  })

  it('a revoked token is not let in as anybody', async () => {
    await start({ disableAuth: true })
    const { secret, token } = await gateway.token()
    await gateway.ctx.store.tokens.revoke(token.id, 1, stamp)
    expect((await chat(gateway.baseUrl, secret)).status).toBe(401)
  })
})

it('a static key never goes by an old project: one that changed while it was read is read again', async () => {
  const active = { id: 'proj_d', name: 'default', isActive: true, createdAt: 0 } as Project
  let current = active
  let revision = 1
  const store = {
    revision: () => revision,
    projects: {
      findByName: async () => {
        const answer = current
        // Another process switches the project off just behind this read.
        if (current.isActive) {
          current = { ...active, isActive: false }
          revision++
        }
        return answer
      },
    },
  } as unknown as Store
  const statics = createStaticCallers({ config: { proxyApiKeys: KEYS, disableAuth: false }, store, now: () => 0 })
  await statics.find(KEYS[0]!)
  expect((await statics.find(KEYS[0]!))?.project.isActive).toBe(false)
})
