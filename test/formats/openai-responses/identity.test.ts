import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { Json } from '../../../src/formats/dialect.ts'
import type { HubPart } from '../../../src/formats/hub.ts'
import { factsOf, type ModelFacts } from '../../../src/formats/model-facts.ts'
import { openaiResponses } from '../../../src/formats/openai-responses/index.ts'
import { record, records } from '../../../src/formats/read.ts'
import { candidates, requests, streams, usages } from './arbitraries.ts'
import { factsFor, readSse, tell, understand } from './streams.ts'

const nowhere = { model: null, stream: null }
const wire = (body: Json) => JSON.parse(JSON.stringify(body)) as Json

/** A model that takes whatever there is a place for. */
const FACTS: ModelFacts = { ...factsOf('o3'), takesSampling: true, takesParallel: true }

/** Items get ids of their own. */
const withoutId = (part: HubPart): HubPart => {
  if (part.type !== 'reasoning') return part
  const { id, ...rest } = part
  return rest
}

describe('what this dialect can carry comes back as it was', () => {
  it('of any request', () => {
    fc.assert(
      fc.property(requests, (request) => {
        const body = openaiResponses.buildRequest({ ...request, model: 'o3' }, FACTS, (what) => {
          throw new Error(`${what} was lost`)
        })
        const read = openaiResponses.parseRequest(wire(body), nowhere)
        expect(read).toEqual({ ...request, model: 'o3' })
      }),
    )
  })

  it('of any answer', () => {
    fc.assert(
      fc.property(candidates, usages, (candidate, usage) => {
        const answer = { id: 'resp_1', model: 'm', created: 5, candidates: [candidate], usage, serviceTier: 'default' }
        const body = openaiResponses.buildAnswer(answer, factsFor())
        const read = openaiResponses.parseAnswer(wire(body))
        const [first] = read.candidates
        expect({ ...read, candidates: [{ ...first, parts: first!.parts.map(withoutId) }] }).toEqual(answer)
      }),
    )
  })

  it('of any stream, event by event', () => {
    fc.assert(
      fc.property(streams, (events) => {
        expect(understand(readSse(tell(events)))).toEqual(events)
      }),
    )
  })

  it('of any stream, which ends with the answer that it told, and numbers all it tells', () => {
    fc.assert(
      fc.property(streams, (events) => {
        const told = readSse(tell(events))
        const whole = record(told.at(-1)!.data.response)
        const closed = told.filter(({ data }) => data.type === 'response.output_item.done')
        // A call that may still go on is closed behind what comes after it.
        closed.sort((one, other) => Number(one.data.output_index) - Number(other.data.output_index))
        expect(closed.map(({ data }) => data.item)).toEqual(whole.output)
        expect(closed.map(({ data }) => data.output_index)).toEqual(closed.map((_, index) => index))
        expect(told.map(({ data }) => data.sequence_number)).toEqual(told.map((_, index) => index))
        const ids = records(whole.output).map(({ id }) => String(id))
        expect(new Set(ids).size).toBe(ids.length)
        const { candidates: again } = openaiResponses.parseAnswer(whole)
        const said = events.flatMap((event) => (event.type === 'text' ? event.text : [])).join('')
        expect(again[0]!.parts.flatMap((part) => (part.type === 'text' ? part.text : [])).join('')).toBe(said)
      }),
    )
  })
})
