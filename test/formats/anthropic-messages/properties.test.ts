import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { anthropicMessages } from '../../../src/formats/anthropic-messages/index.ts'
import { type Json, UnreadableAnswer } from '../../../src/formats/dialect.ts'
import type { HubCandidate, HubFinish, HubMessage, HubPart } from '../../../src/formats/hub.ts'
import { factsOf, type ModelFacts } from '../../../src/formats/model-facts.ts'
import { answerTold } from '../../../src/formats/told-answer.ts'
import * as made from '../arbitraries.ts'
import { assembleMessage } from '../assemble.ts'
import { answerFacts, eventsIn, jsonIn, PLACE, streamOf } from '../samples.ts'

/** A model that takes whatever there is a place for. */
const WILLING: ModelFacts = {
  ...factsOf('some-model'),
  reasons: 'adaptive',
  efforts: ['low', 'medium', 'high', 'xhigh', 'max'],
}

const seals = fc.oneof(made.sealedThought('anthropic-messages'))
const picture = fc.oneof(made.urlImage, made.bytesImage)
const document = fc.oneof(
  made.pdf,
  made.noteFile,
  made.address.map((url): HubPart => ({ type: 'file', source: { kind: 'url', url } })),
)
const userParts = fc.array(made.marked(fc.oneof(made.textPart, picture, document)), { minLength: 1, maxLength: 3 })
const assistantParts = fc
  .tuple(fc.array(seals, { maxLength: 2 }), fc.array(made.marked(made.textPart), { minLength: 1, maxLength: 2 }))
  .map(([thoughts, texts]) => [...thoughts, ...texts])

/** One text, or several where one is to be cached up to. */
const instructions: fc.Arbitrary<HubMessage[]> = fc.oneof(
  fc.constant<HubMessage[]>([]),
  made.textPart.map((part) => [{ role: 'system' as const, parts: [part] }]),
  fc
    .tuple(made.textPart, made.cache, fc.array(made.textPart, { maxLength: 2 }))
    .map(([first, cache, rest]) => [{ role: 'system' as const, parts: [{ ...first, cache }, ...rest] }]),
)

/** Turns by turns: results and what the user says next are one. */
const messages = fc
  .tuple(
    instructions,
    made.conversation({
      user: userParts,
      assistant: assistantParts,
      calls: true,
      result: fc.array(fc.oneof(made.textPart, picture), { maxLength: 2 }),
      oneByOne: false,
    }),
  )
  .map(([system, rest]) => {
    const turns: HubMessage[] = []
    for (const message of rest) {
      const last = turns.at(-1)
      if (last?.role === message.role) turns[turns.length - 1] = { ...last, parts: [...last.parts, ...message.parts] }
      else turns.push(message)
    }
    return [...system, ...turns]
  })

const choice = made.tools.chain((tools) =>
  fc.record({
    tools: fc.constant(tools.map(({ strict: _, ...tool }) => tool)),
    toolChoice:
      tools.length === 0
        ? fc.constant(null)
        : fc.constantFrom(...(['auto', 'required'] as const).map((type) => ({ type })), {
            type: 'tools' as const,
            names: [tools[0]!.name],
            required: true,
          }),
    parallelToolCalls: tools.length === 0 ? fc.constant(null) : fc.constantFrom(null, false),
  }),
)

const request = fc
  .tuple(
    made.requestOf({
      messages,
      stream: fc.boolean(),
      maxTokens: fc.nat(),
      topK: made.maybe(fc.nat()),
      temperature: made.maybe(fc.double({ min: 0, max: 1, noNaN: true }).map((value) => value || 0)),
      stop: fc.array(made.words, { maxLength: 6 }),
      format: made.maybe(
        made.closedSchema.map((schema) => ({ type: 'schema' as const, name: 'answer', schema, strict: true })),
      ),
      user: made.maybe(made.word),
      serviceTier: fc.constantFrom(null, 'auto', 'default'),
    }),
    choice,
    fc.oneof(
      fc.constant({}),
      fc.constant({ reasoning: { effort: 'none' as const, budgetTokens: null, shown: null } }),
      fc
        .record({
          effort: made.maybe(fc.constantFrom('low' as const, 'max' as const)),
          budgetTokens: fc.constant(null),
          shown: fc.constant(true),
        })
        // While it thinks it takes no temperature.
        .map((reasoning) => ({ reasoning, temperature: null, topK: null })),
    ),
  )
  .map(([said, tools, thinking]) => ({ ...said, ...tools, ...thinking }))

const thoughts = fc.oneof(
  made.sealedThought('anthropic-messages'),
  made.sealedThought('gemini'),
  made.words.map((text): HubPart => ({ type: 'reasoning', text })),
)
const sayable = fc.oneof(
  { weight: 2, arbitrary: fc.tuple(made.words, fc.array(made.citation, { maxLength: 2 })) },
  { weight: 1, arbitrary: thoughts },
  { weight: 1, arbitrary: made.toolCall() },
)

