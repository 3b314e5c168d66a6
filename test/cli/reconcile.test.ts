import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import Sqlite from 'better-sqlite3'
import type { LedgerRow } from '../../src/store/store.ts'
import { NO_USAGE } from '../../src/usage/read-usage.ts'
import {
  anthropicCostResult,
  anthropicPage,
  anthropicUsageResult,
  openAiCostResult,
  openAiPage,
  openAiUsageResult,
} from '../fixtures/exports.ts'
import { sendJson, startUpstream } from '../helpers/upstream.ts'
import { aBatch, aRow, NOON } from '../store/samples.ts'
import { given, givenGateway } from './given.ts'

const DAY = '2026-11-21'
const LATER = { now: () => NOON + 10 * 86_400_000 }

/** A request of that day to OpenAI with ten tokens in (two from a cache, three into one), five out, 1500 nano-dollars. */
const row = (fields: Partial<LedgerRow> = {}) => aRow({ estimateReason: null, ...fields })
const counts = (requests: number) => ({
  num_model_requests: requests,
  input_tokens: 10 * requests,
  input_cached_tokens: 2 * requests,
  input_cache_write_tokens: 3 * requests,
  output_tokens: 5 * requests,
})

// Both ways to a gateway's ledger keep the same promises.
describe.each(['database', 'address'] as const)('ledger reconcile, working through the %s', (through) => {
  async function start(rows: LedgerRow[]) {
    const made = await givenGateway({}, through)
    await made.gateway.ctx.store.ledger.append(aBatch({ rows }))
    const save = (name: string, content: unknown) =>
      writeFileSync(join(made.dataDir, name), typeof content === 'string' ? content : JSON.stringify(content))
    return {
      ...made,
      reconcile: (content: unknown, more = '', provider = 'openai') => {
        save('export', content)
        return made.cli(`ledger reconcile --provider ${provider} --file export ${more}`.trim(), LATER)
      },
    }
  }

  it('agrees with an export that says the same: aliases, prefixes, refusals and other providers do not disturb', async () => {
    const { reconcile } = await start([
      row(),
      row({ model: 'openai:gpt-4o' }),
      row({ model: 'gpt-4o-2024-08-06' }),
      row({ status: 499, error: 'client_closed' }),
      row({ status: 429, error: 'insufficient_quota', usage: NO_USAGE, costNanoUsd: 0n }),
      row({ status: 502, error: 'upstream_unreachable', usage: NO_USAGE, costNanoUsd: 0n }),
      row({ model: null, endpoint: '/v1/files', usage: NO_USAGE, costNanoUsd: 0n }),
      row({ provider: 'mistral', model: 'mistral-small-latest' }),
      row({ provider: null, model: 'nobody-knows', status: 404, error: 'model_not_found', usage: NO_USAGE }),
      row({ at: NOON - 86_400_000 }),
    ])
    const usage = openAiPage({ [DAY]: [openAiUsageResult('gpt-4o-2024-08-06', counts(4))] })
    const costs = openAiPage({ [DAY]: [openAiCostResult(null, 0.000006)] })
    expect(await reconcile([usage, costs])).toEqual({
      code: 0,
      out: [
        'OpenAI usage, 2026-11-21 (UTC)',
        'No figure is further apart than 0.5 %.',
        'In all, ours and theirs: requests 4 and 4; input tokens 40 and 40; cached tokens 8 and 8; cache writes 12 and 12; output tokens 20 and 20.',
        '',
        'OpenAI costs, 2026-11-21 (UTC)',
        'No figure is further apart than 0.5 %.',
        'In all, ours and theirs: cost (USD) 0.000006 and 0.000006.',
        '',
      ].join('\n'),
      err: '',
    })
  })

  it('prints what differs, by day and model, and exits with 1', async () => {
    const { reconcile } = await start([row(), row(), row({ model: 'gpt-4o-mini' })])
    const usage = openAiPage({
      [DAY]: [
        openAiUsageResult('gpt-4o-2024-08-06', { ...counts(2), output_tokens: 16 }),
        openAiUsageResult('o3', { num_model_requests: 1 }),
      ],
    })
    const { code, out, err } = await reconcile(usage)
    expect(code).toBe(1)
    expect(err).toBe('error: 7 figures differ from the export of openai by more than 0.5 %.\n')
    expect(out).toMatch(/^DAY +MODEL +WHAT +OURS +THEIRS +DIFFERENCE +%$/m)
    expect(out).toMatch(/^2026-11-21 +gpt-4o \(gpt-4o-2024-08-06\) +output tokens +10 +16 +-6 +-37\.5$/m)
    expect(out).toMatch(/^2026-11-21 +gpt-4o-mini +requests +1 +0 +\+1 +–$/m)
    expect(out).toMatch(/^2026-11-21 +o3 +requests +0 +1 +-1 +-100$/m)
    expect(out).not.toMatch(/gpt-4o \(gpt-4o-2024-08-06\) +input/)
    expect(out).toMatch(/^In all, ours and theirs: requests 3 and 3; input tokens 30 and 20 \(\+50 %\);/m)
    expect((await reconcile(usage, '--tolerance 40')).err).toBe(
      'error: 6 figures differ from the export of openai by more than 40 %.\n',
    )
  })

  it('prints what agrees, too, with --all, and all of it as JSON', async () => {
    const { reconcile } = await start([row({ costNanoUsd: 1_010_000_000n }), row({ model: 'o3', costNanoUsd: null })])
    const costs = openAiPage({
      [DAY]: [
        openAiCostResult('gpt-4o-2024-08-06, input', '0.25'),
        openAiCostResult('gpt-4o-2024-08-06, output', 0.75),
      ],
    })
    const agreed = await reconcile(costs, '--all --tolerance 1')
    expect(agreed).toMatchObject({ code: 0, err: '' })
    expect(agreed.out).toMatch(/^2026-11-21 +gpt-4o \(gpt-4o-2024-08-06\) +cost \(USD\) +1\.01 +1 +\+0\.01 +\+1 +no$/m)
    expect(agreed.out).toContain('Note: One request of ours without a price: not in our cost ("llm-proxy prices check"')
    const { code, out } = await reconcile(costs, '--json')
    expect(code).toBe(1)
    expect(JSON.parse(out)).toEqual({
      provider: 'openai',
      tolerance_percent: 0.5,
      exports: [
        {
          format: 'OpenAI costs',
          from: '2026-11-21T00:00:00.000Z',
          to: '2026-11-22T00:00:00.000Z',
          drifts: 1,
          lines: [
            {
              day: DAY,
              model: 'gpt-4o',
              our_models: ['gpt-4o'],
              their_models: ['gpt-4o-2024-08-06'],
              what: 'cost_usd',
              ours: '1.01',
              theirs: '1',
              difference: '0.01',
              percent: 1,
              drift: true,
            },
          ],
          totals: [{ what: 'cost_usd', ours: '1.01', theirs: '1', difference: '0.01', percent: 1 }],
          notes: [expect.stringContaining('without a price')],
        },
      ],
    })
    expect(JSON.parse((await reconcile(costs, '--json --tolerance 1')).out).exports[0]).toMatchObject({
      drifts: 0,
      lines: [],
    })
  })

  it('compares reports of Anthropic, whose input leaves caches out and whose costs are cents', async () => {
    const own = { provider: 'anthropic', model: 'claude-sonnet-4-5', costNanoUsd: 12_345_000n }
    const { reconcile } = await start([row(own), row({ ...own, usage: { ...row().usage, source: 'estimated' } })])
    const usage = anthropicPage({
      [DAY]: [
        anthropicUsageResult('claude-sonnet-4-5-20250929', {
          uncached_input_tokens: 10,
          cache_creation: { ephemeral_1h_input_tokens: 2, ephemeral_5m_input_tokens: 4 },
          cache_read_input_tokens: 4,
          output_tokens: 10,
        }),
      ],
    })
    const costs = anthropicPage({ [DAY]: [anthropicCostResult('claude-sonnet-4-5-20250929', '2.469')] })
    const { code, out, err } = await reconcile([usage, costs], '--tolerance 0', 'anthropic')
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toContain(
      'input tokens 20 and 20; cached tokens 4 and 4; cache writes 6 and 6; output tokens 10 and 10.',
    )
    expect(out).toContain('cost (USD) 0.02469 and 0.02469.')
    expect(out).toContain('Note: One request of ours with estimated tokens')
  })

  it('compares the hours that the export covers, and says so', async () => {
    const { reconcile } = await start([
      row({ at: NOON - 1 }),
      row({ at: NOON }),
      row({ at: NOON + 3_600_000 - 1 }),
      row({ at: NOON + 3_600_000 }),
    ])
    const page = openAiPage({ [DAY]: [openAiUsageResult(null, { num_model_requests: 2 })] })
    Object.assign(page.data[0]!, { start_time: NOON / 1000, end_time: NOON / 1000 + 3600 })
    const { code, out } = await reconcile(page)
    expect(out).toContain('requests 2 and 2.')
    expect(out).toContain('Note: 2026-11-21 is compared from 12:00:00 UTC on')
    expect(out).toContain('Note: 2026-11-21 is compared until 13:00:00 UTC')
    expect(code).toBe(0)
  })

  it('shows a ledger that was damaged on purpose', async () => {
    const { reconcile, dataDir } = await start([row(), row(), row({ model: 'o3' })])
    const usage = openAiPage({ [DAY]: [openAiUsageResult('gpt-4o', counts(2)), openAiUsageResult('o3', counts(1))] })
    expect(await reconcile(usage)).toMatchObject({ code: 0 })
    const month = new Sqlite(join(dataDir, 'ledger-2026-11.db'))
    month.exec('UPDATE daily SET output_tokens = output_tokens + 1 WHERE requests = 2')
    month.close()
    const { code, out, err } = await reconcile(usage)
    expect({ code, err }).toEqual({
      code: 1,
      err: 'error: One figure differs from the export of openai by more than 0.5 %.\n',
    })
    expect(out).toMatch(/^2026-11-21 +gpt-4o +output tokens +11 +10 +\+1 +\+10$/m)
  })

  it('agrees with the CSV that the gateway itself exports', async () => {
    const { reconcile, gateway } = await start([
      row(),
      row({ model: 'gpt-4o-mini', costNanoUsd: 7n }),
      row({ at: NOON - 86_400_000 }),
    ])
    const answer = await fetch(`${gateway.url}/manage/usage?group_by=day,model&provider=openai`, {
      headers: { accept: 'text/csv', authorization: 'Bearer test-management-token-0123456789' },
    })
    const { code, out } = await reconcile(await answer.text(), '--tolerance 0')
    expect(out).toMatch(/^CSV, 2026-11-20 to 2026-11-21 \(UTC\)\nNo figure is further apart than 0 %\.$/m)
    expect(out).toContain('requests 3 and 3; input tokens 30 and 30; cached tokens 6 and 6; cache writes 9 and 9;')
    expect(out).toContain('Note: Columns that were read: day, model, cost_usd, requests,')
    expect(code).toBe(0)
  })
})

