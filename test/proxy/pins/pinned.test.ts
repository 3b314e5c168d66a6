import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { PROVIDER_KEY, startTestGateway, type TestGateway } from '../../helpers/gateway.ts'
import { eventually } from '../../helpers/http.ts'
import { startUpstream } from '../../helpers/upstream.ts'
import { type Accounts, addKey, client, manage, startAccounts } from './accounts.ts'

let accounts: Accounts
let gateway: TestGateway
let dataDir: string

beforeAll(async () => {
  accounts = await startAccounts()
  dataDir = mkdtempSync(join(tmpdir(), 'llm-proxy-pins-'))
  gateway = await startTestGateway({ upstream: accounts.upstream.url, dataDir })
})
afterAll(async () => {
  await gateway.stop()
  await accounts.upstream.close()
  rmSync(dataDir, { recursive: true, force: true })
})

/** A project with keys of two accounts, between which chance decides where nothing else does. */
async function withTwoKeys() {
  const { secret, project } = await gateway.token({}, {})
  const keys = [`sk-one-${project.id}`, `sk-two-${project.id}`]
  const ids = []
  for (const key of keys) ids.push(await addKey(gateway, project.id, key))
  return { project, secret, keys, ids, ...client(gateway, secret) }
}

const many = Array.from({ length: 12 }, (_, index) => index)

describe('with keys of two accounts in a project', () => {
  it('a file is found, read and deleted in the account that has it, however often it is asked for', async () => {
    const { upload, get, delete: remove } = await withTwoKeys()
    for (const _ of many) {
      const id = await upload()
      expect((await get(`/v1/files/${id}`)).status).toBe(200)
      expect((await get(`/v1/files/${id}/content`)).text).toBe('bytes')
      expect((await remove(`/v1/files/${id}`)).status).toBe(200)
    }
  })

  it('a batch goes where its file is, and what comes out of it is found', async () => {
    const { upload, post, get } = await withTwoKeys()
    for (const _ of many) {
      const batch = await post('/v1/batches', { input_file_id: await upload(), endpoint: '/v1/chat/completions' })
      expect(batch.status).toBe(200)
      const { output_file_id } = (await get(`/v1/batches/${batch.json.id}`)).json
      expect((await get(`/v1/files/${output_file_id}/content`)).status).toBe(200)
    }
  })

  it.each(['threads', 'vector_stores', 'assistants', 'conversations'])(
    '%s keep to their account, with all below them',
    async (kind) => {
      const { post, get } = await withTwoKeys()
      for (const _ of many) {
        const { id } = (await post(`/v1/${kind}`)).json
        expect((await get(`/v1/${kind}/${id}`)).status).toBe(200)
        expect((await post(`/v1/${kind}/${id}/runs/run_1`)).status).toBe(200)
      }
    },
  )

  it.each([false, true])('a conversation by previous_response_id stays in its account (stream: %s)', async (stream) => {
    const { post, get } = await withTwoKeys()
    let previous: string | undefined
    for (const _ of many) {
      const answer = await post('/v1/responses', {
        model: 'gpt-4o',
        input: 'Hi',
        stream,
        ...(previous && { previous_response_id: previous }),
      })
      expect(answer.status).toBe(200)
      previous = /resp_\d+/.exec(answer.text)![0]
      expect((await get(`/v1/responses/${previous}`)).status).toBe(200)
    }
  })

  it('a request for objects of both accounts is told so, and does not leave', async () => {
    const { keys, upload, post } = await withTwoKeys()
    const files = new Map<string, string>()
    while (files.size < 2) {
      const id = await upload()
      files.set(keys.find((key) => accounts.of(key).has(id))!, id)
    }
    const before = accounts.upstream.seen.length
    const refused = await post('/v1/vector_stores', { file_ids: [...files.values()] })
    expect([refused.status, refused.json.error.code]).toEqual([409, 'conflict'])
    expect(refused.json.error.message).toContain('different accounts')
    expect(accounts.upstream.seen).toHaveLength(before)
  })

  it('an answer that is not stored pins nothing', async () => {
    const { post, project } = await withTwoKeys()
    const { id } = (await post('/v1/responses', { model: 'gpt-4o', input: 'Hi', store: false })).json
    expect(await gateway.ctx.pins.find([id])).toEqual([])
    const stored = (await post('/v1/responses', { model: 'gpt-4o', input: 'Hi' })).json.id
    expect(await gateway.ctx.pins.find([stored])).toMatchObject([{ objectId: stored, projectId: project.id }])
  })

  it('a compressed answer to the upload is read all the same', async () => {
    const { upload, get } = await withTwoKeys()
    const { upstream } = accounts
    for (const _ of many) {
      const id = await upload({ 'accept-encoding': 'gzip' })
      expect(upstream.seen.at(-1)!.headers['accept-encoding']).toBe('identity')
      expect((await get(`/v1/files/${id}`)).status).toBe(200)
    }
    // One that compresses although it was asked not to.
    const other = await startUpstream((_req, res) => {
      const body = gzipSync('{"object":"file","id":"file-zipped"}')
      res.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(body)
    })
    const zipped = await startTestGateway({ upstream: other.url })
    const { secret } = await zipped.token()
    expect(await client(zipped, secret).upload()).toBe('file-zipped')
    expect(await zipped.ctx.pins.find(['file-zipped'])).toHaveLength(1)
    await zipped.stop()
    await other.close()
  })

  it('objects are found after a restart', async () => {
    const { secret, upload } = await withTwoKeys()
    const ids: string[] = []
    for (const _ of many) ids.push(await upload())
    await gateway.close(0)
    gateway = await startTestGateway({ upstream: accounts.upstream.url, dataDir })
    const { get } = client(gateway, secret)
    for (const id of ids) expect((await get(`/v1/files/${id}`)).status).toBe(200)
  })

  it('the last bytes of an answer that made one wait until that is written down', async () => {
    const { secret } = await gateway.token({}, {})
    const { post, upload } = client(gateway, secret)
    const { pins } = gateway.ctx.store
    const apply = pins.apply
    const { promise: disk, resolve: writeOn } = Promise.withResolvers<void>()
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
    pins.apply = async (changes) => {
      begin()
      await disk
      await apply(changes)
    }
    let answered = false
    const answer = post('/v1/conversations').then((whole) => {
      answered = true
      return whole
    })
    await begun
    const other = upload()
    const rows = async () =>
      (await gateway.rows())
        .slice(-2)
        .map(({ endpoint }) => endpoint)
        .sort()
    await eventually(async () => (await rows()).join() === '/v1/conversations,/v1/files', 'both rows')
    // Another's whole way through the gateway is longer than what is left of this one's.
    await client(gateway, secret).get('/v1/files/file-nobody')
    expect(answered).toBe(false)
    pins.apply = apply
    writeOn()
    const { json } = await answer
    await other
    expect(await pins.find([json.id])).toMatchObject([{ objectId: json.id, provider: 'openai', keyId: 'shared' }])
  })
})

