import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { readdirSync } from 'node:fs'
import { ServerResponse } from 'node:http'
import { describe, expect, it } from '@jest/globals'
import { makeFolder } from '../helpers/folder.ts'
import { ask, chat, eventually } from '../helpers/http.ts'
import { startUpstream, streamChat } from '../helpers/upstream.ts'
import { given } from './given.ts'

const OFF = { request: false, response: false }
const filesIn = (dataDir: string) => readdirSync(dataDir).filter((name) => name.startsWith('bodies-'))
const idOf = (answer: { header(name: string): string | undefined }) => answer.header('x-llm-proxy-request-id')!
const errorOf = (answer: { body: Buffer }) =>
  (JSON.parse(answer.body.toString()) as { error: { message: string; code: string; details?: { reason: string } } })
    .error

describe('a gateway that is not told to keep bodies', () => {
  it('keeps none, makes no file, and says that it is off', async () => {
    const { gateway, upstream, secret, read } = await given({ keeps: OFF })
    const answers = [await chat(gateway.baseUrl, secret)]
    upstream.script(streamChat(['one']))
    answers.push(await chat(gateway.baseUrl, secret, { stream: true }))
    for (const answer of answers) {
      const refused = await read(idOf(answer))
      expect([refused.status, errorOf(refused)]).toEqual([
        404,
        expect.objectContaining({
          code: 'not_found',
          message: expect.stringContaining('REQUEST_LOGGING'),
          details: { reason: 'off' },
        }),
      ])
    }
    expect(filesIn(gateway.dataDir)).toEqual([])
    expect(gateway.ctx.bodies).toBeNull()
    expect(gateway.logs()).not.toContain('bodies are kept')
  })

  it('answers with Node’s own responses: nothing is added to what each piece of an answer costs', async () => {
    const seen: { response: ServerResponse }[] = []
    const note = (message: unknown) => void seen.push(message as (typeof seen)[number])
    subscribe('http.server.request.start', note)
    const isOwn = async (keeps: object) => {
      const { gateway, secret } = await given({ keeps })
      await chat(gateway.baseUrl, secret)
      const { response } = seen.find(({ response }) => response.req.headers.authorization === `Bearer ${secret}`)!
      return response.constructor === ServerResponse
    }
    expect([await isOwn(OFF), await isOwn({ response: false }), await isOwn({ request: false })]).toEqual([
      true,
      true,
      false,
    ])
    unsubscribe('http.server.request.start', note)
  })

  it('still reads what was kept before', async () => {
    const dataDir = makeFolder()
    const upstream = await startUpstream()
    const before = await given({ dataDir, upstream })
    const answer = await chat(before.gateway.baseUrl, before.secret)
    await before.bodiesOf(answer)
    await before.gateway.close(0)
    const { bodiesOf } = await given({ dataDir, upstream, keeps: OFF })
    expect((await bodiesOf(answer)).response!.status).toBe(200)
  })
})

describe('a gateway that is told to keep one side', () => {
  it.each([
    ['requests', { request: true, response: false }],
    ['answers', { request: false, response: true }],
  ])('keeps that one alone: %s', async (_what, keeps) => {
    const { gateway, secret, bodiesOf } = await given({ keeps })
    const { request, response } = await bodiesOf(await chat(gateway.baseUrl, secret))
    expect([request !== null, response !== null]).toEqual([keeps.request, keeps.response])
  })

  it('says at its start what it keeps', async () => {
    const { gateway } = await given({ keeps: { request: false, days: 7 } })
    expect(gateway.logs()).toMatch(/"message":"bodies are kept","request":false,"response":true,"days":7/)
  })
})

describe('nothing is kept', () => {
  it('of callers whom nobody knows', async () => {
    const { gateway, secret, bodiesOf } = await given()
    const stranger = await chat(gateway.baseUrl, `sk-${'x'.repeat(43)}`)
    expect(stranger.status).toBe(401)
    await bodiesOf(await chat(gateway.baseUrl, secret))
    expect(await gateway.ctx.store.bodies.get({ requestId: idOf(stranger), at: Date.now() })).toBeNull()
    const metrics = await gateway.ctx.metrics.registry.metrics()
    expect(metrics).toContain('llmproxy_body_log_total{result="kept"} 1')
  })

  it('of what nobody asked, and it says so', async () => {
    const { read } = await given()
    const refused = await read('req_unknown')
    expect([refused.status, errorOf(refused).message]).toEqual([404, 'There is no such request.'])
  })

  it('of requests before, and it says so', async () => {
    const dataDir = makeFolder()
    const upstream = await startUpstream()
    const before = await given({ dataDir, upstream, keeps: OFF })
    const answer = await chat(before.gateway.baseUrl, before.secret)
    await before.gateway.close(0)
    const { read } = await given({ dataDir, upstream })
    expect(errorOf(await read(idOf(answer))).details).toEqual({ reason: 'not_kept' })
  })
})

describe('reading bodies', () => {
  it('needs the management token, and is in the audit log', async () => {
    const { gateway, secret, bodiesOf } = await given()
    const answer = await chat(gateway.baseUrl, secret)
    const path = `${gateway.url}/manage/requests/${idOf(answer)}/bodies`
    expect((await ask(path)).status).toBe(401)
    expect((await ask(path, { headers: { authorization: `Bearer ${secret}` } })).status).toBe(401)
    await bodiesOf(answer)
    const { data } = await gateway.ctx.store.audit.list({ action: 'request.read_bodies' }, { limit: 10 })
    const row = (await gateway.rows())[0]!
    expect(data).toMatchObject([
      { actor: 'management_token', targetId: idOf(answer), projectId: row.projectId, outcome: 'success' },
    ])
  })

  it('finds them as soon as the row is there, also with many on their way', async () => {
    const { gateway, secret, read } = await given()
    const answers = await Promise.all(Array.from({ length: 50 }, () => chat(gateway.baseUrl, secret)))
    await eventually(() => gateway.ctx.life.running === 0, 'all connections to be closed')
    for (const answer of answers) expect((await read(idOf(answer))).status).toBe(200)
  })

  it('is told of in the status, with what they take', async () => {
    const { gateway, secret, bodiesOf } = await given({ keeps: { days: 30 } })
    await bodiesOf(await chat(gateway.baseUrl, secret))
    const answer = await ask(`${gateway.url}/manage/status`, {
      headers: { authorization: `Bearer ${gateway.ctx.managementToken}` },
    })
    expect(JSON.parse(answer.body.toString())).toMatchObject({
      body_log: { request: true, response: true, days: 30, size_bytes: expect.any(Number) },
    })
  })
})
