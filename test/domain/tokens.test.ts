import { describe, expect, it } from '@jest/globals'
import { hashToken } from '../../src/domain/secrets.ts'
import { createToken, deleteToken, revokeProjectTokens, revokeToken, updateToken } from '../../src/domain/tokens.ts'
import { actor, expectInvalid, given, MINUTE_MS, NOON } from './given.ts'

describe('a token', () => {
  it('is shown once: the database and the audit log have its hash at the most', async () => {
    const { parts, store, project, audited } = await given()
    const { id } = await project()
    const { token, secret } = await createToken(parts, actor, { project_id: id })
    expect(secret).toMatch(/^sk-[A-Za-z0-9_-]{43}$/)
    expect(token).toEqual({
      id: expect.stringMatching(/^tok_/),
      projectId: id,
      name: null,
      budgets: null,
      hash: hashToken(secret),
      last4: secret.slice(-4),
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
      createdAt: NOON,
      updatedAt: NOON,
    })
    expect(await store.tokens.get(token.id)).toEqual(token)
    const trail = JSON.stringify(await audited('token.create'))
    expect(trail).toContain(token.id)
    expect(trail).not.toContain(secret)
    expect(trail).not.toContain(token.hash)
  })

  it('keeps all that was asked for', async () => {
    const { token } = await given()
    const made = await token({
      name: 'ci',
      expires_at: '2026-11-21T14:00:00+01:00',
      max_requests: 10,
      rate_limit: { requests_per_minute: 1, tokens_per_minute: 2, concurrent_requests: 3 },
      allowed_models: ['gpt-*', 'openai:o3'],
      allowed_endpoints: ['/v1/chat/*'],
      allowed_ips: ['10.0.0.0/8', '::1'],
      metadata: { owner: 'me' },
    })
    expect(made).toMatchObject({
      name: 'ci',
      expiresAt: NOON + 60 * MINUTE_MS,
      maxRequests: 10,
      rateLimit: { requestsPerMinute: 1, tokensPerMinute: 2, concurrentRequests: 3 },
      allowedModels: ['gpt-*', 'openai:o3'],
      allowedEndpoints: ['/v1/chat/*'],
      allowedIps: ['10.0.0.0/8', '::1'],
      metadata: { owner: 'me' },
    })
  })

  it('expires at a time to come, given as a time or as minutes from now', async () => {
    const { token, parts, project } = await given()
    const { id } = await project()
    const make = (fields: object) => createToken(parts, actor, { project_id: id, ...fields })
    expect(await token({ duration_minutes: 90 })).toMatchObject({ expiresAt: NOON + 90 * MINUTE_MS })
    expect(await token({ expires_at: null, duration_minutes: null })).toMatchObject({ expiresAt: null })
    await expectInvalid(make({ expires_at: '2026-11-21T12:00:00Z' }), { expires_at: 'must be in the future' })
    const notATime = 'must be a time in ISO 8601 with its zone, as 2026-11-21T12:00:00Z'
    for (const expires_at of ['tomorrow', '2026-11-22', '2026-02-30T00:00:00Z', '2026-11-22T00:00:00', 1795262400]) {
      await expectInvalid(make({ expires_at }), { expires_at: notATime })
    }
    await expectInvalid(make({ expires_at: '2027-01-01T00:00:00Z', duration_minutes: 1 }), {
      duration_minutes: 'cannot be given together with expires_at',
    })
    await expectInvalid(make({ duration_minutes: 0 }), { duration_minutes: 'must be at least 1' })
    await expectInvalid(make({ duration_minutes: 5_256_001 }), { duration_minutes: 'must be at most 5256000' })
    await expectInvalid(make({ duration_minutes: 1.5 }), { duration_minutes: 'must be a whole number' })
  })

  it('has bounded lists of well-formed entries', async () => {
    const { parts, project } = await given()
    const { id } = await project()
    const make = (fields: object) => createToken(parts, actor, { project_id: id, ...fields })
    await expectInvalid(make({ allowed_ips: ['10.0.0.0/8', '10.0.0.1/33', 'localhost'] }), {
      'allowed_ips.1': 'must be an IP address or a CIDR range',
      'allowed_ips.2': 'must be an IP address or a CIDR range',
    })
    await expectInvalid(make({ allowed_endpoints: ['chat/completions'] }), {
      'allowed_endpoints.0': 'must start with / or *',
    })
    await expectInvalid(make({ allowed_models: Array(101).fill('a') }), {
      allowed_models: 'must have at most 100 entries',
    })
    await expectInvalid(make({ allowed_models: ['x'.repeat(201)] }), {
      'allowed_models.0': 'must have at most 200 characters',
    })
    await expectInvalid(make({ max_requests: 0 }), { max_requests: 'must be at least 1' })
    await expectInvalid(make({ budget: {} }), { budget: 'is not a known field; did you mean budgets?' })
    await expectInvalid(make({ hash: 'x', request_count: 0 }), {
      hash: 'is not a known field',
      request_count: 'is not a known field',
    })
  })

  it('needs a project', async () => {
    const { parts, audited } = await given()
    await expect(createToken(parts, actor, { project_id: 'proj_none' })).rejects.toMatchObject({ code: 'not_found' })
    await expectInvalid(createToken(parts, actor, {}), { project_id: 'is required' })
    expect((await audited('token.create')).map(({ reason }) => reason)).toEqual(['not_found', 'validation_failed'])
  })

  it('keeps what a change does not name, and loses what null clears', async () => {
    const { parts, token, at, audited } = await given()
    const before = await token({
      name: 'ci',
      max_requests: 3,
      duration_minutes: 5,
      allowed_ips: ['::1'],
      rate_limit: { requests_per_minute: 5 },
    })
    at(NOON + MINUTE_MS)
    const change = (fields: object) => updateToken(parts, actor, before.id, fields)
    expect(await change({})).toEqual({ ...before, updatedAt: NOON + MINUTE_MS })
    expect(await change({ name: null, max_requests: null, allowed_ips: null })).toMatchObject({
      name: null,
      maxRequests: null,
      allowedIps: null,
      expiresAt: before.expiresAt,
    })
    expect(await change({ duration_minutes: 5 })).toMatchObject({ expiresAt: NOON + 6 * MINUTE_MS })
    expect(await change({ expires_at: '2020-01-01T00:00:00Z' })).toMatchObject({ expiresAt: Date.UTC(2020, 0, 1) })
    expect(await change({ expires_at: null, is_active: false })).toMatchObject({ expiresAt: null, isActive: false })
    expect(await change({ rate_limit: { tokens_per_minute: 9 } })).toMatchObject({
      rateLimit: { requestsPerMinute: 5, tokensPerMinute: 9, concurrentRequests: null },
    })
    await expectInvalid(change({ project_id: 'proj_other', last4: 'x' }), {
      project_id: 'is not a known field',
      last4: 'is not a known field',
    })
    await expect(updateToken(parts, actor, 'tok_none', {})).rejects.toMatchObject({ code: 'not_found' })
    const rows = await audited('token.update')
    expect(rows[1]).toMatchObject({
      actor: 'cli',
      ip: '10.0.0.9',
      userAgent: 'jest',
      targetId: before.id,
      projectId: before.projectId,
      before: { name: 'ci', maxRequests: 3 },
      after: { name: null, maxRequests: null },
    })
    expect(rows.at(-2)).toMatchObject({ outcome: 'failure', reason: 'validation_failed', projectId: before.projectId })
    expect(rows.at(-1)).toMatchObject({ outcome: 'failure', reason: 'not_found', targetId: 'tok_none' })
  })

  it('is revoked for good', async () => {
    const { parts, token, at, audited } = await given()
    const { id } = await token()
    expect(await revokeToken(parts, actor, id)).toMatchObject({ revokedAt: NOON })
    at(NOON + 1)
    expect(await revokeToken(parts, actor, id)).toMatchObject({ revokedAt: NOON })
    await expect(updateToken(parts, actor, id, { is_active: true })).rejects.toMatchObject({ code: 'conflict' })
    await expect(revokeToken(parts, actor, 'tok_none')).rejects.toMatchObject({ code: 'not_found' })
    expect((await audited('token.revoke')).map(({ outcome }) => outcome)).toEqual(['success', 'success', 'failure'])
  })

  it('is revoked with all others of its project', async () => {
    const { parts, project, store, audited } = await given()
    const { id } = await project()
    for (let i = 0; i < 3; i++) await createToken(parts, actor, { project_id: id })
    expect(await revokeProjectTokens(parts, actor, id)).toBe(3)
    expect(await revokeProjectTokens(parts, actor, id)).toBe(0)
    expect((await store.tokens.list({ projectId: id, state: 'active', now: NOON }, { limit: 10 })).data).toEqual([])
    await expect(revokeProjectTokens(parts, actor, 'proj_none')).rejects.toMatchObject({ code: 'not_found' })
    expect((await audited('token.revoke_all')).map(({ outcome, after }) => [outcome, after])).toEqual([
      ['success', { revoked: 3 }],
      ['success', { revoked: 0 }],
      ['failure', null],
    ])
  })

  it('is deleted once and stays deleted, each attempt on record', async () => {
    const { parts, token, audited } = await given()
    const { id, projectId } = await token()
    expect(await deleteToken(parts, actor, id)).toBe(true)
    expect(await deleteToken(parts, actor, id)).toBe(false)
    expect((await audited('token.delete')).map((row) => row.projectId)).toEqual([projectId, null])
  })
})
