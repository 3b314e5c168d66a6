import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { gemini } from '../../../src/formats/gemini/index.ts'
import type { HubEvent, HubMessage, HubPart, HubRequest, HubTool } from '../../../src/formats/hub.ts'
import { factsOf } from '../../../src/formats/model-facts.ts'
import type { Usage } from '../../../src/store/store.ts'
import { loseNothing } from '../samples.ts'
import { aRequest, eventsOf, readSse } from './project.ts'

/* What the dialect carries comes back out of it as it went in. */

const MODEL = 'gemini-2.5-flash'
const said = fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' })
/** Named as a JSON text is written: `__proto__` and whole numbers first are other matters. */
const key = fc.stringMatching(/^[a-z]{1,8}$/)
const object = fc.dictionary(
  key,
  fc.oneof(said, fc.integer(), fc.boolean(), fc.constant(null), fc.array(said, { maxLength: 2 })),
  {
    maxKeys: 3,
  },
)
const json = object.map((value) => JSON.stringify(value))
const base64 = fc.uint8Array({ minLength: 1, maxLength: 8 }).map((bytes) => Buffer.from(bytes).toString('base64'))
const seal = fc.record({ signature: base64, sealedIn: fc.constant('gemini' as const) })
const optional = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: null })

const text = said.map((one): HubPart => ({ type: 'text', text: one }))
const media = fc.oneof(
  base64.map((data): HubPart => ({ type: 'image', source: { kind: 'base64', mediaType: 'image/png', data } })),
  fc.webUrl().map((url): HubPart => ({ type: 'image', source: { kind: 'url', url, mediaType: 'image/webp' } })),
  base64.map((data): HubPart => ({ type: 'audio', source: { kind: 'base64', mediaType: 'audio/wav', data } })),
  base64.map((data): HubPart => ({ type: 'file', source: { kind: 'base64', mediaType: 'application/pdf', data } })),
)
const calls = fc.array(
  fc.tuple(fc.record({ name: key, arguments: json }), seal).map(([one, sealed]) => ({ ...one, ...sealed })),
  { maxLength: 3 },
)
const results = fc.array(fc.record({ text: said, isError: fc.boolean() }), { minLength: 3, maxLength: 3 })

/** One round of the conversation: the user, the model, and results of what it called. */
const round = fc.record({
  asked: fc.array(fc.oneof(text, media), { minLength: 1, maxLength: 3 }),
  told: said,
  sealed: optional(seal),
  calls,
  results,
})
const messages = fc.array(round, { minLength: 1, maxLength: 3 }).map((rounds) =>
  rounds.flatMap(({ asked, told, sealed, calls: made, results: given }, turn): HubMessage[] => {
    const called = made.map((one, index): HubPart => ({ type: 'tool_call', id: `call_${turn}_${index}`, ...one }))
    const answered = made.map(({ name }, index): HubPart => {
      const { text: result, isError } = given[index]!
      const failed = isError ? { isError } : {}
      return {
        type: 'tool_result',
        id: `call_${turn}_${index}`,
        name,
        parts: [{ type: 'text', text: result }],
        ...failed,
      }
    })
    const spoken: HubPart[] = [
      { type: 'text', text: told },
      ...(sealed === null ? [] : [{ type: 'reasoning' as const, text: '', ...sealed }]),
      ...called,
    ]
    return [
      { role: 'user', parts: asked },
      { role: 'assistant', parts: spoken },
      ...(answered.length === 0
        ? []
        : [
            { role: 'user' as const, parts: answered },
            { role: 'assistant' as const, parts: spoken.slice(0, 1) },
          ]),
    ]
  }),
)

const tool: fc.Arbitrary<HubTool> = fc
  .record({
    name: key,
    description: optional(said),
    properties: fc.dictionary(key, fc.constant({ type: 'string' }), { minKeys: 1 }),
  })
  .map(({ name, description, properties }) => ({
    name,
    parameters: { type: 'object', properties },
    ...(description !== null && { description }),
  }))
const number = (min: number, max: number) => fc.double({ min, max, noNaN: true }).map((one) => one + 0)