describe('a key that is gone', () => {
  it('is followed by the only one that is left, as when a key is changed for another of its account', async () => {
    const { secret, project } = await gateway.token({}, {})
    const { upload, get } = client(gateway, secret)
    const old = await addKey(gateway, project.id, `sk-old-${project.id}`)
    const id = await upload()
    await addKey(gateway, project.id, `sk-new-${project.id}`)
    accounts.of(`sk-new-${project.id}`).set(id, accounts.of(`sk-old-${project.id}`).get(id)!)
    await manage(gateway, 'DELETE', `/projects/${project.id}/provider-keys/${old}`)
    expect((await get(`/v1/files/${id}`)).status).toBe(200)
    // Once it has proved to know the object, it stays with it.
    await addKey(gateway, project.id, `sk-third-${project.id}`)
    for (const _ of many) expect((await get(`/v1/files/${id}`)).status).toBe(200)
  })

  it('is told, with what to do, where two others might stand for it', async () => {
    const { secret, project } = await gateway.token({}, {})
    const { upload, get } = client(gateway, secret)
    const old = await addKey(gateway, project.id, `sk-a-${project.id}`)
    const id = await upload()
    for (const name of ['b', 'c']) await addKey(gateway, project.id, `sk-${name}-${project.id}`)
    await manage(gateway, 'DELETE', `/projects/${project.id}/provider-keys/${old}`)
    const before = accounts.upstream.seen.length
    const refused = await get(`/v1/files/${id}`)
    expect([refused.status, refused.json.error.code]).toEqual([409, 'conflict'])
    expect(refused.json.error.message).toMatch(/deleted.*Ask the operator/)
    expect(accounts.upstream.seen).toHaveLength(before)
  })
})

