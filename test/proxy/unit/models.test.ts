import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { startTestGateway, type TestGateway } from '../../helpers/gateway.ts'
import { ask, eventually } from '../../helpers/http.ts'
import { sendJson, startUpstream, type Upstream } from '../../helpers/upstream.ts'

const MODELS = ['gpt-4o', 'gpt-4o-mini', 'o3', 'text-embedding-3-small']
const card = (id: string) => ({ id, object: 'model', created: 1, owned_by: 'system', extra: { of: 'theirs' } })
/** As the gateway lists them: each by its name, and with its provider before it. */
const both = (ids: string[]) => [...ids, ...ids.map((id) => `openai:${id}`)]

let upstream: Upstream
let gateway: TestGateway

beforeEach(async () => {
  upstream = await startUpstream((_req, res) => sendJson(res, 200, { object: 'list', data: MODELS.map(card), more: 1 }))
  gateway = await startTestGateway({ upstream: upstream.url })
})
afterEach(async () => {
  jest.restoreAllMocks()
  await gateway.stop()
  await upstream.close()
})

const list = async (secret: string, path = '/models') => {
  const answer = await ask(`${gateway.baseUrl}${path}`, { headers: { authorization: `Bearer ${secret}` } })
  const body = JSON.parse(answer.body.toString()) as {
    object?: string
    data?: { id: string }[]
    error?: { code: string; message: string }
  }
  return { answer, status: answer.status, body, ids: body.data?.map(({ id }) => id) }
}
/** As if so much time had passed for all who measure it. */
function advance(ms: number): void {
  const now = performance.now.bind(performance)
  jest.spyOn(performance, 'now').mockImplementation(() => now() + ms)
}

describe('the list of models', () => {
  it('is the provider’s, with all it says of each, by name and with the provider’s name before it', async () => {
    const { secret } = await gateway.token()
    const { status, body, answer } = await list(secret)
    const data = both(MODELS).map((id, index) => ({ ...card(MODELS[index % MODELS.length]!), id, provider: 'openai' }))
    expect([status, body]).toEqual([200, { object: 'list', data }])
    expect(answer.header('content-type')).toContain('application/json')
    expect(answer.header('x-llm-proxy-unavailable')).toBeUndefined()
    const seen = upstream.seen[0]!
    expect([seen.method, seen.url, seen.headers.authorization]).toEqual([
      'GET',
      '/v1/models',
      'Bearer sk-provider-secret-key-0000000000000000',
    ])
  })

  it.each([
    [{ allowedModels: ['gpt-*'] }, {}, both(['gpt-4o', 'gpt-4o-mini'])],
    [{ allowedModels: ['openai:o3', 'openai/gpt-4o'] }, {}, both(['gpt-4o', 'o3'])],
    [{ allowedModels: ['gpt-*'] }, { allowedModels: ['*-mini'] }, both(['gpt-4o-mini'])],
    [{}, { allowedModels: ['o3'] }, both(['o3'])],
    [{ allowedModels: [] }, {}, []],
    [{ allowedModels: ['mistral:*'] }, {}, []],
  ])('leaves out what token %j of project %j may not use', async (token, project, expected) => {
    const { secret } = await gateway.token(token, project)
    expect((await list(secret)).ids).toEqual(expected)
  })

  it('is asked for once in five minutes for each key, whoever asks', async () => {
    const { secret } = await gateway.token()
    const { secret: other } = await gateway.token({ allowedModels: ['o3'] })
    await list(secret)
    expect((await list(other)).ids).toEqual(both(['o3']))
    for (const path of ['/models/', '/models?limit=2', '//models']) await list(secret, path)
    expect(upstream.seen).toHaveLength(1)
    advance(5.1 * 60_000)
    expect((await list(secret)).ids).toEqual(both(MODELS))
    expect(upstream.seen).toHaveLength(2)
  })

  it('is asked for once by all who want it at the same time', async () => {
    const { secret } = await gateway.token()
    const lists = await Promise.all(Array.from({ length: 20 }, () => list(secret)))
    expect(lists.map(({ ids }) => ids)).toEqual(lists.map(() => both(MODELS)))
    expect(upstream.seen).toHaveLength(1)
  })

  it('is asked for again after five minutes, however often it was used in between', async () => {
    const { secret } = await gateway.token()
    await list(secret)
    for (const minutes of [2, 4, 6]) {
      advance(minutes * 60_000)
      await list(secret)
      jest.restoreAllMocks()
    }
    expect(upstream.seen).toHaveLength(2)
  })

  it('is another one for the key of another project', async () => {
    const { secret } = await gateway.token()
    await list(secret)
    const { secret: theirs, project } = await gateway.token({}, {})
    const sealed = gateway.ctx.sealer.seal('sk-their-own-key')
    const stamp = {
      id: 'aud_k',
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
    await gateway.ctx.store.providerKeys.create(
      { id: 'key_1', projectId: project.id, provider: 'openai', sealed, last4: 'xxxx', weight: 1, createdAt: 1 },
      stamp,
    )
    await list(theirs)
    expect(upstream.seen.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer sk-provider-secret-key-0000000000000000',
      'Bearer sk-their-own-key',
    ])
  })

  it('is booked like any request, also when it comes from memory', async () => {
    const { secret } = await gateway.token()
    await list(secret)
    await list(secret)
    const rows = await gateway.rows()
    expect(rows).toMatchObject([
      { endpoint: '/v1/models', status: 200, model: null, error: null, attempts: [{ outcome: 'answered' }] },
      { endpoint: '/v1/models', status: 200, model: null, error: null, attempts: [] },
    ])
    expect(rows[0]!.responseBytes).toBe(rows[1]!.responseBytes)
    expect(rows[0]!.costNanoUsd).toBe(0n)
  })

  it('is for nobody who has left in the meantime, and does not stop the question', async () => {
    const { secret } = await gateway.token()
    let answerNow = () => {}
    upstream.script((_req, res) => {
      answerNow = () => sendJson(res, 200, { data: MODELS.map(card) })
    })
    const controller = new AbortController()
    const left = fetch(`${gateway.baseUrl}/models`, {
      headers: { authorization: `Bearer ${secret}` },
      signal: controller.signal,
    }).catch(() => 'left')
    await upstream.next()
    controller.abort()
    expect(await left).toBe('left')
    await eventually(() => gateway.ctx.life.running === 0, 'that he is gone')
    const waiting = list(secret)
    await eventually(() => gateway.ctx.life.running === 1, 'the next one')
    answerNow()
    expect((await waiting).ids).toEqual(both(MODELS))
    expect(upstream.seen).toHaveLength(1)
    expect((await gateway.rows()).map(({ status }) => status).sort()).toEqual([200, 499])
  })
})

