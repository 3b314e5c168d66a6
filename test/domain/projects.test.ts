import { describe, expect, it } from '@jest/globals'
import { createProject, deleteProject, updateProject } from '../../src/domain/projects.ts'
import { addProviderKey, deleteProviderKey } from '../../src/domain/provider-keys.ts'
import { actor, expectInvalid, given, NOON } from './given.ts'

describe('a project', () => {
  it('starts active, with no limits, and with the default provider for its api_key', async () => {
    const { parts, sealer, store } = await given()
    const { project, keys } = await createProject(parts, actor, {
      name: '  search  ',
      api_key: 'sk-0123456789abcdef\n',
    })
    expect(project).toEqual({
      id: expect.stringMatching(/^proj_/),
      name: 'search',
      isActive: true,
      budgets: null,
      allowedModels: null,
      rateLimit: null,
      metadata: {},
      createdAt: NOON,
      updatedAt: NOON,
    })
    expect(keys).toEqual([expect.objectContaining({ provider: 'openai', last4: 'cdef', weight: 1 })])
    expect(sealer.open(keys[0]!.sealed)).toBe('sk-0123456789abcdef')
    expect(await store.providerKeys.listByProject(project.id)).toEqual(keys)
  })

  it('takes several keys with weights, and tells nothing of a short one', async () => {
    const { parts } = await given()
    const { keys } = await createProject(parts, actor, {
      name: 'two',
      provider_keys: [
        { provider: 'openai', key: 'short' },
        { provider: 'anthropic', key: 'sk-ant-0123456789', weight: 2.5 },
      ],
    })
    expect(keys.map(({ provider, last4, weight }) => [provider, last4, weight])).toEqual([
      ['openai', '', 1],
      ['anthropic', '6789', 2.5],
    ])
  })

  it('names every field that is wrong, and no value', async () => {
    const { parts } = await given()
    const input = {
      name: ' ',
      surprise: 1,
      is_active: 'yes',
      allowed_models: [],
      rate_limit: { requests_per_minute: 0, per_day: 4 },
      metadata: [],
      provider_keys: [{ provider: 'acme', key: 'has white space', weight: 0 }],
    }
    await expectInvalid(createProject(parts, actor, input), {
      name: 'must not be empty',
      'provider_keys.0.provider': 'must be one of openai, anthropic',
      'provider_keys.0.key': 'must be visible ASCII characters, without double quotes and backslashes',
      'provider_keys.0.weight': 'must be more than 0',
      is_active: 'must be true or false',
      allowed_models: 'must not be empty; null allows everything',
      'rate_limit.requests_per_minute': 'must be at least 1',
      'rate_limit.per_day': 'is not a known field',
      metadata: 'must be a JSON object',
      surprise: 'is not a known field',
    })
    await expectInvalid(createProject(parts, actor, undefined), { body: 'is required' })
    await expectInvalid(createProject(parts, actor, []), { body: 'must be an object' })
    await expectInvalid(createProject(parts, actor, {}), { name: 'is required' })
    await expectInvalid(createProject(parts, actor, { name: 'x', api_key: 'k', provider_keys: [] }), {
      api_key: 'cannot be given together with provider_keys',
    })
  })

  it('cannot have the name of another', async () => {
    const { parts, project, audited } = await given()
    await project({ name: 'taken' })
    const other = await project({ name: 'other' })
    const conflict = { code: 'conflict', status: 409, param: 'name' }
    await expect(createProject(parts, actor, { name: 'taken' })).rejects.toMatchObject(conflict)
    await expect(updateProject(parts, actor, other.id, { name: 'taken' })).rejects.toMatchObject(conflict)
    expect(await audited('project.create')).toContainEqual(
      expect.objectContaining({ outcome: 'failure', reason: 'conflict', targetId: null, before: null, after: null }),
    )
    expect(await audited('project.update')).toEqual([
      expect.objectContaining({ outcome: 'failure', reason: 'conflict', targetId: other.id, projectId: other.id }),
    ])
  })

  it('keeps what a change does not name, merges limits by key, and clears with null', async () => {
    const { parts, project, at } = await given()
    const { id } = await project({
      name: 'a',
      rate_limit: { requests_per_minute: 5, tokens_per_minute: 7 },
      allowed_models: ['gpt-*'],
      metadata: { a: 1 },
    })
    const limits = async (rate_limit: unknown) => (await updateProject(parts, actor, id, { rate_limit })).rateLimit
    expect(await limits({ tokens_per_minute: null, concurrent_requests: 2 })).toEqual({
      requestsPerMinute: 5,
      tokensPerMinute: null,
      concurrentRequests: 2,
    })
    expect(await limits({ requests_per_minute: null, concurrent_requests: null })).toBeNull()
    expect(await limits({ requests_per_minute: 1 })).toMatchObject({ requestsPerMinute: 1 })
    expect(await limits(null)).toBeNull()

    at(NOON + 1)
    expect(await updateProject(parts, actor, id, { is_active: false })).toMatchObject({
      name: 'a',
      isActive: false,
      allowedModels: ['gpt-*'],
      metadata: { a: 1 },
      createdAt: NOON,
      updatedAt: NOON + 1,
    })
    expect(await updateProject(parts, actor, id, { allowed_models: null, metadata: null })).toMatchObject({
      allowedModels: null,
      metadata: {},
    })
    await expectInvalid(updateProject(parts, actor, id, { name: null }), { name: 'must be text' })
  })

  it('is deleted once and stays deleted, each attempt on record', async () => {
    const { parts, project, audited } = await given()
    const { id } = await project()
    expect(await deleteProject(parts, actor, id)).toBe(true)
    expect(await deleteProject(parts, actor, id)).toBe(false)
    await expect(updateProject(parts, actor, id, {})).rejects.toMatchObject({ code: 'not_found', status: 404 })
    const [first, second] = await audited('project.delete')
    expect(first).toMatchObject({ outcome: 'success', targetId: id, before: { id }, after: null })
    expect(second).toMatchObject({ outcome: 'success', targetId: id, before: null, after: null })
  })

  it('takes names as they are, whatever they look like', async () => {
    const { parts, store } = await given()
    for (const name of [
      "'; DROP TABLE projects; --",
      '../../etc/passwd',
      '<script>alert(1)</script>',
      '名前 🚀',
      '__proto__',
    ]) {
      const { project } = await createProject(parts, actor, { name })
      expect((await store.projects.get(project.id))?.name).toBe(name)
    }
    for (const name of ['a\u0000b', 'a\nb', '\ud800']) {
      await expectInvalid(createProject(parts, actor, { name }), { name: 'must not contain control characters' })
    }
    await expectInvalid(createProject(parts, actor, { name: 'x'.repeat(101) }), {
      name: 'must have at most 100 characters',
    })
  })

  it('takes metadata of up to 16 KB, and none that could reach a prototype', async () => {
    const { parts } = await given()
    const make = (metadata: unknown) => createProject(parts, actor, { name: `m${Math.random()}`, metadata })
    const deep = JSON.parse(`${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`)
    expect((await make({ constructor: { prototype: 1 }, 'a\u0000': '\ud800' })).project.metadata).toEqual({
      constructor: { prototype: 1 },
      'a\u0000': '\ud800',
    })
    await expectInvalid(make({ a: 'x'.repeat(16 * 1024) }), { metadata: 'must be at most 16 KB of JSON' })
    const unsafe = { metadata: 'must not be nested deeper than 20 levels, nor have a key __proto__' }
    await expectInvalid(make(JSON.parse('{"a":[{"__proto__":{"isAdmin":true}}]}')), unsafe)
    await expectInvalid(make(deep), unsafe)
    await expectInvalid(createProject(parts, actor, JSON.parse('{"name":"x","__proto__":{"is_active":false}}')), {
      ['__proto__']: 'is not a known field',
    })
  })
})