describe('two projects that share an account', () => {
  const two = async () => {
    const one = await gateway.token({}, {})
    const other = await gateway.token({}, {})
    return { one: client(gateway, one.secret), other: client(gateway, other.secret), other2: other }
  }

  it("do not see each other's objects, and hear the same of all of them", async () => {
    const { one, other } = await two()
    const file = await one.upload()
    const before = accounts.upstream.seen.length
    const refusals = [
      await other.get(`/v1/files/${file}`),
      await other.get(`/v1/files/${file}/content`),
      await other.delete(`/v1/files/${file}`),
      await other.post('/v1/batches', { input_file_id: file, endpoint: '/v1/chat/completions' }),
      await other.post('/v1/vector_stores', { file_ids: [file] }),
      await other.post('/v1/chat/completions', {
        model: 'gpt-4o',
        messages: [{ role: 'user', content: [{ type: 'file', file: { file_id: file } }] }],
      }),
      await other.post('/v1/responses', {
        model: 'gpt-4o',
        input: [{ role: 'user', content: [{ type: 'input_file', file_id: file }] }],
      }),
    ]
    for (const { status, json } of refusals)
      expect([status, json]).toEqual([
        404,
        {
          error: {
            message: `No such object: \`${file}\`.`,
            type: 'invalid_request_error',
            param: null,
            code: 'not_found',
          },
        },
      ])
    expect(accounts.upstream.seen).toHaveLength(before)
    expect((await one.get(`/v1/files/${file}`)).status).toBe(200)
  })

  it("cannot go on with each other's responses", async () => {
    const { one, other } = await two()
    const { id } = (await one.post('/v1/responses', { model: 'gpt-4o', input: 'secret' })).json
    expect((await other.post('/v1/responses', { model: 'gpt-4o', input: 'Hi', previous_response_id: id })).status).toBe(
      404,
    )
    expect((await other.get(`/v1/responses/${id}`)).status).toBe(404)
  })

  it('are refused in the dialect of who asks', async () => {
    const { one, other } = await two()
    const file = await one.upload()
    const body = {
      model: 'openai:gpt-4o',
      max_tokens: 5,
      messages: [{ role: 'user', content: [{ type: 'document', source: { type: 'file', file_id: file } }] }],
    }
    const refused = await other.post('/v1/messages', body)
    expect([refused.status, refused.json.type, refused.json.error]).toMatchObject([
      404,
      'error',
      { type: 'not_found_error', message: `No such object: \`${file}\`.` },
    ])
  })

  it("list their own objects and what nobody knows, not each other's", async () => {
    const { one, other } = await two()
    const mine = await one.upload()
    const theirs = await other.upload()
    accounts.of(PROVIDER_KEY).set('file-old', { id: 'file-old', object: 'file' })
    const { json } = await one.get('/v1/files')
    const ids = json.data.map(({ id }: { id: string }) => id)
    expect(ids).toContain(mine)
    expect(ids).toContain('file-old')
    expect(ids).not.toContain(theirs)
    expect(json).toMatchObject({ object: 'list', first_id: ids[0], last_id: ids.at(-1), has_more: false })
    expect(
      (await gateway.rows()).findLast(({ method, endpoint }) => method === 'GET' && endpoint === '/v1/files')?.changes,
    ).toEqual(['data'])
  })

  it('are forgotten when they are deleted: what nobody knows is for the provider to answer', async () => {
    const { one, other } = await two()
    const id = await one.upload()
    await one.delete(`/v1/files/${id}`)
    const before = accounts.upstream.seen.length
    expect((await other.get(`/v1/files/${id}`)).json.error.message).toBe(`No such object: ${id}`)
    expect(accounts.upstream.seen).toHaveLength(before + 1)
  })

  it('cannot claim an object by writing its id into what a provider echoes', async () => {
    const { one, other } = await two()
    const file = await one.upload()
    const { json } = await other.post('/v1/batches', {
      input_file_id: await other.upload(),
      endpoint: '/v1/chat/completions',
      metadata: { output_file_id: file },
    })
    await other.get(`/v1/batches/${json.id}`)
    expect((await other.get(`/v1/files/${file}`)).status).toBe(404)
    expect((await one.get(`/v1/files/${file}`)).status).toBe(200)
  })

  it('keep what is theirs when the other is deleted', async () => {
    const { one, other, other2 } = await two()
    const id = await other.upload()
    await manage(gateway, 'DELETE', `/projects/${other2.project.id}`)
    expect((await one.get(`/v1/files/${id}`)).status).toBe(404)
  })
})

