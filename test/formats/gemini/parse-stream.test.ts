import { describe, expect, it } from '@jest/globals'
import { type Json, UnreadableAnswer } from '../../../src/formats/dialect.ts'
import { gemini } from '../../../src/formats/gemini/index.ts'
import { addPartialArgument, createArguments } from '../../../src/formats/gemini/partial-arguments.ts'
import type { HubEvent } from '../../../src/formats/hub.ts'
import { eventsOf, projectEvents } from './project.ts'

const chunk = (parts: Json[], candidate: Json = {}, more: Json = {}): Json => ({
  candidates: [{ content: { parts, role: 'model' }, index: 0, ...candidate }],
  modelVersion: 'gemini-3-pro',
  responseId: 'Ab-1',
  ...more,
})
const END = { finishReason: 'STOP' }
const START: HubEvent = { type: 'start', id: 'Ab-1', model: 'gemini-3-pro', created: null }
const DONE: HubEvent = { type: 'done' }
const events = (...chunks: Json[]) => eventsOf(gemini, chunks)
const failureIn = (all: HubEvent[]) => all.find((event) => event.type === 'error')?.error

describe('a stream', () => {
  it('is told as it comes', () => {
    expect(
      events(
        chunk([{ text: 'Hm.', thought: true }]),
        chunk([{ text: 'Hel' }]),
        chunk([{ text: 'lo' }]),
        chunk([{ text: '', thoughtSignature: 'c2Vh' }], END),
      ),
    ).toEqual([
      START,
      { type: 'reasoning', choice: 0, text: 'Hm.' },
      { type: 'text', choice: 0, text: 'Hel' },
      { type: 'text', choice: 0, text: 'lo' },
      { type: 'signature', choice: 0, signature: 'c2Vh', sealedIn: 'gemini' },
      { type: 'finish', choice: 0, reason: 'stop' },
      DONE,
    ])
  })

  it('has calls whole, with ids of their own where none are given', () => {
    expect(
      events(
        chunk([
          { functionCall: { name: 'go', args: { a: 1 } }, thoughtSignature: 'c2Vh' },
          { functionCall: { name: 'stop', id: 'own' } },
        ]),
        chunk([{ text: '' }], END),
      ),
    ).toEqual([
      START,
      { type: 'tool_call', choice: 0, call: 0, id: 'call_Ab-1_0', name: 'go', signature: 'c2Vh', sealedIn: 'gemini' },
      { type: 'arguments', choice: 0, call: 0, json: '{"a":1}' },
      { type: 'tool_call', choice: 0, call: 1, id: 'own', name: 'stop' },
      { type: 'arguments', choice: 0, call: 1, json: '{}' },
      { type: 'finish', choice: 0, reason: 'tool_calls' },
      DONE,
    ])
  })

  it('of several candidates ends when each has ended', () => {
    const other = (parts: Json[], candidate: Json = {}) => chunk(parts, { index: 1, ...candidate })
    const parser = gemini.createStreamParser()
    for (const one of [chunk([{ text: 'a' }]), other([{ text: 'b' }]), chunk([], END)]) parser.push(one, null)
    expect(parser.end()).toEqual([])
    expect(parser.push(other([{ text: 'c' }], END), null)).toEqual([
      { type: 'text', choice: 1, text: 'c' },
      { type: 'finish', choice: 1, reason: 'stop' },
    ])
    expect(parser.end()).toEqual([DONE])
    expect(parser.end()).toEqual([])
  })

  it.each<[string, Json[]]>([
    ['nothing', []],
    ['a text without a reason to end', [chunk([{ text: 'Hel' }])]],
    ['usage alone', [{ usageMetadata: { promptTokenCount: 1 } }]],
  ])('that breaks off after %s does not end well', (_what, chunks) => {
    expect(events(...chunks).some(({ type }) => type === 'done')).toBe(false)
  })

  it('whose prompt is blocked ends filtered', () => {
    const blocked = {
      promptFeedback: { blockReason: 'SAFETY' },
      usageMetadata: { promptTokenCount: 4 },
      responseId: 'Ab-1',
    }
    expect(events(blocked)).toMatchObject([
      { type: 'start', id: 'Ab-1' },
      { type: 'finish', reason: 'content_filter' },
      { type: 'usage', usage: { inputTokens: 4, outputTokens: 0 } },
      DONE,
    ])
  })

  it('that is stopped half-way by a filter says so', () => {
    expect(events(chunk([{ text: 'How to' }]), chunk([], { finishReason: 'SAFETY' }))).toContainEqual({
      type: 'finish',
      choice: 0,
      reason: 'content_filter',
    })
  })

  it('whose model fails to make a call ends with an error, never as if it were whole', () => {
    const all = events(chunk([{ text: 'I look.' }]), chunk([], { finishReason: 'MALFORMED_FUNCTION_CALL' }))
    expect(failureIn(all)).toMatchObject({
      kind: 'server',
      message: expect.stringContaining('MALFORMED_FUNCTION_CALL'),
    })
    expect(all.some(({ type }) => type === 'finish' || type === 'done')).toBe(false)
  })

  it.each<[string, Json, string]>([
    ['overloaded', { code: 503, message: 'Overloaded', status: 'UNAVAILABLE' }, 'overloaded'],
    ['over its quota', { code: 429, message: 'Quota', status: 'RESOURCE_EXHAUSTED' }, 'rate_limit'],
    ['broken', { code: 500, message: 'Oops' }, 'server'],
  ])('in which the provider is %s ends with its error', (_what, error, kind) => {
    const all = events(chunk([{ text: 'Hel' }]), { error })
    expect(failureIn(all)).toMatchObject({ kind, message: error.message })
    expect(all.at(-1)!.type).toBe('error')
  })

  it('counts what is known so far, also what a later event leaves out', () => {
    const usage = (usageMetadata: Json) => ({ usageMetadata })
    const all = events(
      chunk([{ text: 'a' }], {}, usage({ promptTokenCount: 10, cachedContentTokenCount: 8, totalTokenCount: 10 })),
      chunk([{ text: 'b' }], {}, usage({ trafficType: 'ON_DEMAND' })),
      chunk([{ text: 'c' }], END, usage({ promptTokenCount: 10, candidatesTokenCount: 5, thoughtsTokenCount: 2 })),
    )
    const counted = all.flatMap((event) => (event.type === 'usage' ? [event.usage] : []))
    expect(counted[0]).toMatchObject({ inputTokens: 10, outputTokens: 0, cachedTokens: 8 })
    expect(counted.at(-1)).toMatchObject({ inputTokens: 10, outputTokens: 7, cachedTokens: 8, reasoningTokens: 2 })
  })

  it('cites its sources at its end, once, in characters', () => {
    const groundingMetadata = {
      groundingChunks: [{ web: { uri: 'https://a.test', title: 'a' } }],
      groundingSupports: [{ segment: { startIndex: 8, endIndex: 15 }, groundingChunkIndices: [0] }],
    }
    const all = events(
      chunk([{ text: 'Grün, s' }]),
      chunk([{ text: 'o grün.' }], { groundingMetadata }),
      chunk([{ text: '' }], { ...END, groundingMetadata }),
    )
    expect(all.filter(({ type }) => type === 'citation')).toEqual([
      { type: 'citation', choice: 0, citation: { url: 'https://a.test', title: 'a', start: 7, end: 13 } },
    ])
  })

  it('tells how likely its tokens were', () => {
    const logprobsResult = { chosenCandidates: [{ token: 'a', logProbability: -1 }] }
    expect(events(chunk([{ text: 'a' }], { logprobsResult, ...END }))).toContainEqual({
      type: 'logprobs',
      choice: 0,
      logprobs: [{ token: 'a', logprob: -1, top: [] }],
    })
  })

  it('keeps only so much of a long text', () => {
    const parser = gemini.createStreamParser()
    for (let count = 0; count < 100; count++) parser.push(chunk([{ text: 'x'.repeat(1_000) }]), null)
    const groundingMetadata = {
      groundingChunks: [{ web: { uri: 'https://a.test' } }],
      groundingSupports: [{ segment: { endIndex: 5 }, groundingChunkIndices: [0] }],
    }
    expect(parser.push(chunk([], { ...END, groundingMetadata }), null)).toContainEqual({
      type: 'citation',
      choice: 0,
      citation: { url: 'https://a.test' },
    })
  })
})

