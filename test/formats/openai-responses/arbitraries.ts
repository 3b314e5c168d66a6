import fc from 'fast-check'
import type { DialectName } from '../../../src/formats/dialect.ts'
import type { HubCandidate, HubEvent, HubFinish, HubMessage, HubPart, HubRequest } from '../../../src/formats/hub.ts'
import type { Usage } from '../../../src/store/store.ts'
import { plainRequest } from './streams.ts'

/* All that this dialect can carry. */

const some = fc.string({ minLength: 1, unit: 'grapheme' })
const word = fc.stringMatching(/^[a-z][a-z0-9_]{0,20}$/)
const seal = fc.stringMatching(/^[A-Za-z0-9+/_-]{1,40}={0,2}$/)
const orNull = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: null })
const type = <T extends string>(name: T) => fc.constant(name)

const citation = fc.record({ url: fc.webUrl(), title: fc.string(), start: fc.nat(100), end: fc.nat(100) })
const plainText = fc.record({ type: type('text'), text: some })
const citedText = fc.record(
  { type: type('text'), text: some, citations: fc.array(citation, { minLength: 1, maxLength: 2 }) },
  { requiredKeys: ['type', 'text'] },
)
const base64 = fc.record({
  kind: type('base64'),
  mediaType: fc.constantFrom('image/png', 'application/pdf', 'text/plain'),
  data: fc.base64String({ minLength: 4 }),
})
const elsewhere = fc.oneof(
  fc.record({ kind: type('url'), url: fc.webUrl() }),
  fc.record({ kind: type('file_id'), id: word }),
)
const image = fc.record({
  type: type('image'),
  source: fc.oneof(base64, elsewhere),
  detail: fc.constantFrom('auto', 'low', 'high'),
})
const file = fc.oneof(
  fc.record({ type: type('file'), source: base64, name: some }),
  fc.record({ type: type('file'), source: elsewhere }),
)
const shown = fc.array(fc.oneof(plainText, image, file), { minLength: 1, maxLength: 3 })
const refusal = fc.record({ type: type('refusal'), text: some })
const json = fc.dictionary(word, fc.string(), { maxKeys: 3 }).map((object) => JSON.stringify(object))
const callModel = { type: type('tool_call'), id: word, name: word, arguments: json }
const call = fc.record(callModel)
const result = fc.record({ type: type('tool_result'), id: word, parts: fc.oneof(fc.constant<HubPart[]>([]), shown) })
const own = fc.constant('openai-responses' as const)
const maker = fc.constantFrom<DialectName>('openai-responses', 'openai-chat', 'anthropic-messages', 'gemini')
const sealedThought = fc.record({ type: type('reasoning'), text: fc.string(), signature: seal, sealedIn: own })

type Turn = { asked: HubPart[]; given: HubPart[]; results: HubPart[] }
const turn: fc.Arbitrary<Turn> = fc.record({
  asked: shown,
  given: fc.array(
    fc.oneof(
      citedText,
      refusal,
      call,
      sealedThought,
      fc.record({ type: type('reasoning'), text: fc.string(), signature: seal, sealedIn: own, id: word }),
    ),
    { minLength: 1, maxLength: 4 },
  ),
  results: fc.array(result, { maxLength: 2 }),
})

const messages: fc.Arbitrary<HubMessage[]> = fc
  .tuple(
    fc.array(fc.record({ role: fc.constantFrom('system', 'developer'), parts: fc.tuple(plainText) }), { maxLength: 2 }),
    fc.array(turn, { minLength: 1, maxLength: 3 }),
  )
  .map(([instructions, turns]) => [
    ...instructions,
    ...turns.flatMap(({ asked, given, results }): HubMessage[] => [
      { role: 'user', parts: asked },
      { role: 'assistant', parts: given },
      ...(results.length > 0 ? [{ role: 'user' as const, parts: results }] : []),
    ]),
  ])

/** Closed, so that it may be strict. */
const schema = fc.constantFrom(
  { type: 'object', properties: { a: { type: 'string' } }, required: ['a'], additionalProperties: false },
  { type: 'object', additionalProperties: false },
)
const names = fc.array(word, { minLength: 1, maxLength: 3 })

export const requests: fc.Arbitrary<HubRequest> = fc
  .record({
    messages,
    stream: fc.boolean(),
    tools: fc.array(
      fc.record(
        { name: word, description: some, parameters: orNull(schema), strict: fc.boolean() },
        { requiredKeys: ['name', 'parameters', 'strict'] },
      ),
      { minLength: 1, maxLength: 3 },
    ),
    toolChoice: orNull(
      fc.oneof(
        fc.record({ type: fc.constantFrom('auto', 'none', 'required') }),
        fc.record({ type: type('tools'), names, required: fc.boolean() }),
      ),
    ),
    parallelToolCalls: orNull(fc.boolean()),
    maxTokens: orNull(fc.integer({ min: 16, max: 100_000 })),
    temperature: orNull(fc.double({ min: 0, max: 2, noNaN: true })),
    topP: orNull(fc.double({ min: 0, max: 1, noNaN: true })),
    logprobs: orNull(fc.nat(20)),
    format: orNull(
      fc.oneof(
        // JSON without a schema must be asked for in words, too.
        fc.record({ type: fc.constant('text') }),
        fc.record(
          { type: type('schema'), name: word, schema, strict: fc.boolean(), description: some },
          { requiredKeys: ['type', 'name', 'schema', 'strict'] },
        ),
      ),
    ),
    reasoning: orNull(
      fc.record({
        effort: fc.constantFrom('low', 'medium', 'high'),
        budgetTokens: fc.constant(null),
        shown: fc.constantFrom(null, true),
      }),
    ),
    user: orNull(fc.string({ minLength: 1, maxLength: 64 })),
    metadata: orNull(fc.dictionary(word, fc.string(), { minKeys: 1, maxKeys: 2 })),
    serviceTier: orNull(fc.constantFrom('default', 'flex')),
  })
  .map((asked) => ({ ...plainRequest, ...asked }) as HubRequest)