it('agrees with what a provider has counted of real traffic', async () => {
  const told = { requests: 0, input: 0, cached: 0, output: 0 }
  const upstream = await startUpstream((req, res) => {
    if (told.requests === 2) return sendJson(res, 429, { error: { message: 'Slow down.' } })
    const usage = {
      prompt_tokens: 100 + told.requests,
      completion_tokens: 20,
      prompt_tokens_details: { cached_tokens: 64 },
    }
    told.requests++
    told.input += usage.prompt_tokens
    told.cached += 64
    told.output += 20
    req.resume()
    return sendJson(res, 200, { model: 'gpt-4o-2024-08-06', choices: [], usage })
  })
  const { gateway, cli, dataDir } = await givenGateway({ upstream: upstream.url, now: () => NOON })
  const { secret } = await gateway.token()
  for (const model of ['gpt-4o', 'openai:gpt-4o', 'gpt-4o']) {
    const answer = await fetch(`${gateway.baseUrl}/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model, messages: [] }),
    })
    await answer.arrayBuffer()
  }
  const result = openAiUsageResult('gpt-4o-2024-08-06', {
    num_model_requests: told.requests,
    input_tokens: told.input,
    input_cached_tokens: told.cached,
    output_tokens: told.output,
  })
  writeFileSync(join(dataDir, 'usage.json'), JSON.stringify(openAiPage({ [DAY]: [result] })))
  const { code, out } = await cli('ledger reconcile --provider openai --file usage.json --tolerance 0', LATER)
  expect(out).toContain(
    'requests 2 and 2; input tokens 201 and 201; cached tokens 128 and 128; output tokens 40 and 40.',
  )
  expect(code).toBe(0)
  await upstream.close()
})

describe('what cannot be compared', () => {
  const usage = JSON.stringify(openAiPage({ [DAY]: [openAiUsageResult('gpt-4o', counts(1))] }))

  it.each([
    ['a file that is not there', 'openai', 'nowhere.json', 1, /nowhere\.json: there is no such file\.$/],
    ['a folder', 'openai', '.', 1, /^error: \. is a folder: say the file in it\.$/],
    ['an empty file', 'openai', 'empty', 1, /^error: empty: The file is empty\.$/],
    [
      'JSON that is broken',
      'openai',
      'broken.json',
      1,
      /^error: broken\.json: It is not valid JSON: line 2, column 9: nothing of JSON can stand there\.$/,
    ],
    [
      'a table that is broken',
      'openai',
      'broken.csv',
      1,
      /^error: broken\.csv: Line 3, requests: it is not a whole number\.$/,
    ],
    ['something else', 'openai', 'other.json', 1, /^error: other\.json: It is no export that is known\. Accepted are /],
    [
      'the export of another provider',
      'anthropic',
      'usage.json',
      2,
      /^error: usage\.json is OpenAI usage \(openai\), and --provider says anthropic/,
    ],
    [
      'a provider that there is not',
      'opnai',
      'usage.json',
      2,
      /^error: There is no provider "opnai": --provider takes openai, anthropic, gemini/,
    ],
  ])('%s: it says so, and opens no database', async (_, provider, file, code, err) => {
    const { cli } = given({
      files: {
        empty: '',
        'broken.json': '{"data": [\n "abc", }',
        'broken.csv': 'day,requests\n2026-11-20,1\n2026-11-21,x\n',
        'other.json': '{"error": {"message": "no"}}',
        'usage.json': usage,
      },
    })
    const ran = await cli(['ledger', 'reconcile', '--provider', provider, '--file', file])
    expect({ ...ran, err: ran.err.trimEnd() }).toEqual({ code, out: '', err: expect.stringMatching(err) })
  })

  it('a file larger than 64 MB: it stops reading there', async () => {
    const { cli, dataDir } = given()
    const page = `${' '.repeat(1024 * 1024 - 1)}\n`
    writeFileSync(join(dataDir, 'huge.json'), page.repeat(65))
    expect(await cli('ledger reconcile --provider openai --file huge.json')).toEqual({
      code: 1,
      out: '',
      err: expect.stringMatching(/^error: huge\.json is larger than 64 MB: export fewer days/),
    })
  })

  it.each([
    ['--provider openai', "required option '--file <path>' not specified"],
    ['--file usage.json', "required option '--provider <name>' not specified"],
    ['--provider openai --file usage.json --tolerance much', 'It must be a percentage, such as 0, 0.5 or 10.'],
    ['--provider openai --file usage.json --tolerance -1', 'It must be a percentage'],
  ])('%s: it says what is missing', async (options, message) => {
    expect(await given().cli(`ledger reconcile ${options}`)).toMatchObject({
      code: 2,
      err: expect.stringContaining(message),
    })
  })

  it('without a database it says where it looked for one', async () => {
    const { cli } = given({ files: { 'usage.json': usage } })
    expect(await cli('ledger reconcile --provider openai --file usage.json')).toMatchObject({
      code: 1,
      err: expect.stringContaining('There is no database at'),
    })
  })
})

it('warns that a day is not over, and shows no more lines than anyone reads', async () => {
  const { json, cli, dataDir } = given()
  await json('project create a')
  const many = Array.from({ length: 501 }, (_, i) =>
    openAiUsageResult(`model-\u001b[2J${i}`, { num_model_requests: 1 }),
  )
  writeFileSync(join(dataDir, 'many.json'), JSON.stringify(openAiPage({ [DAY]: many })))
  const { code, out } = await cli('ledger reconcile --provider openai --file many.json', { now: () => NOON })
  expect(code).toBe(1)
  expect(out).toContain('Note: 2026-11-21 is not over: ours is as it is now')
  expect(out.match(/^2026-11-21 +model-/gm)).toHaveLength(500)
  expect(out).toContain('… and 1 more: --json has them all.')
  expect(out).not.toContain('\u001b')
})
