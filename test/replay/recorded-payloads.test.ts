import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { fixturesFolder, NO_FIXTURES, recordedPayloads } from '../helpers/fixtures.ts'
import { type Bench, startBench } from './bench.ts'
import { PAYLOAD_HOSTS, toExchanges } from './payloads.ts'
import { replay, variantsOf } from './replay.ts'

if (fixturesFolder === null) {
  it.skip(`replays recorded payloads byte for byte (${NO_FIXTURES})`, () => {})
}

let bench: Bench
beforeAll(async () => {
  bench = await startBench()
})
afterAll(() => bench.close())

describe('payloads recorded by vercel-ai', () => {
  for (const provider of fixturesFolder === null ? [] : Object.keys(PAYLOAD_HOSTS)) {
    const exchanges = recordedPayloads(provider).flatMap(toExchanges)
    it(`${exchanges.length} answers of ${provider} pass byte for byte and are booked as reported`, async () => {
      const differences: string[] = []
      for (const exchange of exchanges) {
        for (const variant of variantsOf(exchange)) differences.push(...(await replay(bench, exchange, variant)))
      }
      expect(differences).toEqual([])
    })
  }
})