describe('arguments in pieces', () => {
  const call = (functionCall: Json, candidate: Json = {}) => chunk([{ functionCall }], candidate)

  it('become the arguments of their calls', () => {
    const all = events(
      chunk([{ functionCall: { name: 'weather', willContinue: true }, thoughtSignature: 'c2Vh' }]),
      call({ partialArgs: [{ jsonPath: '$.town', stringValue: 'San ', willContinue: true }], willContinue: true }),
      call({ partialArgs: [{ jsonPath: '$.town', stringValue: 'Francisco' }], willContinue: true }),
      call({ partialArgs: [{ jsonPath: '$.days', numberValue: 3 }], willContinue: true }),
      call({}),
      call({ name: 'now' }),
      call({ name: 'time', willContinue: true }),
      call({ partialArgs: [{ jsonPath: '$.utc', boolValue: true }], willContinue: true }),
      call({}, END),
    )
    expect(projectEvents(all)).toMatchObject({
      calls: [
        { name: 'weather', arguments: { town: 'San Francisco', days: 3 } },
        { name: 'now', arguments: {} },
        { name: 'time', arguments: { utc: true } },
      ],
      finish: 'tool_calls',
    })
    expect(all).toContainEqual(expect.objectContaining({ type: 'tool_call', signature: 'c2Vh', sealedIn: 'gemini' }))
  })

  it('are whole where the answer ends without a last word on them', () => {
    const all = events(
      call({ name: 'weather', willContinue: true }),
      call({ partialArgs: [{ jsonPath: '$.town', stringValue: 'Rome' }], willContinue: true }, END),
    )
    expect(projectEvents(all).calls).toEqual([{ name: 'weather', arguments: { town: 'Rome' } }])
  })

  it('go where their path leads', () => {
    const root = createArguments()
    const add = (jsonPath: string, value: Json) => addPartialArgument(root, { jsonPath, ...value })
    add('$.list[0].name', { stringValue: 'a' })
    add("$.list[1]['first name']", { stringValue: 'b' })
    add('$["it\\"s"]', { nullValue: 'NULL_VALUE' })
    add('$.list[0].name', { stringValue: 'c' })
    add('$.matrix[1][0]', { numberValue: 5 })
    expect(JSON.parse(JSON.stringify(root))).toEqual({
      list: [{ name: 'ac' }, { 'first name': 'b' }],
      'it"s': null,
      matrix: [null, [5]],
    })
  })

  it.each(['town', '$.', '$..x', '$.a[', '$.a[-1]', '$.a[99999999]', '$.__proto__.x', '$.text.x', '$.list.length'])(
    'with the path %j lead nowhere',
    (jsonPath) => {
      const root = createArguments()
      addPartialArgument(root, { jsonPath: '$.text', stringValue: 'a' })
      addPartialArgument(root, { jsonPath: '$.list[0]', stringValue: 'a' })
      expect(() => addPartialArgument(root, { jsonPath, numberValue: 4_294_967_295 })).toThrow(UnreadableAnswer)
    },
  )

  it('cannot reach what all objects share', () => {
    const args = JSON.parse('{"a":{}}') as Json
    expect(() => addPartialArgument(args, { jsonPath: "$.a['__proto__'].polluted", boolValue: true })).toThrow()
    expect(() =>
      addPartialArgument(args, { jsonPath: '$.a.constructor.prototype.polluted', boolValue: true }),
    ).toThrow()
    expect({}).not.toHaveProperty('polluted')
  })
})
