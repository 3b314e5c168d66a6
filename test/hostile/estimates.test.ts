import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { startTestGateway, type TestGateway } from '../helpers/gateway.ts'
import { chat } from '../helpers/http.ts'
import { chatAnswer, sendJson, startUpstream, type Upstream } from '../helpers/upstream.ts'
import { rowsOf } from './on-the-wire.ts'

let upstream: Upstream
let gateway: TestGateway

beforeAll(async () => {
  upstream = await startUpstream()
})
afterAll(() => upstream.close())
// One each, for the thread that counts may be busy for long after a test.
beforeEach(async () => {
  gateway = await startTestGateway({ upstream: upstream.url })
})
afterEach(() => gateway.stop())

/** One chat whose provider reports no usage: how long it took, and what was booked. */
async function estimated(content: string, answer = 'ok') {
  upstream.script((_req, res) => sendJson(res, 200, { ...chatAnswer(answer), usage: undefined }))
  const { secret, token } = await gateway.token()
  const since = performance.now()
  const { status, ended } = await chat(gateway.baseUrl, secret, { messages: [{ role: 'user', content }] })
  const ms = performance.now() - since
  const [row] = await rowsOf(gateway, token.id, 1)
  return { status, ended, ms, usage: row!.usage }
}

const SLOW_TO_COUNT = ' '.repeat(150_000)

describe('an estimate', () => {
  it('of text made to be slow to count keeps nobody longer than two seconds', async () => {
    const { status, ended, ms, usage } = await estimated(SLOW_TO_COUNT)
    expect([status, ended, usage.source]).toEqual([200, 'clean', 'estimated'])
    expect(ms).toBeLessThan(4_000)
  })

  it('of a plain request is not held up by another caller’s text that is slow to count', async () => {
    const words = 'The quick brown fox jumps over the lazy dog. '.repeat(4)
    const before = await estimated(words)
    await estimated(SLOW_TO_COUNT)
    const after = await estimated(words)
    expect(after.usage).toEqual(before.usage)
    expect(after.ms).toBeLessThan(1_800)
  })

  it('of a long answer counts the answer', async () => {
    const { usage } = await estimated('Tell me a story.', 'once upon a time '.repeat(6_000))
    expect(usage.outputTokens).toBeGreaterThan(10_000)
  })
})
