import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { HubCandidate, HubFinish, HubPart } from '../../../src/formats/hub.ts'
import { factsOf, type ModelFacts } from '../../../src/formats/model-facts.ts'
import { openaiChat } from '../../../src/formats/openai-chat/index.ts'
import { answerTold } from '../../../src/formats/told-answer.ts'
import * as made from '../arbitraries.ts'
import { assembleChat } from '../assemble.ts'
import { answerFacts, dataIn, eventsIn, hubRequest, jsonIn, PLACE, streamOf } from '../samples.ts'

/** A model that takes whatever there is a place for. */
const WILLING: ModelFacts = {
  ...factsOf('some-model'),
  reasons: 'adaptive',
  knowsDeveloper: true,
  takesCacheMarks: true,
  takesSeals: 'gemini',
}

/** Those that the model takes, and all. */
const ownSeals = fc.oneof(made.sealedThought('gemini'), made.sealedThought('openai-chat'))
const seals = fc.oneof(ownSeals, made.sealedThought('anthropic-messages'), made.sealedThought('openai-responses'))
const picture = fc.oneof(made.urlImage, made.bytesImage)
/** Texts alone become one text: either one, or something else among them. */
const userParts = fc.oneof(
  made.textPart.map((part) => [part]),
  fc
    .tuple(
      fc.oneof(picture, made.pdf, made.keptFile),
      fc.array(made.marked(fc.oneof(made.textPart, picture)), { maxLength: 3 }),
    )
    .map(([first, rest]) => [first, ...rest]),
)
const assistantParts = fc
  .tuple(fc.array(ownSeals, { maxLength: 2 }), fc.option(made.textPart), fc.option(made.words, { freq: 3 }))
  .map(([thoughts, text, refusal]): HubPart[] => [
    ...thoughts,
    ...(text ? [text] : []),
    ...(refusal === null ? [] : [{ type: 'refusal' as const, text: refusal }]),
  ])

const messages = fc
  .tuple(
    fc.array(fc.tuple(fc.constantFrom('system' as const, 'developer' as const), made.textPart), { maxLength: 2 }),
    made.conversation({
      user: userParts,
      assistant: assistantParts,
      calls: true,
      result: made.textPart.map((part) => [part]),
      oneByOne: true,
    }),
  )
  .map(([instructions, rest]) => [...instructions.map(([role, part]) => ({ role, parts: [part] })), ...rest])

const choice = made.tools.chain((tools) =>
  fc.record({
    tools: fc.constant(tools),
    toolChoice:
      tools.length === 0
        ? fc.constant(null)
        : fc.constantFrom(null, ...(['auto', 'none', 'required'] as const).map((type) => ({ type })), {
            type: 'tools' as const,
            names: [tools[0]!.name],
            required: true,
          }),
    parallelToolCalls: tools.length === 0 ? fc.constant(null) : fc.constantFrom(null, true, false),
  }),
)
const number = (min: number, max: number) => made.maybe(fc.double({ min, max, noNaN: true }).map((value) => value || 0))

const request = fc
  .tuple(
    made.requestOf({
      messages,
      maxTokens: made.maybe(fc.nat()),
      temperature: number(0, 2),
      topP: number(0, 1),
      stop: fc.array(made.words, { maxLength: 4 }),
      seed: made.maybe(fc.integer()),
      candidates: made.maybe(fc.integer({ min: 1, max: 5 })),
      presencePenalty: number(-2, 2),
      frequencyPenalty: number(-2, 2),
      logprobs: made.maybe(fc.nat(20)),
      logitBias: made.maybe(fc.dictionary(made.word, fc.integer({ min: -100, max: 100 }), { noNullPrototype: true })),
      format: made.maybe(
        fc.oneof(
          fc.constant({ type: 'text' as const }),
          fc.record({
            type: fc.constant('schema' as const),
            name: made.word,
            schema: made.closedSchema,
            strict: fc.boolean(),
          }),
        ),
      ),
      reasoning: made.maybe(
        fc.record({
          effort: fc.constantFrom('low', 'medium', 'high'),
          budgetTokens: fc.constant(null),
          shown: fc.constant(null),
        }),
      ),
      user: made.maybe(made.word),
      metadata: made.maybe(fc.dictionary(made.word, made.words, { noNullPrototype: true })),
      serviceTier: fc.constantFrom(null, 'default', 'flex', 'priority'),
    }),
    choice,
    fc.constantFrom(
      { stream: false, streamUsage: false },
      { stream: true, streamUsage: false },
      { stream: true, streamUsage: true },
    ),
  )
  .map(([said, tools, stream]) => ({ ...said, ...tools, ...stream }))

