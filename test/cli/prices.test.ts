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

  it('prices past requests anew, and says before what that would change', async () => {
    const { gateway, print, json } = await start()
    const at = Date.UTC(2026, 10, 3)
    const row = aRow({ at, costNanoUsd: null, usage: { ...aRow().usage, cachedTokens: 0, details: null } })
    await gateway.ctx.store.ledger.append(aBatch({ rows: [row] }))
    const line = 'prices reprice --from 2026-11-01 --to 2026-12-01 --model gpt-4o'
    // 10 tokens in at 2.50 and 5 out at 10 dollars a million.
    expect(await print(`${line} --dry-run`)).toMatch(
      /^PROVIDER.*\nopenai +gpt-4o-2024-08-06 +1 +0 +0\.000075\n1 of 1 requests would cost something else: 0 USD before, 0\.000075 USD after\.$/m,
    )
    expect((await gateway.rows())[0]?.costNanoUsd).toBe(null)
    expect(await json(line)).toMatchObject({ dry_run: false, changed_requests: 1, cost_usd_after: '0.000075' })
    expect((await gateway.rows())[0]?.costNanoUsd).toBe(75_000n)
    expect(await print(line)).toBe('0 of 1 requests cost something else: 0.000075 USD before, 0.000075 USD after.')
  })

  it('says what is missing when it is to price anew', async () => {
    const { cli } = await start()
    expect(await cli('prices reprice --from 2026-11-01')).toMatchObject({ code: 2 })
    const { code, err } = await cli('prices reprice --from yesterday --to 2026-12-01')
    expect(code).toBe(2)
    expect(err).toMatch(/from must be a time in ISO 8601/)
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
