import { afterAll, beforeAll, describe, it } from '@jest/globals'
import { type Bench, benchOf, type House, openHouse } from './bench.ts'
import type { Client } from './client.ts'
import { playAbort, playBreak, playFailure, playRefusal } from './failures.ts'
import { playScenario } from './play.ts'
import { KINDS, type Kind } from './providers/kinds.ts'
import { SCENARIOS, type Scenario } from './scenarios.ts'
import { FAILURES } from './script.ts'

const MODES = ['whole', 'streamed'] as const

/** Every provider, every scenario, every way to be answered: what users of these SDKs see. */
export function describeMatrix(clients: readonly Client[]): void {
  let house: House
  beforeAll(async () => {
    house = await openHouse()
  })
  afterAll(() => house.close())
  for (const client of clients) describeClient(client, () => house)
}

function describeClient(client: Client, houseOf: () => House): void {
  describe.each(KINDS.filter((kind) => !client.avoids.includes(kind.name)))(
    `${client.name} with a model of $title`,
    (kind) => {
      let bench: Bench
      beforeAll(() => {
        const house = houseOf()
        bench = benchOf(house, client, client.connect(house), kind)
      })

      for (const mode of MODES) {
        for (const scenario of SCENARIOS.filter((one) => fits(one, client, kind)))
          for (const model of scenario.thinks ? kind.thinkers : [kind.model])
            it(`${scenario.promise}${scenario.thinks ? ` (${model})` : ''}, ${mode}`, () =>
              playScenario(bench, model, scenario, mode))

        it(`shows that the model declined, ${mode}`, () => playRefusal(bench, mode))
        it.each(FAILURES)(`raises the right error for %s, ${mode}`, (failure) => playFailure(bench, failure, mode))
        it(`raises an error for an answer that breaks off, ${mode}`, () => playBreak(bench, 'cut', mode))
        it(`stops the provider when the user aborts, ${mode}`, () => playAbort(bench, mode))
      }
      it('raises an error for a stream that tells of one half-way', () => playBreak(bench, 'error', 'streamed'))
    },
  )
}

function fits(
  { needs = [], without = [], schemas, thinks, translated }: Scenario,
  client: Client,
  kind: Kind,
): boolean {
  if (without.includes(kind.name) || needs.some((one) => client.lacks.includes(one))) return false
  const isTranslated = !kind.speaks.includes(client.dialect)
  if (translated && !isTranslated) return false
  if (schemas && schemas !== (client.schemas === 'tool' && isTranslated ? 'tool' : 'field')) return false
  if (!thinks || isTranslated) return true
  // Mistral tells thoughts in a way of its own, which only SDKs made for it can read, and who does not read them cannot give them back.
  return kind.name !== 'mistral' && !(kind.showsThoughts && client.lacks.includes('thoughts'))
}