const candidate: fc.Arbitrary<HubCandidate> = fc
  .record({
    thoughts: fc.array(seals, { maxLength: 2 }),
    text: fc.option(made.words),
    citations: fc.array(made.citation, { maxLength: 2 }),
    refusal: fc.option(made.words, { freq: 4 }),
    calls: fc.array(made.toolCall(), { maxLength: 3 }),
    logprobs: fc.option(fc.array(made.logprob, { minLength: 1, maxLength: 3 }), { freq: 4 }),
    cut: fc.boolean(),
  })
  .map(({ thoughts, text, citations, refusal, calls, logprobs, cut }) => {
    const parts: HubPart[] = [
      ...thoughts,
      ...(text === null ? [] : [{ type: 'text' as const, text, ...(citations.length > 0 && { citations }) }]),
      ...(refusal === null ? [] : [{ type: 'refusal' as const, text: refusal }]),
      ...calls,
    ]
    const finish: HubFinish = cut ? 'length' : calls.length > 0 ? 'tool_calls' : refusal === null ? 'stop' : 'refusal'
    return { parts, finish, ...(logprobs && { logprobs }) }
  })

/** Ids of calls that come twice in an answer are told apart. */
const answer = made.answerOf(fc.array(candidate, { minLength: 1, maxLength: 2 }), { usage: made.usage }).map((one) => {
  let calls = 0
  for (const { parts } of one.candidates)
    for (const part of parts) if (part.type === 'tool_call') part.id = `${part.id}_${calls++}`
  return one
})

describe('what the dialect of chats can carry', () => {
  it('comes back from requests as it was', () => {
    fc.assert(
      fc.property(request, (said) => {
        const lost: string[] = []
        const body = openaiChat.buildRequest(said, WILLING, (what) => lost.push(what))
        expect(openaiChat.parseRequest(JSON.parse(JSON.stringify(body)), PLACE)).toEqual(said)
        expect(lost).toEqual([])
      }),
      { numRuns: 300 },
    )
  })

  it('comes back from answers as it was', () => {
    const tiered = fc.tuple(answer, fc.constantFrom({}, { serviceTier: 'default' }, { serviceTier: 'priority' }))
    fc.assert(
      fc.property(tiered, ([said, tier]) => {
        const built = openaiChat.buildAnswer({ ...said, ...tier }, answerFacts())
        expect(openaiChat.parseAnswer(JSON.parse(JSON.stringify(built)))).toEqual({ ...said, ...tier })
      }),
      { numRuns: 300 },
    )
  })

  it('comes back from streams as it was, event by event and put together by a client', () => {
    const told = answer.chain((said) => fc.tuple(fc.constant(said), made.eventsOf(said)))
    fc.assert(
      fc.property(told, ([said, events]) => {
        const stream = streamOf(openaiChat, events)
        const whole = answerTold(events)
        expect(answerTold(eventsIn(openaiChat, dataIn(stream) as '[DONE]'[]))).toEqual(whole)
        expect(openaiChat.parseAnswer(assembleChat(jsonIn(stream)))).toEqual(whole)
        expect(openaiChat.parseAnswer(openaiChat.buildAnswer(said, answerFacts()))).toEqual(whole)
      }),
      { numRuns: 300 },
    )
  })

  it('is said in whole chunks, each with its choice, whatever happens', () => {
    fc.assert(
      fc.property(fc.array(made.anyEvent, { maxLength: 30 }), (events) => {
        const stream = streamOf(openaiChat, events)
        const data = dataIn(stream)
        const ends = data.filter((one) => one === '[DONE]' || (typeof one !== 'string' && one.error))
        expect(ends.length).toBeLessThanOrEqual(1)
        if (ends.length === 1) expect(data.at(-1)).toBe(ends[0])
        const opened = new Set<unknown>()
        const ended = new Set<unknown>()
        for (const chunk of data) {
          if (typeof chunk === 'string' || chunk.error) continue
          for (const choice of chunk.choices as { index: number; delta: object; finish_reason: string | null }[]) {
            expect('role' in choice.delta).toBe(!opened.has(choice.index))
            opened.add(choice.index)
            if (choice.finish_reason === null) continue
            expect(ended.has(choice.index)).toBe(false)
            ended.add(choice.index)
          }
        }
        if (data.at(-1) === '[DONE]') expect(ended).toEqual(opened)
      }),
      { numRuns: 500 },
    )
  })
})

describe('a request', () => {
  it('says nothing of what it was not told, whatever model it is for', () => {
    const models = [
      'gpt-4o',
      'gpt-5',
      'gpt-5.6-sol',
      'o3',
      'claude-opus-5',
      'gemini-2.5-pro',
      'mistral-small',
      'deepseek-chat',
    ]
    fc.assert(
      fc.property(fc.constantFrom(...models), (model) => {
        const body = openaiChat.buildRequest(hubRequest({ model }), factsOf(model), () => {})
        expect(body).toEqual({ model, messages: [{ role: 'user', content: 'Hello' }] })
      }),
    )
  })
})