const logprob = fc.record({
  token: some,
  logprob: fc.double({ min: -20, max: -0.001, noNaN: true }),
  bytes: fc.array(fc.nat(255), { maxLength: 4 }),
})
const logprobs = fc.array(
  fc.tuple(logprob, fc.array(logprob, { maxLength: 2 })).map(([one, top]) => ({ ...one, top })),
  { minLength: 1, maxLength: 2 },
)

export const usages: fc.Arbitrary<Usage> = fc
  .tuple(fc.nat(1_000), fc.nat(1_000), fc.nat(1_000), fc.nat(1_000), fc.nat(1_000))
  .map(([fresh, cachedTokens, cacheWriteTokens, said, reasoningTokens]) => ({
    inputTokens: fresh + cachedTokens + cacheWriteTokens,
    outputTokens: said + reasoningTokens,
    cachedTokens,
    cacheWriteTokens,
    reasoningTokens,
    details: null,
    source: 'reported',
  }))

const finishOf = (calls: boolean, cut: HubFinish | null): HubFinish => cut ?? (calls ? 'tool_calls' : 'stop')
const cuts = fc.constantFrom<HubFinish | null>(null, null, 'length', 'content_filter')

/** Ids of calls are their own: each seal must find its call. */
const numbered = (parts: HubPart[]): HubPart[] =>
  parts.map((part, index) => (part.type === 'tool_call' ? { ...part, id: `${part.id}_${index}` } : part))

export const candidates: fc.Arbitrary<HubCandidate> = fc
  .tuple(
    fc.array(
      fc.oneof(
        citedText,
        refusal,
        call,
        fc.record({ ...callModel, signature: seal, sealedIn: maker }),
        fc.record({ type: type('reasoning'), text: fc.string(), signature: seal, sealedIn: maker }),
        fc.record({ type: type('reasoning'), text: some }),
        fc.record({ type: type('reasoning'), text: fc.constant(''), redacted: seal, sealedIn: maker }),
      ),
      { maxLength: 6 },
    ),
    cuts,
    fc.option(logprobs, { nil: undefined }),
  )
  .map(([parts, cut, weights]) => ({
    parts: numbered(parts),
    finish: finishOf(
      parts.some((part) => part.type === 'tool_call'),
      cut,
    ),
    ...(weights && parts.some((part) => part.type === 'text') && { logprobs: weights }),
  }))

/** Some events of one item, that of a call still without its number. */
const blocks: fc.Arbitrary<HubEvent[]> = fc.oneof(
  fc
    .tuple(fc.array(some, { maxLength: 3 }), fc.option(seal), maker)
    .map(([said, signature, sealedIn]): HubEvent[] => [
      ...said.map((one): HubEvent => ({ type: 'reasoning', choice: 0, text: one })),
      ...(signature === null ? [] : [{ type: 'signature' as const, choice: 0, signature, sealedIn }]),
    ]),
  fc.tuple(seal, maker).map(([data, sealedIn]): HubEvent[] => [{ type: 'redacted', choice: 0, data, sealedIn }]),
  fc.array(
    fc.oneof(
      some.map((said): HubEvent => ({ type: 'text', choice: 0, text: said })),
      some.map((said): HubEvent => ({ type: 'refusal', choice: 0, text: said })),
      citation.map((one): HubEvent => ({ type: 'citation', choice: 0, citation: one })),
      logprobs.map((weights): HubEvent => ({ type: 'logprobs', choice: 0, logprobs: weights })),
    ),
    { minLength: 1, maxLength: 5 },
  ),
  fc
    .tuple(word, word, fc.option(seal), maker, fc.array(some, { minLength: 1, maxLength: 4 }))
    .map(([id, name, signature, sealedIn, pieces]): HubEvent[] => [
      { type: 'tool_call', choice: 0, call: 0, id, name, ...(signature !== null && { signature, sealedIn }) },
      ...pieces.map((piece): HubEvent => ({ type: 'arguments', choice: 0, call: 0, json: piece })),
    ]),
)

export const streams: fc.Arbitrary<HubEvent[]> = fc
  .tuple(fc.array(blocks, { maxLength: 6 }), cuts, usages, word)
  .map(([all, cut, usage, id]) => {
    let calls = 0
    const events = all.flatMap((block) => {
      const call = block[0]?.type === 'tool_call' ? calls++ : 0
      return block.map((event): HubEvent => {
        if (event.type === 'tool_call') return { ...event, call, id: `${event.id}_${call}` }
        return event.type === 'arguments' ? { ...event, call } : event
      })
    })
    return [
      { type: 'start', id: `resp_${id}`, model: 'm', created: 1_790_000_000 },
      ...events,
      { type: 'finish', choice: 0, reason: finishOf(calls > 0, cut) },
      { type: 'usage', usage },
      { type: 'done' },
    ]
  })
