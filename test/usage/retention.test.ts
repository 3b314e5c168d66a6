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
    const ledger = {
      async retention(before: number) {
        asked.push(before)
        return []
      },
    }
    await keepRequests({ ledger, days: null, log: { info() {}, error() {} }, now: () => 0 }).close()
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
    const { close } = keepRequests({ ledger, days: 1, log, now: () => 0, everyMs: 5 })
    await eventually(() => tries >= 3, 'more tries')
    await close()
    expect(said).toEqual(['old requests could not be deleted; tried again in an hour'])
  })
})