const request: fc.Arbitrary<HubRequest> = fc
  .record({
    system: optional(said.filter((one) => one.trim() !== '')),
    messages,
    tools: fc.array(tool, { maxLength: 2 }),
    choice: fc.constantFrom<HubRequest['toolChoice']>(
      null,
      { type: 'none' },
      { type: 'required' },
      { type: 'tools', names: ['go'], required: true },
      { type: 'tools', names: ['go', 'stop'], required: false },
    ),
    format: fc.constantFrom<HubRequest['format']>(
      null,
      { type: 'json' },
      { type: 'schema', name: 'answer', schema: { type: 'object', properties: { a: { type: 'string' } } } },
    ),
    reasoning: fc.oneof(
      fc.constant(null),
      fc.constant({ effort: 'none' as const, budgetTokens: null, shown: null }),
      fc.record({ effort: fc.constant(null), budgetTokens: fc.integer({ min: 1, max: 24_576 }), shown: fc.boolean() }),
    ),
    settings: fc.record({
      maxTokens: optional(fc.integer({ min: 1, max: 65_536 })),
      temperature: optional(number(0, 2)),
      topP: optional(number(0, 1)),
      topK: optional(fc.integer({ min: 1, max: 100 })),
      stop: fc.array(said, { maxLength: 5 }),
      seed: optional(fc.integer({ min: 0, max: 2 ** 31 - 1 })),
      candidates: optional(fc.integer({ min: 1, max: 8 })),
      presencePenalty: optional(number(-2, 2)),
      frequencyPenalty: optional(number(-2, 2)),
      logprobs: optional(fc.integer({ min: 0, max: 20 })),
      serviceTier: fc.constantFrom(null, 'default', 'flex', 'priority'),
    }),
  })
  .map(({ system, messages: turns, tools, choice, format, reasoning, settings }) =>
    aRequest({
      ...settings,
      model: MODEL,
      messages: [
        ...(system === null ? [] : [{ role: 'system' as const, parts: [{ type: 'text' as const, text: system }] }]),
        ...turns,
      ],
      tools,
      toolChoice: tools.length === 0 ? null : choice,
      // Both at once this model does not take.
      format: tools.length === 0 ? format : null,
      reasoning,
    }),
  )

const usage: fc.Arbitrary<Usage> = fc
  .record({
    input: fc.nat(10_000),
    output: fc.nat(10_000),
    cached: fc.nat(10_000),
    thoughts: fc.nat(10_000),
    audio: fc.nat(100),
  })
  .map(({ input, output, cached, thoughts, audio }) => ({
    inputTokens: input,
    outputTokens: output,
    cachedTokens: Math.min(cached, input),
    cacheWriteTokens: 0,
    reasoningTokens: Math.min(thoughts, output),
    details: audio > 0 && audio <= input ? { input_audio_tokens: audio } : null,
    source: 'reported',
  }))
const elsewhere = fc.constantFrom('openai-chat' as const, 'openai-responses' as const, 'anthropic-messages' as const)
const anySeal = fc.oneof(seal, fc.record({ signature: said, sealedIn: elsewhere }))
const sealed = <T extends object>(one: fc.Arbitrary<T>) =>
  fc.tuple(one, anySeal).map(([part, by]) => ({ ...part, ...by }))
const thought = fc.oneof(
  fc.record({ type: fc.constant('reasoning' as const), text: said }),
  sealed(fc.record({ type: fc.constant('reasoning' as const), text: fc.string() })),
  fc.record({ type: fc.constant('reasoning' as const), text: fc.constant(''), redacted: said, sealedIn: elsewhere }),
)
const call = fc.oneof(
  fc.record({ type: fc.constant('tool_call' as const), id: key, name: key, arguments: json }),
  sealed(fc.record({ type: fc.constant('tool_call' as const), id: key, name: key, arguments: json })),
)
const parts = fc.array(fc.oneof(text, thought, call), { maxLength: 5 })
const finishOf = (made: boolean) =>
  fc.constantFrom(...(['length', 'content_filter', made ? 'tool_calls' : 'stop'] as const))