/** Whatever comes in whatever order, but nothing twice in a row: that would be one. What is cited stands where it stands. */
const candidate: fc.Arbitrary<HubCandidate> = fc
  .tuple(
    fc.array(sayable, { maxLength: 6 }),
    fc.constantFrom<HubFinish>('stop', 'length', 'context_length', 'tool_calls', 'refusal', 'pause', 'stop_sequence'),
  )
  .map(([said, finish]) => {
    const parts: HubPart[] = []
    let at = 0
    let calls = 0
    for (const one of said) {
      const last = parts.at(-1)
      if (Array.isArray(one)) {
        if (last?.type === 'text') continue
        const [text, cited] = one
        const citations = cited.map((citation) => ({ ...citation, start: at, end: at + text.length }))
        at += text.length
        parts.push({ type: 'text', text, ...(citations.length > 0 && { citations }) })
      } else if (one.type === 'tool_call') parts.push({ ...one, id: `${one.id}_${calls++}` })
      else if (last?.type !== 'reasoning' || last.signature !== undefined || last.redacted !== undefined)
        parts.push(one)
    }
    return { parts, finish, ...(finish === 'stop_sequence' && { stopSequence: 'END' }) }
  })

const usage = fc.tuple(made.usage, fc.nat()).map(([counted, hour]) => {
  const writes = Math.min(hour, counted.cacheWriteTokens)
  return { ...counted, details: writes > 0 ? { cache_write_1h_tokens: writes } : null }
})
const answer = made.answerOf(fc.tuple(candidate), { usage, created: fc.constant(null) })

/** Clients get an object from arguments, written as they are. */
const events = answer.chain((said) => fc.tuple(fc.constant(said), made.eventsOf(said)))

describe('what the dialect of messages can carry', () => {
  it('comes back from requests as it was', () => {
    fc.assert(
      fc.property(request, (said) => {
        const lost: string[] = []
        const body = anthropicMessages.buildRequest(said, WILLING, (what) => lost.push(what))
        expect(anthropicMessages.parseRequest(JSON.parse(JSON.stringify(body)), PLACE)).toEqual(said)
        expect(lost).toEqual([])
      }),
      { numRuns: 300 },
    )
  })

  it('comes back from answers as it was', () => {
    const tiered = fc.tuple(answer, fc.constantFrom({}, { serviceTier: 'default' }, { serviceTier: 'priority' }))
    fc.assert(
      fc.property(tiered, ([said, tier]) => {
        const built = anthropicMessages.buildAnswer({ ...said, ...tier }, answerFacts())
        expect(anthropicMessages.parseAnswer(JSON.parse(JSON.stringify(built)))).toEqual({ ...said, ...tier })
      }),
      { numRuns: 300 },
    )
  })

  it('comes back from streams as it was, event by event and put together by a client', () => {
    fc.assert(
      fc.property(events, ([said, told]) => {
        const stream = jsonIn(streamOf(anthropicMessages, told))
        expect(bare(answerTold(eventsIn(anthropicMessages, stream)))).toEqual(bare(said))
        expect(anthropicMessages.parseAnswer(assembleMessage(stream))).toEqual(said)
      }),
      { numRuns: 300 },
    )
  })
})

/** No arguments, and an empty object. */
const bare = (value: unknown) =>
  JSON.parse(JSON.stringify(value).replaceAll('"arguments":"{}"', '"arguments":""')) as unknown

describe('the grammar of blocks', () => {
  it('is kept, whatever happens and in whatever order', () => {
    fc.assert(
      fc.property(fc.array(made.anyEvent, { maxLength: 40 }), (steps) => {
        const builder = anthropicMessages.createStreamBuilder(answerFacts())
        let text = ''
        try {
          for (const step of [...steps, { type: 'done' as const }]) text += builder.push(step)
        } catch (error) {
          // Calls of which one goes on behind its end.
          expect(error).toBeInstanceOf(UnreadableAnswer)
          return
        }
        const told = jsonIn(text)
        const failed = told.findIndex(({ type }) => type === 'error')
        if (failed === -1) assembleInOrder(told)
        else expect(failed).toBe(told.length - 1)
      }),
      { numRuns: 1_000 },
    )
  })
})

/** Input may be no JSON here: the grammar is about events. */
function assembleInOrder(told: Json[]): void {
  const tame = told.map((event) => {
    const delta = event.delta as Json | undefined
    return delta?.type === 'input_json_delta' ? { ...event, delta: { ...delta, partial_json: '' } } : event
  })
  expect(() => assembleMessage(tame)).not.toThrow()
}
