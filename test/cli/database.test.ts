import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { ENCRYPTION_KEY_FILE, MANAGEMENT_TOKEN_FILE } from '../../src/cli/local.ts'
import { resolveSecrets } from '../../src/config/secrets.ts'
import { given } from './given.ts'

const key = (byte: number) => ({ env: { ENCRYPTION_KEY: Buffer.alloc(32, byte).toString('base64') } })

describe('without a database', () => {
  it('reading makes none, since the folder may be the wrong one', async () => {
    const { cli, dataDir } = given()
    for (const line of ['project list', 'token list', 'token get tok_1', 'project delete a', 'provider-key list']) {
      expect(await cli(line)).toEqual({
        code: 1,
        out: '',
        err: `error: There is no database at ${join(dataDir, 'llm-proxy.db')} yet: start the gateway, or set DATA_DIR to where its data is.\n`,
      })
    }
    expect(readdirSync(dataDir)).toEqual([])
  })

  it('the first project or token makes it, before the first start of the gateway', async () => {
    expect(await given().json('project create search')).toMatchObject({ name: 'search' })
    const { json } = given()
    await json('token generate')
    expect((await json('project list')).data).toMatchObject([{ name: 'default' }])
  })

  it('what is not fine in the configuration is told in full, and nothing is made', async () => {
    const { cli, dataDir } = given({ env: { MAX_RETRIES: 'many', LOG_LEVEL: 'loud' } })
    const { code, err } = await cli('project create a')
    expect(code).toBe(1)
    expect(err).toContain('MAX_RETRIES: ')
    expect(err).toContain('LOG_LEVEL: ')
    expect(readdirSync(dataDir)).toEqual([])
  })
})

describe('the encryption key', () => {
  it('is made only when a provider key is there to be sealed', async () => {
    const { print, dataDir } = given()
    await print('project create a')
    await print('token generate')
    expect(existsSync(join(dataDir, ENCRYPTION_KEY_FILE))).toBe(false)
    await print('provider-key add openai=sk-one --project a')
    expect(existsSync(join(dataDir, ENCRYPTION_KEY_FILE))).toBe(true)
  })

  it('has to be the one of the keys that are there: a shell without the ENCRYPTION_KEY of the service seals nothing', async () => {
    const { print, cli, json, dataDir } = given()
    await print('project create a --provider-key openai=sk-one', key(1))
    for (const line of [
      'provider-key add openai=sk-two --project a',
      'project create b --provider-key openai=sk-two',
    ]) {
      expect(await cli(line)).toMatchObject({
        code: 1,
        err: expect.stringContaining('The database holds provider keys, but there is no encryption key here'),
      })
      expect(await cli(line, key(2))).toMatchObject({
        code: 1,
        err: expect.stringContaining('does not open the provider keys in the database'),
      })
    }
    expect(existsSync(join(dataDir, ENCRYPTION_KEY_FILE))).toBe(false)
    await print('provider-key add openai=sk-two --project a', key(1))
    expect((await json('provider-key list')).data).toHaveLength(2)
  })

  it('and the management token lie where the gateway keeps them', () => {
    const { dataDir } = given()
    resolveSecrets({ dataDir, managementToken: null, encryptionKey: null })
    expect(readdirSync(dataDir).sort()).toEqual([ENCRYPTION_KEY_FILE, MANAGEMENT_TOKEN_FILE])
  })
})

describe('migrate', () => {
  it('tells what waits, applies it, and then has nothing to do', async () => {
    const { json, print, cli } = given()
    const before = await json<{ version: number; latest: number }>('migrate status')
    expect(before).toMatchObject({ version: 0, unknown: 0 })
    expect(await print('migrate status')).toMatch(/no database yet.*\n.*\n(.+ waits\n)+/)
    expect((await cli('migrate version')).out).toBe('0\n')
    expect(await json('migrate up')).toMatchObject({ from: 0, to: before.latest, backup: null })
    expect(await print('migrate up')).toBe(`Nothing to do: the schema is at ${before.latest}.`)
    expect((await cli('migrate version')).out).toBe(`${before.latest}\n`)
    expect(await print('migrate status')).not.toContain('waits')
  })
})

describe('config check', () => {
  it('prints every value with its origin, and no secret', async () => {
    const { print, json } = given({
      files: {
        'llm-proxy.yaml': [
          'max_retries: 5',
          'providers:',
          '  openai: { api_key: sk-planted-secret-1 }',
          '  my-llm: { kind: gemini, base_url: "https://llm.example.com", api_key: sk-planted-secret-2 }',
        ].join('\n'),
      },
      env: { MANAGEMENT_TOKEN: 'planted-secret-0123456789', LLM_PROXY_URL: 'http://127.0.0.1:8080' },
    })
    const out = await print('config check')
    expect(out).toMatch(/^MAX_RETRIES +5 +file$/m)
    expect(out).toMatch(/^OPENAI_API_KEY +\(set\) +file$/m)
    expect(out).toMatch(/^MANAGEMENT_TOKEN +\(set\) +environment$/m)
    expect(out).toMatch(/^providers\.my-llm +gemini at https:\/\/llm\.example\.com, with a key +file$/m)
    expect(out).toMatch(/^HTTP_TIMEOUT +300 s +default$/m)
    const answer = await json('config check')
    expect(answer).toMatchObject({ ok: true, warnings: [] })
    expect(answer.values).toContainEqual(expect.objectContaining({ name: 'providers.my-llm', origin: 'file' }))
    expect(out + JSON.stringify(answer)).not.toContain('secret')
  })

  it('exits with 1 and all problems, also for machines', async () => {
    const { cli } = given({ env: { PORT: 'high', HOST: 'a b' } })
    const { code, out, err } = await cli('config check')
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toContain('PORT: ')
    expect(err).toContain('HOST: ')
    const forMachines = await cli('config check --json')
    expect(forMachines.code).toBe(1)
    expect(JSON.parse(forMachines.out)).toMatchObject({
      ok: false,
      problems: expect.arrayContaining([expect.stringMatching(/^HOST: /), expect.stringMatching(/^PORT: /)]),
    })
  })
})
