import { readdirSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type ChildGateway, spawnGateway, startChildGateway } from '../helpers/child.ts'
import { makeFolder } from '../helpers/folder.ts'
import { ask, chat, eventually } from '../helpers/http.ts'
import { startUpstream, type Upstream } from '../helpers/upstream.ts'

let upstream: Upstream
beforeAll(async () => {
  upstream = await startUpstream()
})
afterAll(() => upstream.close())

describe('two gateways on one database', () => {
  let both: [ChildGateway, ChildGateway]
  beforeAll(async () => {
    const dataDir = makeFolder()
    const start = () => startChildGateway({ upstream: upstream.url, dataDir })
    both = [await start(), await start()]
  })
  afterAll(async () => {
    for (const gateway of both) gateway.kill('SIGKILL')
    await Promise.all(both.map(({ exited }) => exited))
  })

  const race = (secret: string, count: number) =>
    Promise.all(Array.from({ length: count }, (_, number) => chat(both[number % 2]!.baseUrl, secret)))

  it('let a token with max_requests through as often as that, not twice as often', async () => {
    const { secret, id } = await both[0].token({ max_requests: 40 })
    const before = upstream.seen.length
    const statuses = (await race(secret, 160)).map(({ status }) => status)
    expect(statuses.filter((status) => status === 200)).toHaveLength(40)
    expect(statuses.filter((status) => status === 429)).toHaveLength(120)
    expect(upstream.seen.length - before).toBe(40)
    const token = await both[1].manage<{ request_count: number }>('GET', `/tokens/${id}`)
    expect(token.request_count).toBe(40)
  })

  it('write each request down once, though both write at once', async () => {
    const { secret, id } = await both[0].token()
    const answers = await race(secret, 200)
    expect(answers.map(({ status }) => status)).toEqual(Array(200).fill(200))
    const usage = await both[0].manage<{ data: { key: string; requests: number }[] }>('GET', '/usage?group_by=token')
    expect(usage.data.find(({ key }) => key === id)?.requests).toBe(200)
    expect((await both[1].manage<{ request_count: number }>('GET', `/tokens/${id}`)).request_count).toBe(200)
  })

  it('both stop a token at once that is revoked at one of them', async () => {
    const { secret, id } = await both[0].token()
    expect((await race(secret, 4)).map(({ status }) => status)).toEqual([200, 200, 200, 200])
    await both[0].manage('POST', `/tokens/${id}/revoke`)
    expect((await race(secret, 4)).map(({ status }) => status)).toEqual([401, 401, 401, 401])
  })
})

describe('a first start that is killed', () => {
  it.each([
    ['as soon as there is a file', () => true],
    ['once it has its secrets', (files: string[]) => files.includes('encryption-key')],
    ['once it has a database', (files: string[]) => files.includes('llm-proxy.db')],
    ['while it fills the database', (files: string[]) => files.includes('llm-proxy.db-wal')],
  ])('%s does not spoil the next one', async (_when, isTime) => {
    const dataDir = makeFolder()
    const env = { MANAGEMENT_TOKEN: undefined }
    const first = spawnGateway({ dataDir, env })
    await eventually(() => {
      const files = readdirSync(dataDir)
      return files.length > 0 && isTime(files)
    }, 'its files')
    first.kill('SIGKILL')
    await first.exited
    const second = await startChildGateway({ dataDir, env })
    expect((await ask(`${second.url}/ready`)).status).toBe(200)
    second.kill('SIGTERM')
    expect((await second.exited).code).toBe(0)
  })
})