const logprob = fc.record({ token: said, logprob: number(-10, 0) })
const candidate = parts.chain((spoken) =>
  fc.record(
    {
      parts: fc.constant(spoken as HubPart[]),
      finish: finishOf(spoken.some(({ type }) => type === 'tool_call')),
      logprobs: fc.array(
        fc.tuple(logprob, fc.array(logprob, { maxLength: 2 })).map(([one, top]) => ({ ...one, top })),
        { minLength: 1, maxLength: 3 },
      ),
    },
    { requiredKeys: ['parts', 'finish'] },
  ),
)
const facts = {
  model: 'asked',
  now: 1_790_000_000,
  lose: loseNothing,
  request: aRequest({ reasoning: { effort: 'high', budgetTokens: null, shown: true } }),
}

describe('from the hub and back', () => {
  it('a request is the same', () => {
    fc.assert(
      fc.property(request, (one) => {
        const lost: string[] = []
        const body = gemini.buildRequest(one, factsOf(MODEL), (what) => void lost.push(what))
        const onTheWire = JSON.parse(JSON.stringify(body))
        expect(gemini.parseRequest(onTheWire, { model: MODEL, stream: false })).toEqual(one)
        expect(lost).toEqual([])
      }),
      { numRuns: 300 },
    )
  })

  it('an answer is the same', () => {
    const answers = fc.record({
      id: key,
      model: key,
      created: fc.constant(null),
      candidates: fc.array(candidate, { minLength: 1, maxLength: 2 }),
      usage,
      serviceTier: fc.constantFrom('default', 'flex', 'priority'),
    })
    // Calls with the same id would be told apart.
    const answer = answers.map((one) => {
      let calls = 0
      const numbered = (part: HubPart) => (part.type === 'tool_call' ? { ...part, id: `${part.id}_${calls++}` } : part)
      const candidates = one.candidates.map((each) => ({ ...each, parts: each.parts.map(numbered) }))
      return { ...one, candidates }
    })
    fc.assert(
      fc.property(answer, (one) => {
        expect(gemini.parseAnswer(JSON.parse(JSON.stringify(gemini.buildAnswer(one, facts))))).toEqual(one)
      }),
      { numRuns: 300 },
    )
  })

  it('a stream is the same', () => {
    const step = fc.oneof(
      said.map((one): HubEvent[] => [{ type: 'text', choice: 0, text: one }]),
      said.map((one): HubEvent[] => [{ type: 'reasoning', choice: 0, text: one }]),
      anySeal.map((by): HubEvent[] => [{ type: 'signature', choice: 0, ...by }]),
      fc
        .record({ data: said, sealedIn: elsewhere })
        .map((one): HubEvent[] => [{ type: 'redacted', choice: 0, ...one }]),
      call.map(({ id, name, arguments: written, ...by }): HubEvent[] => [
        { ...by, type: 'tool_call', choice: 0, call: -1, id, name },
        { type: 'arguments', choice: 0, call: -1, json: written },
      ]),
    )
    const stream = fc.tuple(key, fc.array(step, { maxLength: 8 }), usage).map(([id, steps, used]): HubEvent[] => {
      let number = -1
      const body = steps.flat().map((event) => {
        if (event.type === 'tool_call') return { ...event, call: ++number, id: `${event.id}_${number}` }
        return 'call' in event ? { ...event, call: number } : event
      })
      return [
        { type: 'start', id, model: 'm', created: null },
        ...body,
        { type: 'finish', choice: 0, reason: number >= 0 ? 'tool_calls' : 'stop' },
        { type: 'usage', usage: used },
        { type: 'done' },
      ]
    })
    fc.assert(
      fc.property(stream, (events) => {
        const builder = gemini.createStreamBuilder(facts)
        const { chunks, rest } = readSse(events.map((event) => builder.push(event)).join(''))
        expect(rest).toBe('')
        expect(eventsOf(gemini, chunks)).toEqual(events)
      }),
      { numRuns: 300 },
    )
  })
})
