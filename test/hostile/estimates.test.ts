import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { startTestGateway, type TestGateway } from '../helpers/gateway.ts'
import { chat } from '../helpers/http.ts'
import { chatAnswer, sendJson, startUpstream, type Upstream } from '../helpers/upstream.ts'
import { rowsOf } from './on-the-wire.ts'

let upstream: Upstream
let gateway: TestGateway

beforeAll(async () => {
  upstream = await startUpstream()
  gateway = await startTestGateway({ upstream: upstream.url })
})
afterAll(async () => {
  await gateway.stop()
  await upstream.close()
})

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

describe('an estimate', () => {
  it('of text made to be slow to count keeps nobody longer than two seconds', async () => {
    for (const text of [' '.repeat(150_000), 'a'.repeat(300_000), '한'.repeat(100_000)]) {
      const { status, ended, ms, usage } = await estimated(text)
      expect([status, ended, usage.source]).toEqual([200, 'clean', 'estimated'])
      expect(ms).toBeLessThan(4_000)
    }
  })

  // REPORTED as `tokeniser-blocked`: 200,000 spaces keep the one worker for over a minute; all others get rough counts, two seconds late.
  it.failing('of a plain request is not held up by another caller’s text that is slow to count', async () => {
    const words = 'The quick brown fox jumps over the lazy dog. '.repeat(4)
    await estimated(' '.repeat(150_000))
    const { ms, usage } = await estimated(words)
    expect(ms).toBeLessThan(1_500)
    expect(usage.inputTokens).toBe(41)
  })

  // REPORTED as `large-answer-uncounted` (past 64 KB the text of a JSON answer is not kept).
  it.failing('of a long answer counts the answer', async () => {
    const { usage } = await estimated('Tell me a story.', 'once upon a time '.repeat(6_000))
    expect(usage.outputTokens).toBeGreaterThan(10_000)
  })
})