describe('what a provider forgets by itself', () => {
  it('is remembered for as long, counted anew when it is used, and forgotten then', async () => {
    const DAY = 86_400_000
    let at = Date.UTC(2026, 10, 21)
    const other = await startTestGateway({ upstream: accounts.upstream.url, now: () => at })
    const { secret } = await other.token({}, {})
    const { post, get } = client(other, secret)
    const { id } = (await post('/v1/threads')).json
    const expiry = async () => ((await other.ctx.store.pins.find([id]))[0]!.expiresAt! - Date.UTC(2026, 10, 21)) / DAY
    expect(await expiry()).toBe(90)
    at += 40 * DAY
    await get(`/v1/threads/${id}`)
    expect(await expiry()).toBe(90)
    at += 10 * DAY
    await get(`/v1/threads/${id}`)
    await eventually(async () => (await expiry()) === 140, 'the thread to be remembered for longer')
    expect(await other.ctx.store.pins.deleteExpired(at + 91 * DAY, 10)).toBe(1)
    await other.stop()
  })
})

describe('a pinned object', () => {
  it('outranks where the model would go, and refuses a model of another provider', async () => {
    const { secret } = await gateway.token({}, {})
    const { post } = client(gateway, secret)
    const { id } = (await post('/v1/responses', { model: 'gpt-4o', input: 'Hi' })).json
    expect(
      (await post('/v1/responses', { model: 'openai:gpt-4o', input: 'Hi', previous_response_id: id })).status,
    ).toBe(200)
    expect(
      (await post('/v1/responses', { model: 'claude-sonnet-4-5', input: 'Hi', previous_response_id: id })).status,
    ).toBe(200)
    expect(accounts.upstream.seen.at(-1)!.body.toString()).toContain('claude-sonnet-4-5')
    const refused = await post('/v1/responses', {
      model: 'anthropic:claude-sonnet-4-5',
      input: 'Hi',
      previous_response_id: id,
    })
    expect([refused.status, refused.json.error.param]).toEqual([409, 'model'])
  })

  it('does not open a model that the token may not use', async () => {
    const { secret, project } = await gateway.token({}, {})
    const { id } = (await client(gateway, secret).post('/v1/responses', { model: 'gpt-4o', input: 'Hi' })).json
    const { secret: narrow } = await gateway.token({ projectId: project.id, allowedModels: ['gpt-4o-mini'] })
    const { post } = client(gateway, narrow)
    expect(
      (await post('/v1/responses', { model: 'gpt-4o', input: 'Hi', previous_response_id: id })).json.error.code,
    ).toBe('model_not_allowed')
    expect((await post('/v1/responses', { model: 'gpt-4o-mini', input: 'Hi', previous_response_id: id })).status).toBe(
      200,
    )
  })

  it('is not looked for among more than any provider takes', async () => {
    const { secret } = await gateway.token({}, {})
    const file_ids = Array.from({ length: 2501 }, (_, index) => `file-${index}`)
    const refused = await client(gateway, secret).post('/v1/vector_stores', { file_ids })
    expect([refused.status, refused.json.error.message]).toEqual([
      400,
      'The request names 2501 objects, more than 2500.',
    ])
  })

  it('that nobody made through the gateway goes where it would go anyway', async () => {
    const { secret } = await gateway.token({}, {})
    accounts.of(PROVIDER_KEY).set('file-before', { id: 'file-before', object: 'file' })
    expect((await client(gateway, secret).get('/v1/files/file-before')).status).toBe(200)
  })
})
