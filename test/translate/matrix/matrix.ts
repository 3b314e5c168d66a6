import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { LedgerRow } from '../../../src/store/store.ts'
import { type Bench, clientModel, startBench } from './bench.ts'
import type { Client, Mode } from './client.ts'
import { KINDS, type Kind } from './providers/kinds.ts'
import { SCENARIOS, type Scenario } from './scenarios.ts'
import { type Answer, type Failure, FAILURES, RETRY_AFTER, USAGE } from './script.ts'
import { MESSAGES } from './provider.ts'

const MODES: readonly Mode[] = ['whole', 'streamed']

/** Every provider, every scenario, every way to be answered: what a user of this SDK sees. */
export function describeClient(client: Client): void {
  let bench: Bench
  beforeAll(async () => {
    bench = await startBench(client)
  })
  afterAll(() => bench.close())

  describe.each(KINDS.map((kind) => [kind.title, kind] as const))(`${client.name} with a model of %s`, (_title, kind) => {
    for (const scenario of SCENARIOS.filter((one) => fits(one, client, kind)))
      for (const model of scenario.thinks ? kind.thinkers : [kind.model])
        for (const mode of MODES)
          it(`${scenario.promise}${scenario.thinks ? ` (${model})` : ''}, ${mode}`, () => playScenario(bench, client, kind, model, scenario, mode))
  })
}

/** A request that is not translated is the SDK's own affair, but for what its provider shares with all others. */
const fits = ({ needs = [] }: Scenario, client: Client, kind: Kind) =>
  !needs.some((one) => client.lacks.includes(one)) && !(kind.name === 'openai' && client.dialect === 'openai-responses')

const isTranslated = (client: Client, kind: Kind) => !kind.speaks.includes(client.dialect)

async function playScenario(
  bench: Bench,
  client: Client,
  kind: Kind,
  model: string,
  scenario: Scenario,
  mode: Mode,
): Promise<void> {
  const { ask, answers, shows, hears, drops } = scenario
  const dropped = isTranslated(client, kind) ? (drops?.(client, kind, model) ?? []) : []
  const asked = { ...ask, model: clientModel(kind, model) }
  const shown = await bench.converse(kind, answers, asked, mode).catch((error: unknown) => {
    throw new Error(`${String(error)}; refused: ${bench.provider(kind).refused().join(', ')}`, { cause: error })
  })
  expect(bench.provider(kind).refused()).toEqual([])
  expect(bench.provider(kind).heard()).toMatchObject(hears)
  const usage = { input: USAGE.input, cached: USAGE.cached, output: USAGE.output }
  const thoughtOf = (said: string) => (kind.showsThoughts ? said : '')
  expect(shown).toMatchObject(
    shows.map((one) => ({
      ...one,
      usage,
      ...(one.thought !== undefined && { thought: thoughtOf(one.thought) }),
      ...(shown[0]?.dropped !== undefined && { dropped: dropped.length === 0 ? null : dropped.join(',') }),
    })),
  )
  const rows = await bench.rows(answers.length)
  rows.forEach((row, index) => {
    expect(row).toMatchObject(rowOf(client, kind, model, answers[index]!, mode, dropped))
  })
}

/** What the books say of one answer. */
const rowOf = (client: Client, kind: Kind, model: string, answer: Answer, mode: Mode, dropped: string[]) => ({
  provider: kind.name,
  endpoint: client.endpoint,
  model: clientModel(kind, model),
  servedModel: expect.stringContaining(model),
  status: 200,
  error: null,
  stream: mode === 'streamed',
  usage: {
    inputTokens: USAGE.input,
    cachedTokens: USAGE.cached,
    cacheWriteTokens: kind.cacheWrite,
    outputTokens: USAGE.output,
    reasoningTokens: answer.thought !== undefined && kind.countsThoughts ? USAGE.reasoning : 0,
    source: 'reported',
  },
  ...(isTranslated(client, kind) && { changes: [`dialect:${kind.dialect}`, ...dropped.map((name) => `dropped:${name}`)] }),
}) satisfies Record<string, unknown> & Partial<Record<keyof LedgerRow, unknown>>