describe('a provider key', () => {
  it('is sealed in the database and never in the audit log', async () => {
    const { parts, store, project, sealer, audited } = await given()
    const { id } = await project()
    const secret = 'sk-very-secret-provider-key'
    const key = await addProviderKey(parts, actor, id, { provider: 'anthropic', key: secret })
    expect(key.sealed).not.toContain(secret)
    expect(sealer.open(key.sealed)).toBe(secret)
    expect(await store.providerKeys.listByProject(id)).toEqual([key])
    const rows = await audited('provider_key.create')
    expect(rows).toEqual([expect.objectContaining({ targetId: key.id, projectId: id, outcome: 'success' })])
    expect(rows[0]!.after).toMatchObject({ last4: '-key', provider: 'anthropic' })
    expect(JSON.stringify(rows)).not.toMatch(/very-secret|sealed|v1\./)
  })

  it('needs a project, and a provider that exists', async () => {
    const { parts, project, audited } = await given()
    const { id } = await project()
    const key = { provider: 'openai', key: 'k' }
    await expect(addProviderKey(parts, actor, 'proj_none', key)).rejects.toMatchObject({ code: 'not_found' })
    await expectInvalid(addProviderKey(parts, actor, id, { ...key, provider: 'demo' }), {
      provider: 'must be one of openai, anthropic',
    })
    expect((await audited('provider_key.create')).map(({ outcome, reason }) => [outcome, reason])).toEqual([
      ['failure', 'not_found'],
      ['failure', 'validation_failed'],
    ])
  })

  it('is deleted once and stays deleted', async () => {
    const { parts, project, audited } = await given()
    const { id } = await project()
    const key = await addProviderKey(parts, actor, id, { provider: 'openai', key: 'k' })
    expect(await deleteProviderKey(parts, actor, 'proj_other', key.id)).toBe(false)
    expect(await deleteProviderKey(parts, actor, id, key.id)).toBe(true)
    expect(await deleteProviderKey(parts, actor, id, key.id)).toBe(false)
    expect(await audited('provider_key.delete')).toHaveLength(3)
  })
})
