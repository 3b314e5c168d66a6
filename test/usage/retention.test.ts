import { readdirSync } from 'node:fs'
import { afterEach, describe, expect, it } from '@jest/globals'
import { keepRequests } from '../../src/usage/retention.ts'
import { makeFolder } from '../helpers/folder.ts'
import { startTestGateway, type TestGateway } from '../helpers/gateway.ts'
import { chat, eventually } from '../helpers/http.ts'

const DAY = 86_400_000
let gateway: TestGateway | null = null
afterEach(async () => {
  await gateway?.stop()
  gateway = null
})

const months = (dataDir: string) => readdirSync(dataDir).filter((name) => /^ledger-[\d-]+\.db$/.test(name))

describe('old requests', () => {
  it('are deleted by the month when the gateway starts, and the others stay', async () => {
    const dataDir = makeFolder()
    let now = Date.now() - 400 * DAY
    gateway = await startTestGateway({ dataDir, now: () => now })
    const { secret } = await gateway.token()
    for (const at of [now, Date.now() - 100 * DAY, Date.now()]) {
      now = at
      await chat(gateway.baseUrl, secret)
    }
    await gateway.stop()
    expect(months(dataDir)).toHaveLength(3)
    gateway = await startTestGateway({ dataDir, config: { requestLogDays: 365 } })
    await eventually(() => months(dataDir).length === 2, 'the oldest month to go')
    expect(await gateway.rows()).toHaveLength(2)
    expect(gateway.logs()).toContain('old requests were deleted')
  })

  it('stay where nothing was said', async () => {
    const asked: number[] = []
    const retention = async (before: number) => {
      asked.push(before)
      return Promise.reject(new Error('not asked for'))
    }
    const ledger = { retention }
    const store = { ledger, bodies: ledger }
    const log = { info() {}, error() {} }
    await keepRequests({ store, days: null, bodyDays: null, log, now: () => 0 }).close()
    expect(asked).toEqual([])
  })

  it('that cannot be deleted are tried again, and said', async () => {
    const said: string[] = []
    let tries = 0
    const ledger = {
      async retention() {
        tries++
        if (tries === 1) throw new Error('busy')
        return []
      },
    }
    const log = { info() {}, error: (message: string) => void said.push(message) }
    const store = { ledger, bodies: { retention: async () => ({ months: [], requests: 0, more: false }) } }
    const { close } = keepRequests({ store, days: 1, bodyDays: null, log, now: () => 0, everyMs: 5 })
    await eventually(() => tries >= 3, 'more tries')
    await close()
    expect(said).toEqual(['old requests could not be deleted; tried again in an hour'])
  })

  it('and old bodies are no concern of each other: one that cannot be deleted does not keep the other', async () => {
    const said: string[] = []
    const asked: number[] = []
    const store = {
      ledger: { retention: () => Promise.reject(new Error('busy')) },
      bodies: {
        async retention(before: number) {
          asked.push(before)
          if (asked.length === 3) throw new Error('busy, too')
          return { months: [], requests: 5, more: asked.length < 2 }
        },
      },
    }
    const log = {
      info: (message: string, fields?: object) => void said.push(`${message} ${JSON.stringify(fields)}`),
      error: (message: string) => void said.push(message),
    }
    const { close } = keepRequests({ store, days: 30, bodyDays: 7, log, now: () => 100 * DAY, everyMs: 5 })
    await eventually(() => asked.length >= 3 && said.length >= 4, 'the second time')
    await close()
    expect(asked.slice(0, 3)).toEqual([93 * DAY, 93 * DAY, 93 * DAY])
    expect(said.slice(0, 4)).toEqual([
      'old requests could not be deleted; tried again in an hour',
      'old bodies were deleted {"files":"","requests":10,"body_log_days":7}',
      'old requests could not be deleted; tried again in an hour',
      'old bodies could not be deleted; tried again in an hour',
    ])
  })

  it('that are many do not hold up the end of the process', async () => {
    let asked = 0
    const bodies = {
      async retention() {
        asked++
        await new Promise((resolve) => setImmediate(resolve))
        return { months: [], requests: 200, more: true }
      },
    }
    const store = { ledger: { retention: async () => [] }, bodies }
    const log = { info() {}, error() {} }
    const { close } = keepRequests({ store, days: null, bodyDays: 7, log, now: () => 100 * DAY })
    await eventually(() => asked > 3, 'some rounds')
    await close()
    const last = asked
    await new Promise((resolve) => setImmediate(resolve))
    expect(asked).toBe(last)
  })
})
