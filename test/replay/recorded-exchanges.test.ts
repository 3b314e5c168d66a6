import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { fixturesFolder, NO_FIXTURES, RECORDINGS, recordedExchanges, type WireExchange } from '../helpers/fixtures.ts'
import { type Bench, routeOf, startBench } from './bench.ts'
import { replay, variantsOf } from './replay.ts'

/** APIs of other formats, and what stands beside an API. */
const ELSEWHERE = /^(?:api\.anthropic\.com|[\w.-]+\.googleapis\.com|localhost) /

if (fixturesFolder === null) {
  it.skip(`replays recorded exchanges byte for byte (${NO_FIXTURES})`, () => {})
}

let bench: Bench
beforeAll(async () => {
  bench = await startBench()
})
afterAll(() => bench.close())

for (const source of fixturesFolder === null ? [] : RECORDINGS) {
  const exchanges = recordedExchanges(source)
  const replayed = exchanges.filter((exchange) => routeOf(exchange) !== null)

  describe(`recorded by ${source}`, () => {
    for (const [host, ofHost] of Map.groupBy(replayed, ({ host }) => host)) {
      const requests = ofHost.flatMap((exchange) => variantsOf(exchange).map((variant) => ({ exchange, variant })))
      it(`${ofHost.length} exchanges with ${host}, sent in ${requests.length} ways, pass byte for byte and are booked as reported`, async () => {
        const differences: string[] = []
        for (const { exchange, variant } of requests) differences.push(...(await replay(bench, exchange, variant)))
        expect(differences).toEqual([])
      })
    }

    it('leaves out only what is not of OpenAI’s dialect', () => {
      const left = exchanges.filter((exchange: WireExchange) => routeOf(exchange) === null)
      expect(left.map(({ host, path }) => `${host} ${path}`).filter((place) => !ELSEWHERE.test(place))).toEqual([])
    })
  })
}
