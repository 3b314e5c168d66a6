import { expect } from '@jest/globals'
import type { Bench } from './bench.ts'
import type { Mode } from './client.ts'
import type { Scenario } from './scenarios.ts'
import { type Answer, USAGE } from './script.ts'

/** The user gets what the model said, the provider what the user asked, and the books what was used, without a word lost in silence. */
export async function playScenario(bench: Bench, model: string, scenario: Scenario, mode: Mode): Promise<void> {
  const { kind, client, isTranslated } = bench
  const { ask, answers, shows, hears, drops } = scenario
  const dropped = answers.map((_, turn) => (isTranslated ? (drops?.(client, kind, model, { turn, mode }) ?? []) : []))
  const shown = await bench.converse(model, answers, ask, mode).catch((error: unknown) => {
    throw new Error(`${String(error)} The provider refused: ${bench.provider.refused().join(' ')}`, { cause: error })
  })
  expect(bench.provider.refused()).toEqual([])
  expect(bench.provider.heard()).toMatchObject(hears)
  expect(shown).toMatchObject(
    shows.map((one, turn) => ({
      ...one,
      usage: { input: USAGE.input, cached: USAGE.cached, output: USAGE.output },
      ...(one.thought !== undefined && { thought: kind.showsThoughts ? one.thought : '' }),
      ...(shown[0]?.dropped !== undefined && { dropped: dropped[turn]!.join(',') || null }),
    })),
  )
  expect(await bench.rows(answers.length)).toMatchObject(
    answers.map((answer, turn) => ({
      ...rowOf(bench, model, answer, mode),
      ...(isTranslated && changesOf(bench, dropped[turn]!)),
    })),
  )
}

/** What the books say of one answer. */
export const rowOf = ({ client, kind, nameOf }: Bench, model: string, answer: Answer, mode: Mode) => ({
  provider: kind.name,
  endpoint: client.endpoint(nameOf(model), mode),
  model: nameOf(model),
  servedModel: expect.stringContaining(model),
  status: 200,
  error: null,
  stream: mode === 'streamed',
  attempts: [{ provider: kind.name, model, outcome: 'answered', status: 200 }],
  usage: {
    inputTokens: USAGE.input,
    cachedTokens: USAGE.cached,
    cacheWriteTokens: kind.cacheWrite,
    outputTokens: USAGE.output,
    reasoningTokens: answer.thought !== undefined && kind.countsThoughts ? USAGE.reasoning : 0,
    source: 'reported',
  },
})

const changesOf = ({ kind }: Bench, dropped: string[]) => ({
  changes: [`dialect:${kind.dialect}`, ...dropped.map((name) => `dropped:${name}`)],
})
