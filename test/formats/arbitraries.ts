import fc from 'fast-check'
import type { DialectName } from '../../src/formats/dialect.ts'
import type {
  HubAnswer,
  HubCandidate,
  HubCitation,
  HubEvent,
  HubFinish,
  HubLogprob,
  HubMessage,
  HubPart,
  HubRequest,
  HubTool,
} from '../../src/formats/hub.ts'
import type { Usage } from '../../src/store/store.ts'
import { hubRequest, used } from './samples.ts'

/*
 * Things of the hub, made up. Each dialect's tests choose from these what the dialect can carry: what it cannot is a matter of unit
 * tests. Optional members are left out, never undefined.
 */

/** Something said: not blank, without blanks around it; any script. */
export const words = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
  .map((text) => text.trim())
  .filter((text) => text !== '')
/** A name, or an id, that everybody takes. */
export const word = fc.stringMatching(/^[a-zA-Z][\w-]{0,20}$/)
export const base64 = fc
  .uint8Array({ minLength: 1, maxLength: 12 })
  .map((bytes) => Buffer.from(bytes).toString('base64'))
export const address = word.map((name) => `https://example.com/${name}`)
/** JSON without what its text does not keep (`-0`, `undefined`, names like `__proto__`). */
export const json = fc
  .jsonValue({ maxDepth: 3 })
  .map((value) => JSON.parse(JSON.stringify(value).replaceAll('__proto__', 'proto')) as unknown)
export const object = fc
  .dictionary(word, json, { maxKeys: 4 })
  .map((value) => JSON.parse(JSON.stringify(value)) as Record<string, unknown>)
/** Arguments as everybody writes them again. */
export const canonicalArguments = object.map((value) => JSON.stringify(value))

