import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import Sqlite from 'better-sqlite3'
import { type RawBodies, StoreError } from '../../src/store/store.ts'
import { startChildGateway } from '../helpers/child.ts'
import { makeFolder } from '../helpers/folder.ts'
import { chat, eventually, type RawAnswer } from '../helpers/http.ts'
import { ledgerOf } from '../helpers/ledger-files.ts'
import { chatAnswer, startUpstream } from '../helpers/upstream.ts'
import { given, reading } from './given.ts'

const DAY = 86_400_000
const KEEPS = { REQUEST_LOGGING: 'true', RESPONSE_LOGGING: 'true' }
const idOf = (answer: RawAnswer) => answer.header('x-llm-proxy-request-id')!
const filesIn = (dataDir: string) => readdirSync(dataDir).filter((name) => /^bodies-.*\.db$/.test(name))
const keptIn = (dataDir: string) =>
  filesIn(dataDir).flatMap((name) => {
    const file = new Sqlite(join(dataDir, name), { readonly: true })
    expect(file.pragma('integrity_check', { simple: true })).toBe('ok')
    const ids = file.prepare<[], string>('SELECT request_id FROM bodies').pluck().all()
    file.close()
    return ids
  })

describe('bodies of requests just answered', () => {
  it('are written before the process ends, on SIGTERM', async () => {
    const upstream = await startUpstream()
    const gateway = await startChildGateway({ upstream: upstream.url, env: KEEPS })
    const { secret } = await gateway.token()
    const answers = await Promise.all(Array.from({ length: 100 }, () => chat(gateway.baseUrl, secret)))
    gateway.kill('SIGTERM')
    expect(await gateway.exited).toEqual({ code: 0, signal: null })
    expect(keptIn(gateway.dataDir).sort()).toEqual(answers.map(idOf).sort())
    expect(gateway.stderr()).toBe('')
    await upstream.close()
  })

  it('may be lost to kill -9: their rows are not, the file is sound, and the next start goes on', async () => {
    const upstream = await startUpstream()
    const dataDir = makeFolder()
    const first = await startChildGateway({ upstream: upstream.url, env: KEEPS, dataDir })
    const { secret } = await first.token()
    const answers = await Promise.all(Array.from({ length: 100 }, () => chat(first.baseUrl, secret)))
    first.kill('SIGKILL')
    await first.exited
    const rows = ledgerOf(dataDir, (month) =>
      month.prepare<[], string>('SELECT request_id FROM requests').pluck().all(),
    )
    expect(rows.sort()).toEqual(answers.map(idOf).sort())
    for (const id of keptIn(dataDir)) expect(rows).toContain(id)
    const second = await startChildGateway({ upstream: upstream.url, env: KEEPS, dataDir })
    const answer = await chat(second.baseUrl, secret)
    expect((await reading(second).bodiesOf(answer)).response!.body.text).toBe(JSON.stringify(chatAnswer()))
    second.kill('SIGKILL')
    await second.exited
    await upstream.close()
  })
})

