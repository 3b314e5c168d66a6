import { chmodSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { sendJson, startUpstream, type Upstream } from '../helpers/upstream.ts'
import { given as anyGiven, CLOSED_PORT, givenGateway } from './given.ts'

type Found = { name: string; status: string; detail: string; advice: string | null }

let upstream: Upstream
beforeAll(async () => {
  upstream = await startUpstream()
})
afterAll(() => upstream.close())

/** A command line whose `openai` is the scripted upstream. */
function given(options: Parameters<typeof anyGiven>[0] = {}) {
  upstream.script((_req, res) => sendJson(res, 200, { object: 'list', data: [] }))
  const made = anyGiven({ ...options, env: { OPENAI_BASE_URL: upstream.url, ...options.env } })
  return {
    ...made,
    /** The finding of that name. */
    finds: async (name: string, more: Parameters<typeof made.cli>[1] = {}): Promise<Found> => {
      const { out, code } = await made.cli('doctor --json', more)
      const { ok, checks } = JSON.parse(out) as { ok: boolean; checks: Found[] }
      const failed = checks.some(({ status }) => status === 'failure')
      expect({ ok, code }).toEqual({ ok: !failed, code: failed ? 1 : 0 })
      return checks.find((check) => check.name === name)!
    },
  }
}

const KEY = { OPENAI_API_KEY: 'sk-shared-0123456789' }

describe('doctor', () => {
  it('finds nothing broken where all is well, asks the provider with its key, and shows no key', async () => {
    const { print } = given({ env: KEY })
    await print('project create a --provider-key openai=sk-own-0123456789')
    const out = await print('doctor')
    for (const name of ['configuration', 'data folder', 'file modes', 'database', 'encryption key', 'clock']) {
      expect(out).toMatch(new RegExp(`^✓ +${name} `, 'm'))
    }
    expect(out).toMatch(/^✓ +openai, shared key +reachable, takes the key$/m)
    expect(out).toMatch(/^✓ +openai, key of "a" +reachable, takes the key$/m)
    expect(out).toContain('Nothing is broken.')
    expect(
      upstream.seen
        .slice(-2)
        .map(({ url, headers }) => [url, headers.authorization])
        .sort(),
    ).toEqual([
      ['/v1/models', 'Bearer sk-own-0123456789'],
      ['/v1/models', 'Bearer sk-shared-0123456789'],
    ])
    expect(out).not.toContain('0123456789')
  })

  it('is no more than a warning away from fine before the first start', async () => {
    const { print, finds, dataDir } = given({ env: { DATA_DIR: 'not-yet' } })
    expect(await print('doctor')).toMatch(/Nothing is broken; \d to look at\.$/)
    expect(await finds('data folder')).toMatchObject({
      status: 'warning',
      detail: `${join(dataDir, 'not-yet')} does not exist yet`,
    })
    expect(await finds('database')).toMatchObject({ status: 'warning' })
    expect(await finds('encryption key')).toMatchObject({ status: 'skipped' })
  })

  it('lists every problem of the configuration', async () => {
    const { cli } = given({ env: { MAX_RETRIES: 'many', LOG_LEVEL: 'loud' } })
    const { code, out, err } = await cli('doctor')
    expect({ code, err }).toEqual({ code: 1, err: 'error: 2 checks failed.\n' })
    expect(out).toMatch(/✗ +configuration +MAX_RETRIES: /)
    expect(out).toMatch(/✗ +configuration +LOG_LEVEL: /)
  })

  it.each([
    ['a key that is refused', 401, {}, 'failure', 'the key is refused (401)', 'Set OPENAI_API_KEY to a valid key.'],
    [
      'a key that Google does not know',
      400,
      { error: { message: 'API key not valid.' } },
      'failure',
      'the key is refused (400)',
      'Set OPENAI_API_KEY to a valid key.',
    ],
    [
      'an address without its version path',
      404,
      {},
      'warning',
      'answers /models with 404',
      'Look at OPENAI_BASE_URL: it ends in the version path, as /v1.',
    ],
    ['a provider in trouble', 503, {}, 'warning', 'reachable, but in trouble (503)', 'Look at its status page.'],
  ])('tells %s', async (_name, status, body, kind, detail, advice) => {
    const { finds } = given({ env: KEY })
    upstream.script((_req, res) => sendJson(res, status, body))
    expect(await finds('openai, shared key')).toEqual({ name: 'openai, shared key', status: kind, detail, advice })
  })

  it('tells a provider that cannot be reached', async () => {
    const { finds } = given({ env: { ...KEY, OPENAI_BASE_URL: `http://127.0.0.1:${CLOSED_PORT}/v1` } })
    expect(await finds('openai, shared key')).toMatchObject({
      status: 'failure',
      detail: 'unreachable: the connection was refused',
      advice: expect.stringContaining('OPENAI_BASE_URL'),
    })
  })

  it.each([
    [
      'anthropic',
      'ANTHROPIC',
      '/v1/models?limit=1',
      { 'x-api-key': 'sk-shared-0123456789', 'anthropic-version': '2023-06-01' },
    ],
    ['gemini', 'GEMINI', '/v1/models?pageSize=1', { 'x-goog-api-key': 'sk-shared-0123456789' }],
    ['openrouter', 'OPENROUTER', '/v1/key', { authorization: 'Bearer sk-shared-0123456789' }],
    ['azure-openai', 'AZURE_OPENAI', '/v1/models', { 'api-key': 'sk-shared-0123456789' }],
    ['groq', 'GROQ', '/v1/models', { authorization: 'Bearer sk-shared-0123456789' }],
  ])('asks %s for something that a good key alone is told', async (name, prefix, url, headers) => {
    const env = {
      OPENAI_BASE_URL: '',
      [`${prefix}_BASE_URL`]: upstream.url,
      [`${prefix}_API_KEY`]: 'sk-shared-0123456789',
    }
    const { finds } = given({ env })
    expect(await finds(`${name}, shared key`)).toMatchObject({ status: 'ok', detail: 'reachable, takes the key' })
    expect(upstream.seen.at(-1)).toMatchObject({ url, headers })
    upstream.script((_req, res) => sendJson(res, 401, {}))
    expect(await finds(`${name}, shared key`)).toMatchObject({ advice: `Set ${prefix}_API_KEY to a valid key.` })
    upstream.script((_req, res) => sendJson(res, 404, {}))
    expect(await finds(`${name}, shared key`)).toMatchObject({
      detail: `answers ${url.slice('/v1'.length).replace(/\?.*/, '')} with 404`,
      advice: `Look at ${prefix}_BASE_URL: it ends in the version path, as /v1.`,
    })
  })

  it('asks a provider that needs no key without one, and tells one of the YAML file by its place there', async () => {
    const yaml = `providers: { my-llm: { kind: openai, base_url: "${upstream.url}", headers: { x-team: a } } }`
    const { finds } = given({
      env: { VLLM_BASE_URL: upstream.url, OPENAI_BASE_URL: '' },
      files: { 'llm-proxy.yaml': yaml },
    })
    for (const name of ['vllm', 'my-llm'])
      expect(await finds(name)).toMatchObject({ status: 'ok', detail: 'reachable, without a key' })
    expect(upstream.seen.slice(-2).map(({ headers }) => headers.authorization)).toEqual([undefined, undefined])
    upstream.script((_req, res) => sendJson(res, 401, {}))
    expect(await finds('my-llm')).toMatchObject({
      status: 'warning',
      advice: 'Set providers.my-llm.api_key, or give a project a key.',
    })
    expect(await finds('vllm')).toMatchObject({ advice: 'Set VLLM_API_KEY, or give a project a key.' })
  })

  it('asks a provider of an own address without a key whether it is there', async () => {
    const { finds } = given()
    expect(await finds('openai')).toMatchObject({ status: 'ok', detail: 'reachable, without a key' })
    upstream.script((_req, res) => sendJson(res, 401, {}))
    expect(await finds('openai')).toMatchObject({ status: 'warning', detail: 'reachable, wants a key (401)' })
  })

  it('sends a key to no address that the provider redirects to', async () => {
    const { finds } = given({ env: KEY })
    upstream.script((req, res) =>
      req.url === '/v1/models' ? sendJson(res, 302, {}, { location: '/elsewhere' }) : sendJson(res, 200, {}),
    )
    expect(await finds('openai, shared key')).toMatchObject({ status: 'warning', detail: 'answers /models with 302' })
  })

  it('warns of a clock that is more than a minute off', async () => {
    const { finds } = given({ env: KEY })
    expect(await finds('clock')).toMatchObject({ status: 'ok' })
    expect(await finds('clock', { now: () => Date.now() + 90_000 })).toMatchObject({
      status: 'warning',
      detail: expect.stringMatching(/^(89|90|91) s ahead of the providers$/),
    })
    expect(await finds('clock', { now: () => Date.now() - 90_000 })).toMatchObject({
      detail: expect.stringMatching(/^(89|90|91) s behind the providers$/),
    })
  })

  it('warns of files that others can read', async () => {
    const { print, finds, dataDir } = given()
    await print('project create a')
    chmodSync(join(dataDir, 'llm-proxy.db'), 0o644)
    writeFileSync(join(dataDir, 'bodies-2026-11.db'), '', { mode: 0o644 })
    expect(await finds('file modes')).toEqual({
      name: 'file modes',
      status: 'warning',
      detail: 'others can read bodies-2026-11.db, llm-proxy.db',
      advice: `cd ${dataDir} && chmod 600 bodies-2026-11.db llm-proxy.db`,
    })
  })

  it('tells a data folder that is a file', async () => {
    const { finds } = given({ files: { data: '' }, env: { DATA_DIR: 'data' } })
    expect(await finds('data folder')).toMatchObject({ status: 'failure', advice: 'Set DATA_DIR to a folder.' })
  })

  it('tells a damaged database', async () => {
    const { finds, dataDir } = given()
    writeFileSync(join(dataDir, 'llm-proxy.db'), 'not a database, but long enough to be taken for one'.repeat(100))
    expect(await finds('database')).toMatchObject({ status: 'failure', detail: expect.stringContaining('is damaged') })
  })

  it('names the provider keys that the encryption key does not open, and the key that does', async () => {
    const { print, finds, dataDir } = given()
    await print('project create a --provider-key openai=sk-one')
    const lost = { env: { ENCRYPTION_KEY: Buffer.alloc(32, 9).toString('base64') } }
    expect(await finds('encryption key', lost)).toMatchObject({
      status: 'failure',
      detail: expect.stringMatching(/^does not open 1 of 1 provider keys: key_\S+ of "a"$/),
      advice: expect.stringContaining('Set ENCRYPTION_KEY as it was'),
    })
    const file = (name: string) => join(dataDir, name)
    renameSync(file('encryption-key'), file('encryption-key.old'))
    expect(await finds('encryption key')).toMatchObject({
      status: 'failure',
      detail: 'there is none for 1 provider key in the database',
    })
    writeFileSync(file('encryption-key'), Buffer.alloc(32, 9).toString('base64'))
    expect(await finds('encryption key')).toMatchObject({
      advice: `The one before opens them: mv ${file('encryption-key.old')} ${file('encryption-key')}`,
    })
  })

  it('tells a gateway that runs from another program at its address', async () => {
    const { gateway } = await givenGateway()
    const { finds } = given()
    const at = (url: string) => ({ env: { PORT: new URL(url).port } })
    expect(await finds('gateway', at(gateway.url))).toMatchObject({ status: 'ok', detail: `ready at ${gateway.url}` })
    expect(await finds('gateway', at(upstream.url))).toMatchObject({
      status: 'failure',
      detail: expect.stringContaining('another program'),
    })
    expect(await finds('gateway')).toMatchObject({
      status: 'skipped',
      detail: expect.stringContaining('none is running'),
    })
  })
})