export const maybe = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(one, { nil: null })
/** The members that have a value. */
export const some = <T extends object>(members: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<Partial<T>> =>
  fc.record(members, { requiredKeys: [] }) as fc.Arbitrary<Partial<T>>

export const cache = fc.constantFrom({ ttl: null }, { ttl: '5m' as const }, { ttl: '1h' as const })
/** With a mark for the cache, here and there. */
export const marked = (part: fc.Arbitrary<HubPart>): fc.Arbitrary<HubPart> =>
  fc.tuple(part, fc.option(cache, { nil: null, freq: 4 })).map(([one, mark]) => (mark ? { ...one, cache: mark } : one))

export const textPart = words.map((text): HubPart => ({ type: 'text', text }))
export const urlImage = address.map((url): HubPart => ({ type: 'image', source: { kind: 'url', url } }))
export const bytesImage = fc
  .tuple(fc.constantFrom('image/png', 'image/jpeg', 'image/gif', 'image/webp'), base64)
  .map(([mediaType, data]): HubPart => ({ type: 'image', source: { kind: 'base64', mediaType, data } }))
export const pdf = fc
  .tuple(words, base64)
  .map(
    ([name, data]): HubPart => ({ type: 'file', source: { kind: 'base64', mediaType: 'application/pdf', data }, name }),
  )
export const keptFile = word.map((id): HubPart => ({ type: 'file', source: { kind: 'file_id', id } }))
export const noteFile = words.map((text): HubPart => ({ type: 'file', source: { kind: 'text', text } }))
export const audio = fc
  .tuple(fc.constantFrom('audio/mp3', 'audio/wav'), base64)
  .map(([mediaType, data]): HubPart => ({ type: 'audio', source: { kind: 'base64', mediaType, data } }))

export const sealedThought = (sealedIn: DialectName) =>
  fc.oneof(
    fc.record({ text: words, signature: base64 }).map((seal): HubPart => ({ type: 'reasoning', ...seal, sealedIn })),
    base64.map((redacted): HubPart => ({ type: 'reasoning', text: '', redacted, sealedIn })),
  )
export const toolCall = (id: fc.Arbitrary<string> = word, args: fc.Arbitrary<string> = canonicalArguments) =>
  fc.record({ id, name: word, arguments: args }).map((call): HubPart => ({ type: 'tool_call', ...call }))

export const tool: fc.Arbitrary<HubTool> = fc
  .tuple(
    word,
    object.map((properties) => ({ type: 'object', properties })),
    some<{ description: string; cache: { ttl: '1h' | '5m' | null }; strict: boolean }>({
      description: words,
      cache,
      strict: fc.constant(false),
    }),
  )
  .map(([name, parameters, more]) => ({ name, parameters, ...more }))
export const tools = fc.uniqueArray(tool, { maxLength: 4, selector: ({ name }) => name })

/** A schema that can be promised: closed, without bounds. */
export const closedSchema = fc.uniqueArray(word, { maxLength: 3 }).map((names) => ({
  type: 'object',
  properties: Object.fromEntries(names.map((name) => [name, { type: 'string' }])),
  required: names,
  additionalProperties: false,
}))

/** Rounds of a conversation: what the user says, then what the assistant says and calls, then the results. */
export function conversation(said: {
  user: fc.Arbitrary<HubPart[]>
  assistant: fc.Arbitrary<HubPart[]>
  calls: boolean
  result: fc.Arbitrary<HubPart[]>
  /** Each result in a message of its own, or all of a turn in one. */
  oneByOne: boolean
}): fc.Arbitrary<HubMessage[]> {
  const names = fc.uniqueArray(word, { maxLength: said.calls ? 3 : 0 })
  const round = fc.tuple(said.user, said.assistant, names, fc.array(said.result, { minLength: 3, maxLength: 3 }))
  const rounds = fc.tuple(fc.array(round, { maxLength: 3 }), said.user)
  return rounds.map(([all, last]) => {
    const messages = all.flatMap(([user, assistant, calls, results], index): HubMessage[] => {
      const ids = calls.map((name) => `${name}_${index}`)
      const asked = ids.map((id, at): HubPart => ({ type: 'tool_call', id, name: calls[at]!, arguments: '{}' }))
      const told = ids.map((id, at): HubPart => ({ type: 'tool_result', id, parts: results[at]! }))
      return [
        { role: 'user', parts: user },
        { role: 'assistant', parts: [...assistant, ...asked] },
        ...(said.oneByOne
          ? told.map((one): HubMessage => ({ role: 'user', parts: [one] }))
          : told.length > 0
            ? [{ role: 'user' as const, parts: told }]
            : []),
      ]
    })
    return [...messages, { role: 'user', parts: last }]
  })
}

/** A request that says this much, and nothing else. */
export const requestOf = (
  members: { [K in keyof HubRequest]?: fc.Arbitrary<HubRequest[K]> },
): fc.Arbitrary<HubRequest> =>
  fc.record(members as Record<string, fc.Arbitrary<unknown>>).map((said) => hubRequest(said as Partial<HubRequest>))

/** Counts that add up. */
export const usage: fc.Arbitrary<Usage> = fc
  .tuple(fc.nat(100_000), fc.nat(100_000), fc.nat(100_000), fc.nat(100_000), fc.nat(100_000))
  .map(([fresh, cachedTokens, cacheWriteTokens, said, reasoningTokens]) =>
    used(fresh + cachedTokens + cacheWriteTokens, said + reasoningTokens, {
      cachedTokens,
      cacheWriteTokens,
      reasoningTokens,
    }),
  )

export const logprob: fc.Arbitrary<HubLogprob> = fc
  .record({
    token: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 4 }),
    logprob: fc.double({ min: -100, max: 0, noNaN: true }).map((value) => value || 0),
  })
  .map((one) => ({ ...one, bytes: [...Buffer.from(one.token)], top: [] }))

export const citation: fc.Arbitrary<HubCitation> = fc.record({
  url: address,
  title: words,
  text: words,
  start: fc.nat(50),
  end: fc.nat(50),
})

export const answerOf = (
  candidates: fc.Arbitrary<HubCandidate[]>,
  members: { [K in keyof HubAnswer]?: fc.Arbitrary<HubAnswer[K]> } = {},
): fc.Arbitrary<HubAnswer> =>
  fc.record({
    id: word.map((id) => `msg_${id}`),
    model: word,
    created: fc.nat(),
    candidates,
    usage: maybe(usage),
    ...members,
  }) as fc.Arbitrary<HubAnswer>

/** Cuts it into pieces, which are not empty. */
export const pieces = (text: string): fc.Arbitrary<string[]> =>
  text === ''
    ? fc.constant([])
    : fc.array(fc.nat(text.length), { maxLength: 3 }).map((cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), text.length]
        return at.slice(1).flatMap((end, index) => (end > at[index]! ? [text.slice(at[index], end)] : []))
      })

