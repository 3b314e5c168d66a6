import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { samples } from '../fixtures/index.ts'
import { asOnePiece, type Bench, byteByByte, startBench } from './bench.ts'
import { expectedOf } from './expected.ts'
import { replay, variantsOf } from './replay.ts'

let bench: Bench
beforeAll(async () => {
  bench = await startBench()
})
afterAll(() => bench.close())

/** Small enough to come byte by byte. */
const SHORT = 8_000

describe('every shape of answer passes byte for byte, and the ledger says what it reported', () => {
  for (const sample of samples) {
    it(sample.name, async () => {
      const differences: string[] = []
      for (const variant of variantsOf(sample)) {
        for (const pieces of [undefined, asOnePiece, ...(sample.responseBody.length < SHORT ? [byteByByte] : [])]) {
          differences.push(...(await replay(bench, sample, variant, pieces)))
        }
      }
      expect(differences).toEqual([])
      expect(readApart(sample)).toEqual(sample.usage)
    })
  }
})

/** The reading that recorded traffic is held against, held against what the sample says of itself. */
const readApart = (sample: (typeof samples)[number]) =>
  expectedOf({ ...sample, contentType: sample.responseHeaders['content-type']!, body: sample.responseBody }).usage
