import { expect, it } from '@jest/globals'
import { NOON, pricesOf, usageOf } from './samples.ts'

it('other configured prices and discounts hold at once, also for models that were asked for before', () => {
  const prices = pricesOf({
    discounts: { openai: 10 },
    models: [{ provider: 'vllm', model: 'llama-*', input: 1, output: 1 }],
  })
  const usage = usageOf({ inputTokens: 1_000_000 })
  const cost = (provider: string, model: string) => prices.price(provider, null, model, usage, NOON)
  const [llama, gpt] = [cost('vllm', 'llama-3'), cost('openai', 'gpt-4o')]
  expect(llama).toEqual({ costNanoUsd: 1_000_000_000n, source: 'config' })
  const next = { discounts: {}, models: [{ provider: 'vllm', model: 'llama-3', input: 2, output: 2 }] }
  prices.replace(next)
  expect(prices.config()).toBe(next)
  expect(cost('vllm', 'llama-3')).toEqual({ costNanoUsd: 2_000_000_000n, source: 'config' })
  expect(cost('vllm', 'llama-4')).toBeNull()
  expect(cost('openai', 'gpt-4o')!.costNanoUsd).toBe((gpt!.costNanoUsd * 10n) / 9n)
  expect(prices.list({ provider: 'vllm', at: NOON }).map(({ model }) => model)).toEqual(['llama-3'])
})