/** How a stream tells this answer: its parts in pieces, one candidate after the other. */
export function eventsOf(answer: HubAnswer): fc.Arbitrary<HubEvent[]> {
  const { id, model, created } = answer
  const told = answer.candidates.map((candidate, choice) => ofCandidate(candidate, choice))
  return fc
    .tuple(...told)
    .map((all) => [
      { type: 'start', id, model, created },
      ...all.flat(),
      ...(answer.usage ? [{ type: 'usage' as const, usage: answer.usage }] : []),
      { type: 'done' },
    ])
}

function ofCandidate(
  { parts, finish, stopSequence, logprobs }: HubCandidate,
  choice: number,
): fc.Arbitrary<HubEvent[]> {
  let calls = 0
  const told = parts.map((part) => ofPart(part, choice, part.type === 'tool_call' ? calls++ : 0))
  const end: HubEvent = { type: 'finish', choice, reason: finish, ...(stopSequence !== undefined && { stopSequence }) }
  return fc
    .tuple(...told)
    .map((all) => [...all.flat(), ...(logprobs ? [{ type: 'logprobs' as const, choice, logprobs }] : []), end])
}

function ofPart(part: HubPart, choice: number, call: number): fc.Arbitrary<HubEvent[]> {
  switch (part.type) {
    case 'text': {
      const cited = (part.citations ?? []).map((one): HubEvent => ({ type: 'citation', choice, citation: one }))
      return pieces(part.text).map((all) => [
        ...all.map((text): HubEvent => ({ type: 'text', choice, text })),
        ...cited,
      ])
    }
    case 'refusal':
      return pieces(part.text).map((all) => all.map((text) => ({ type: 'refusal', choice, text })))
    case 'reasoning': {
      const { signature, redacted, sealedIn } = part
      const sealer = sealedIn === undefined ? {} : { sealedIn }
      if (redacted !== undefined) return fc.constant([{ type: 'redacted', choice, data: redacted, ...sealer }])
      const seal: HubEvent[] = signature === undefined ? [] : [{ type: 'signature', choice, signature, ...sealer }]
      return pieces(part.text).map((all) => [
        ...all.map((text): HubEvent => ({ type: 'reasoning', choice, text })),
        ...seal,
      ])
    }
    case 'tool_call': {
      const { id, name, signature, sealedIn } = part
      const seal = { ...(signature !== undefined && { signature }), ...(sealedIn !== undefined && { sealedIn }) }
      return pieces(part.arguments).map((all) => [
        { type: 'tool_call', choice, call, id, name, ...seal },
        ...all.map((one): HubEvent => ({ type: 'arguments', choice, call, json: one })),
      ])
    }
    default:
      return fc.constant([])
  }
}

const FINISHES: HubFinish[] = [
  'stop',
  'stop_sequence',
  'length',
  'context_length',
  'tool_calls',
  'content_filter',
  'refusal',
  'pause',
]

/** One step of any stream, whether it makes sense there or not. */
export const anyEvent: fc.Arbitrary<HubEvent> = (() => {
  const choice = fc.nat(2)
  const call = fc.nat(3)
  const text = fc.string({ maxLength: 8 })
  const error = { kind: 'server' as const, message: 'Oops', code: null, param: null, retryAfterMs: null }
  return fc.oneof(
    fc.record({ type: fc.constant('start' as const), id: word, model: word, created: maybe(fc.nat()) }),
    fc.record({ type: fc.constantFrom('text' as const, 'reasoning' as const, 'refusal' as const), choice, text }),
    fc.record({ type: fc.constant('signature' as const), choice, signature: text }),
    fc.record({ type: fc.constant('redacted' as const), choice, data: text }),
    fc.record({ type: fc.constant('tool_call' as const), choice, call, id: text, name: word }),
    fc.record({
      type: fc.constant('arguments' as const),
      choice,
      call,
      json: fc.constantFrom('{', '}', '{}', '"a"', ':1', ' '),
    }),
    fc.record({ type: fc.constant('citation' as const), choice, citation }),
    fc.record({ type: fc.constant('logprobs' as const), choice, logprobs: fc.array(logprob, { maxLength: 2 }) }),
    fc.record({ type: fc.constant('finish' as const), choice, reason: fc.constantFrom(...FINISHES) }),
    fc.record({ type: fc.constant('usage' as const), usage }),
    fc.constantFrom<HubEvent>({ type: 'ping' }, { type: 'done' }, { type: 'error', error }),
  ) as fc.Arbitrary<HubEvent>
})()