describe('the only provider, when it does not give its list', () => {
  it.each([500, 429, 404])('but an error %d, is told as 502, and is asked again the next time', async (status) => {
    const { secret } = await gateway.token()
    upstream.script((_req, res) => sendJson(res, status, { error: { message: 'not now' } }))
    const { status: told, body } = await list(secret)
    expect([told, body.error?.code]).toEqual([502, 'upstream_unreachable'])
    expect(body.error?.message).toContain('`openai`')
    expect((await gateway.rows()).at(-1)).toMatchObject({ status: 502, attempts: [{ status, outcome: 'failed' }] })
    expect(gateway.logs()).toContain('not now')
    upstream.script((_req, res) => sendJson(res, 200, { data: MODELS.map(card) }))
    expect((await list(secret)).ids).toEqual(both(MODELS))
  })

  it.each([401, 403])(
    'because it refuses our key with %d, is told as that, not as the caller’s fault',
    async (status) => {
      const { secret } = await gateway.token()
      upstream.script((_req, res) => sendJson(res, status, { error: { message: 'who?' } }))
      const { status: told, body, answer } = await list(secret)
      expect([told, body.error?.code, answer.header('x-should-retry')]).toEqual([502, 'upstream_auth_failed', 'false'])
    },
  )

  it.each(['{"data":[', 'null', '"x"', '', '{"models":[]}'])('because it says %j, is told as 502', async (text) => {
    const { secret } = await gateway.token()
    upstream.script((_req, res) => void res.writeHead(200, { 'content-type': 'application/json' }).end(text))
    expect(await list(secret)).toMatchObject({ status: 502 })
  })

  it('in one of its entries, is served without that', async () => {
    const { secret } = await gateway.token()
    upstream.script((_req, res) => sendJson(res, 200, { data: [null, 5, {}, { id: 7 }, card('gpt-4o')] }))
    expect((await list(secret)).ids).toEqual(both(['gpt-4o']))
  })

  it('of a sane size, does not fill the memory', async () => {
    const { secret } = await gateway.token()
    upstream.script((_req, res) => sendJson(res, 200, { data: [card('x'.repeat(9 * 1024 * 1024))] }))
    expect(await list(secret)).toMatchObject({ status: 502 })
  })

  it('in time, is told as 502', async () => {
    const { secret } = await gateway.token()
    upstream.script(() => {})
    const listing = list(secret)
    await upstream.next()
    advance(4_001)
    expect(await listing).toMatchObject({ status: 502 })
  })

  it('and quotes our key, does not get it into the log', async () => {
    const { secret } = await gateway.token()
    upstream.script((_req, res, { headers }) =>
      sendJson(res, 500, { error: { message: `no ${headers.authorization}` } }),
    )
    await list(secret)
    expect(gateway.logs()).not.toContain('sk-provider-secret')
  })
})
