import { expect, it } from '@jest/globals'
import { redact, registerSecret } from '../../src/redact.ts'

const LINE =
  `{"time":"2026-11-21T12:00:00.005Z","level":"info","message":"request","path":"/v1/chat/completions"}\n`.repeat(5)

/** Microseconds of one redaction: the best of many, so that a busy machine does not matter. */
function cost(): number {
  let best = Number.POSITIVE_INFINITY
  for (let i = 0; i < 300; i++) {
    const begun = performance.now()
    redact(LINE)
    best = Math.min(best, performance.now() - begun)
  }
  return best * 1000
}

it('a log line costs no more with the keys of five thousand projects than with none', () => {
  const before = cost()
  const secrets = Array.from({ length: 5_000 }, (_, index) => `odd${index}key${'x'.repeat(20)}${index}`)
  for (const secret of secrets) registerSecret(secret)
  expect(redact(`it is ${secrets[4_321]}!`)).toBe('it is [redacted]!')
  expect(cost()).toBeLessThan(before * 10 + 50)
})