describe('when bodies cannot be written', () => {
  it('answers and their rows are as ever; it is counted and told, and goes on by itself', async () => {
    const { gateway, secret, bodiesOf, read } = await given()
    const { bodies } = gateway.ctx.store
    const append = bodies.append
    let isFull = true
    bodies.append = (batch: RawBodies[]) =>
      isFull ? Promise.reject(new StoreError('full', 'The disk that holds it is full.')) : append(batch)
    const answers = await Promise.all(Array.from({ length: 20 }, () => chat(gateway.baseUrl, secret)))
    for (const answer of answers) expect([answer.status, answer.ended]).toEqual([200, 'clean'])
    expect(await gateway.rows()).toHaveLength(20)
    const lost = 'llmproxy_body_log_total{result="failed"} 20'
    await eventually(async () => (await gateway.ctx.metrics.registry.metrics()).includes(lost), 'the count')
    const said = gateway
      .logs()
      .split('\n')
      .filter((line) => line.includes('bodies of requests were not kept'))
    expect(said).toHaveLength(1)
    expect(said[0]).toContain('The disk that holds it is full.')
    expect((await read(idOf(answers[0]!))).status).toBe(404)
    isFull = false
    expect(await bodiesOf(await chat(gateway.baseUrl, secret))).toMatchObject({ response: { status: 200 } })
  })

  it('more requests than may wait lose theirs, and none waits for them', async () => {
    const { gateway, secret } = await given({ keeps: { maxBytes: 1024 * 1024 } })
    const { bodies } = gateway.ctx.store
    const batches: (() => void)[] = []
    const append = bodies.append
    bodies.append = async (batch: RawBodies[]) => {
      await new Promise<void>((resolve) => batches.push(resolve))
      return append(batch)
    }
    const content = 'words and words '.repeat(65_536)
    const ask = () => chat(gateway.baseUrl, secret, { content })
    await ask()
    await eventually(() => batches.length === 1, 'the first to be on its way')
    const answers = []
    for (let i = 0; i < 40; i++) answers.push(await ask())
    for (const answer of answers) expect(answer.status).toBe(200)
    const lost = async () =>
      Number(/body_log_total\{result="queue_full"\} (\d+)/.exec(await gateway.ctx.metrics.registry.metrics())?.[1])
    // Of 40 with a little more than a megabyte each, 31 may wait in 32 MB.
    await eventually(async () => (await lost()) === 9, 'the count')
    for (const go of batches) go()
    await eventually(() => batches.length === 2, 'the second batch')
    batches[1]!()
    expect(await gateway.rows()).toHaveLength(41)
  })
})

describe('old bodies', () => {
  it('go so many days after their request, and the requests stay', async () => {
    const dataDir = makeFolder()
    const upstream = await startUpstream()
    const today = Date.now()
    let now = today - 400 * DAY
    const before = await given({ dataDir, upstream, now: () => now })
    const answers: RawAnswer[] = []
    for (const age of [400, 8, 6, 0]) {
      now = today - age * DAY
      answers.push(await chat(before.gateway.baseUrl, before.secret))
      await before.bodiesOf(answers.at(-1)!)
    }
    await before.gateway.close(0)
    const { gateway, read } = await given({ dataDir, upstream, keeps: { days: 7 } })
    const found = async () =>
      (await Promise.all(answers.map((answer) => read(idOf(answer))))).map(({ status }) => status)
    await eventually(async () => (await found()).join() === '404,404,200,200', 'the old ones to go')
    const refused = JSON.parse((await read(idOf(answers[1]!))).body.toString()) as { error: { details: object } }
    expect(refused.error).toMatchObject({ message: expect.stringContaining('7 days'), details: { reason: 'deleted' } })
    expect(await gateway.rows()).toHaveLength(4)
    expect(gateway.logs()).toContain('old bodies were deleted')
  })

  it('go on going when no new ones are kept', async () => {
    const dataDir = makeFolder()
    const upstream = await startUpstream()
    const before = await given({ dataDir, upstream, now: () => Date.now() - 100 * DAY })
    await before.bodiesOf(await chat(before.gateway.baseUrl, before.secret))
    await before.gateway.close(0)
    expect(filesIn(dataDir)).toHaveLength(1)
    await given({ dataDir, upstream, keeps: { request: false, response: false, days: 7 } })
    await eventually(() => filesIn(dataDir).length === 0, 'the file to go')
  })

  it('stay after their token and project are deleted, as the requests do', async () => {
    const { gateway, secret, token, bodiesOf } = await given()
    const answer = await chat(gateway.baseUrl, secret)
    const headers = { authorization: `Bearer ${gateway.ctx.managementToken}` }
    const gone = await fetch(`${gateway.url}/manage/tokens/${token.id}`, { method: 'DELETE', headers })
    expect(gone.status).toBe(204)
    expect((await bodiesOf(answer)).response!.status).toBe(200)
  })
})
