import { afterEach, describe, expect, it } from '@jest/globals'
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'
import { createEstimator, type Estimator } from '../../src/usage/estimate.ts'
import { eventually } from '../helpers/http.ts'

let estimator: Estimator
let failures: unknown[] = []
afterEach(() => estimator.close())

/** An estimator whose worker is up. */
async function started(): Promise<Estimator> {
  failures = []
  estimator = createEstimator((error) => failures.push(error))
  estimator.warm()
  await eventually(async () => (await estimator.estimate(body('Hello, world!'), '')).inputTokens === 6, 'the worker')
  return estimator
}
const body = (content: string) =>
  Buffer.from(JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content }] }))

describe('an estimate', () => {
  it('counts the tokens of OpenAI’s current encoding', async () => {
    await started()
    for (const [text, tokens] of [
      ['', 0],
      ['Hello, world!', 4],
      ['tiktoken is great!', 6],
      ['antidisestablishmentarianism', 6],
      ['お誕生日おめでとう', 8],
    ] as const) {
      expect([text, (await estimator.estimate(body(''), text)).outputTokens]).toEqual([text, tokens])
    }
  })

  it('of the input counts its text, not its JSON, its images or its model', async () => {
    await started()
    const content = [
      { type: 'text', text: 'What is it?' },
      { type: 'image_url', image_url: { url: `data:image/png;base64,${'A'.repeat(9_000)}` } },
    ]
    const request = Buffer.from(JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content }] }))
    const { inputTokens, source } = await estimator.estimate(request, '')
    expect([inputTokens, source]).toEqual([countTokens('user\ntext\nWhat is it?\nimage_url'), 'estimated'])
  })

  it.each(['', 'no JSON', '[]', 'null', '"text"', '{"messages":7}'])(
    'of a request that is %j is zero',
    async (text) => {
      await started()
      expect(await estimator.estimate(Buffer.from(text), 'Hello, world!')).toEqual({
        inputTokens: 0,
        outputTokens: 4,
        cachedTokens: 0,
        cacheWriteTokens: 0,
        reasoningTokens: 0,
        details: null,
        source: 'estimated',
      })
    },
  )

  it('of a very long text is near the truth', async () => {
    await started()
    const text = 'The quick brown fox jumps over the lazy dog. '.repeat(10_000)
    const { outputTokens } = await estimator.estimate(body(''), text)
    expect(Math.abs(outputTokens / 100_000 - 1)).toBeLessThan(0.02)
  })
})

describe('a worker that fails', () => {
  /** No text is like this: it stands for whatever may go wrong. */
  const poison = { length: 8 } as unknown as string

  it('leaves a rough estimate, four characters a token, and says so', async () => {
    await started()
    expect(await estimator.estimate(Buffer.alloc(40, 'x'), poison)).toEqual({
      inputTokens: 10,
      outputTokens: 2,
      cachedTokens: 0,
      cacheWriteTokens: 0,
      reasoningTokens: 0,
      details: null,
      source: 'estimated',
    })
    expect(failures).toHaveLength(1)
  })

  it('gives all who wait a rough estimate, and is started again for the next', async () => {
    await started()
    const first = estimator.estimate(body('a'), poison)
    const waiting = Array.from({ length: 20 }, () => estimator.estimate(Buffer.alloc(40, 'x'), 'four'))
    await first
    for (const { outputTokens } of await Promise.all(waiting)) expect(outputTokens).toBe(1)
    await eventually(
      async () => (await estimator.estimate(body(''), 'Hello, world!')).outputTokens === 4,
      'a new worker',
    )
  })
})

describe('a text made to do harm', () => {
  it('does not stop the worker: what looks like a special token is a text', async () => {
    await started()
    await estimator.estimate(body(''), 'The end is <|endoftext|> they say')
    await estimator.estimate(body('<|im_start|><|endofprompt|>'), '')
    expect(failures).toEqual([])
  })

  it('does not keep the others waiting: a long run without blanks', async () => {
    await started()
    void estimator.estimate(body(''), 'a'.repeat(100_000))
    const { outputTokens } = await estimator.estimate(body(''), 'antidisestablishmentarianism')
    expect(outputTokens).toBe(6)
  })
})

it('many at once: a thousand wait, and the others get a rough estimate at once', async () => {
  estimator = createEstimator(() => {})
  const answered: number[] = []
  const all = Array.from({ length: 3_000 }, (_, index) =>
    estimator.estimate(Buffer.alloc(4), 'x'.repeat(40)).then((usage) => {
      answered.push(index)
      return usage
    }),
  )
  await new Promise((resolve) => setImmediate(resolve))
  expect(answered).toHaveLength(2_000)
  expect(Math.min(...answered)).toBe(1_000)
  const usages = await Promise.all(all)
  expect(usages.every(({ source, outputTokens }) => source === 'estimated' && outputTokens > 0)).toBe(true)
})

it('nobody waits longer than two seconds, also when the worker is closed under him', async () => {
  await started()
  const begun = performance.now()
  void estimator.estimate(body(''), 'b'.repeat(60_000))
  const waiting = estimator.estimate(Buffer.alloc(40), 'some text')
  await estimator.close()
  expect((await waiting).outputTokens).toBe(3)
  expect(performance.now() - begun).toBeLessThan(4_000)
})
