import { describe, expect, it } from '@jest/globals'
import { aBatch, aRow } from '../store/samples.ts'
import { given, givenGateway } from './given.ts'

// Both ways to a gateway's objects keep the same promises.
describe.each(['database', 'address'] as const)('prices, working through the %s', (through) => {
  const start = () => givenGateway({}, through)

  it('lists what models cost, by provider and model', async () => {
    const { print, json } = await start()
    const table = await print('prices list --provider anthropic --model claude-sonnet-4-5')
    expect(table).toMatch(/^PROVIDER +MODEL +INPUT +CACHED +CACHE WRITE +OUTPUT +ALSO +SOURCE$/m)
    expect(table).toMatch(
      /^anthropic +claude-sonnet-4-5 +3 +0\.3 +3\.75 +15 +cache writes \(1 h\), web searches, tiers +genai-prices 0\.1\.8$/m,
    )
    const { data } = await json('prices list --model gpt-4o* --provider openai')
    expect(data).toContainEqual(expect.objectContaining({ model: 'gpt-4o', input: '2.5', cached_input: '1.25' }))
    expect(data.every(({ provider, model }) => provider === 'openai' && String(model).startsWith('gpt-4o'))).toBe(true)
    expect(await print('prices list --provider nobody')).toMatch(/^No prices\./)
  })

  it('shows a price with an example', async () => {
    const { print, json, cli } = await start()
    const shown = await print('prices show anthropic claude-sonnet-4-5-20250929')
    expect(shown).toMatch(/^input tokens +3 USD per million$/m)
    expect(shown).toMatch(/^above 200000 input tokens +input 6, output 22\.5 USD per million$/m)
    expect(shown).toMatch(/^1,000 in \+ 1,000 out +0\.018 USD$/m)
    expect(shown).toMatch(/^source +genai-prices 0\.1\.8$/m)
    expect(await json('prices show groq whisper-large-v3')).toMatchObject({ audio_hour: '0.111', input: null })
    expect(await cli('prices show openai no-such-model')).toEqual({
      code: 1,
      out: '',
      err: 'error: No price is known for no-such-model of openai: set one under prices.models.\n',
    })
  })

  it('checks the models it is told, and exits with 1 for those without a price', async () => {
    const { print, cli } = await start()
    expect(await print('prices check gpt-4o openai/gpt-4o mistral:mistral-small-latest')).toBe(
      'All 3 models have a price.',
    )
    expect(await cli('prices check gpt-4o no-such-model openai:nor-this')).toEqual({
      code: 1,
      out: 'no-such-model\nopenai:nor-this\n',
      err: 'error: 2 of 3 models have no price: set one under prices.models.\n',
    })
  })

  it('checks what was used in the last 30 days: what cost null and still has no price', async () => {
    const { gateway, cli, print } = await start()
    expect(await print('prices check')).toBe('No model was used in the last 30 days.')
    const now = Date.now()
    const unpriced = { at: now, provider: 'openai', costNanoUsd: null }
    const rows = [
      aRow({ ...unpriced, model: 'gpt-4o' }),
      aRow({ ...unpriced, model: 'openai/house-model' }),
      aRow({ ...unpriced, model: 'openai:house-model' }),
      aRow({ ...unpriced, model: 'mistral-small-latest' }),
      aRow({ ...unpriced, model: 'mistral-small-latest', provider: 'mistral' }),
      aRow({ ...unpriced, model: 'refused', costNanoUsd: 0n }),
      aRow({ ...unpriced, model: 'long-gone', at: now - 31 * 86_400_000 }),
    ]
    await gateway.ctx.store.ledger.append(aBatch({ rows }))
    const { code, out } = await cli('prices check --json')
    expect(code).toBe(1)
    const { checked, unpriced: found } = JSON.parse(out)
    expect(checked).toBe(5)
    expect(found.sort()).toEqual(['openai:house-model', 'openai:mistral-small-latest'])
  })
})

it('uses the prices configured here, without a gateway', async () => {
  const files = {
    'llm-proxy.yaml': 'prices:\n  models:\n    - { provider: vllm, model: "*", input: 1, output: 2, request: 0.001 }\n',
  }
  const { print } = given({ files })
  await print('project create search')
  const shown = await print('prices show vllm llama')
  expect(shown).toMatch(/^source +config$/m)
  expect(shown).toMatch(/^requests +0\.001 USD each$/m)
  expect(shown).toMatch(/^1,000 in \+ 1,000 out +0\.004 USD$/m)
})
