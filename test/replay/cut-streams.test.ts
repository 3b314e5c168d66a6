import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { cutSamples } from '../fixtures/cut.ts'
import type { Sample } from '../fixtures/sample.ts'
import { asOnePiece, type Bench, byteByByte, type Ending, startBench } from './bench.ts'
import { withoutUsage } from './expected.ts'

let bench: Bench
beforeAll(async () => {
  bench = await startBench()
})
afterAll(() => bench.close())

const ENDINGS: { ending: Ending; how: string }[] = [
  { ending: 'closed', how: 'when the connection is lost' },
  { ending: 'ended', how: 'when the provider ends it as if it were whole' },
]

describe.each(ENDINGS)('a stream that stops early ends in an error and a broken connection, $how', ({ ending }) => {
  for (const sample of cutSamples) {
    it.each([asOnePiece, byteByByte])(`${sample.name} ($how)`, async ({ cut }) => {
      const { answer, row } = await bench.run(sample, sample.requestBody, cut, ending)
      const body = answer.body.toString()
      expect(answer.ended).toBe('broken')
      expect(body.startsWith(shownTo(sample))).toBe(true)
      expect(JSON.parse(lastData(body))).toMatchObject({ error: { code: 'upstream_cut', type: 'api_error' } })
      expect(row).toMatchObject({ status: 200, error: 'upstream_cut', stream: true })
      expect(row!.usage.source).toBe(isText(sample) ? 'estimated' : 'none')
      if (body.includes('Once')) expect(row!.usage.outputTokens > 0).toBe(isText(sample))
    })
  }
})

/** Whole events, as a client gets them who asked for usage or did not. */
function shownTo({ requestBody, responseBody, path }: Sample): string {
  const whole = responseBody.subarray(0, responseBody.lastIndexOf('\n\n') + 2)
  const asked = requestBody.includes('include_usage') || !path.includes('completions')
  return (asked ? whole : withoutUsage(whole)).toString()
}

const isText = ({ path }: Sample) => !/\/(?:audio|images)\//.test(path)

const lastData = (body: string) =>
  body
    .trimEnd()
    .split('\n')
    .at(-1)!
    .replace(/^data: /, '')
