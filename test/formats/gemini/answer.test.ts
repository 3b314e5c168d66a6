import { describe, expect, it } from '@jest/globals'
import { type Json, UnreadableAnswer } from '../../../src/formats/dialect.ts'
import { gemini } from '../../../src/formats/gemini/index.ts'
import type { HubAnswer, HubCandidate, HubPart, HubRequest } from '../../../src/formats/hub.ts'
import { NO_USAGE } from '../../../src/usage/read-usage.ts'
import { loseNothing } from '../samples.ts'
import { aRequest } from './project.ts'

const NOW = 1_790_000_000
const answer = (candidate: Json, more: Json = {}): Json => ({
  candidates: [
    { content: { parts: [{ text: 'Hello' }], role: 'model' }, finishReason: 'STOP', index: 0, ...candidate },
  ],
  usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 2, totalTokenCount: 5 },
  modelVersion: 'gemini-2.5-flash',
  responseId: 'Ab-1',
  ...more,
})
const parse = (candidate: Json, more: Json = {}) => gemini.parseAnswer(answer(candidate, more))
const first = (candidate: Json) => parse(candidate).candidates[0]!
const content = (...parts: Json[]) => ({ content: { parts, role: 'model' } })

describe('an answer', () => {
  it('tells who answered, what and how much it took', () => {
    expect(parse({}, { createTime: '2026-05-04T20:01:02.264968Z' })).toEqual({
      id: 'Ab-1',
      model: 'gemini-2.5-flash',
      created: 1_777_924_862,
      candidates: [{ parts: [{ type: 'text', text: 'Hello' }], finish: 'stop' }],
      usage: { ...NO_USAGE, inputTokens: 3, outputTokens: 2, source: 'reported' },
    })
  })

  it('has thoughts, texts with their seals, calls and pictures', () => {
    expect(
      first(
        content(
          { text: 'Hm.', thought: true },
          { text: 'Look', thoughtSignature: 'c2Vh' },
          { functionCall: { name: 'go', args: { a: [1] } }, thoughtSignature: 'Y2Fs' },
          { functionCall: { name: 'go', id: 'own_1' } },
          { executableCode: { code: '1' } },
          { inlineData: { mimeType: 'image/png', data: 'aaaa' } },
        ),
      ).parts,
    ).toEqual([
      { type: 'reasoning', text: 'Hm.' },
      { type: 'text', text: 'Look' },
      { type: 'reasoning', text: '', signature: 'c2Vh', sealedIn: 'gemini' },
      {
        type: 'tool_call',
        id: 'call_Ab-1_0',
        name: 'go',
        arguments: '{"a":[1]}',
        signature: 'Y2Fs',
        sealedIn: 'gemini',
      },
      { type: 'tool_call', id: 'own_1', name: 'go', arguments: '{}' },
      { type: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'aaaa' } },
    ])
  })

  it('gives calls ids of their own in every candidate', () => {
    const { candidates } = gemini.parseAnswer({
      responseId: 'Ab-1',
      candidates: [
        content({ functionCall: { name: 'a' } }, { functionCall: { name: 'a' } }),
        content({ functionCall: { name: 'a' } }),
      ],
    })
    expect(candidates.map(({ parts }) => parts.map((part) => part.type === 'tool_call' && part.id))).toEqual([
      ['call_Ab-1_0', 'call_Ab-1_1'],
      ['call_Ab-1_1_0'],
    ])
  })

  it.each<[Json, string]>([
    [{ finishReason: 'STOP' }, 'stop'],
    [{ finishReason: 'MAX_TOKENS' }, 'length'],
    [{ finishReason: 'MAX_TOKENS', content: {} }, 'length'],
    [{ finishReason: 'MAX_TOKENS', ...content({ functionCall: { name: 'go' } }) }, 'length'],
    [{ finishReason: 'STOP', ...content({ functionCall: { name: 'go' } }) }, 'tool_calls'],
    [{ finishReason: 'UNEXPECTED_TOOL_CALL', ...content({ functionCall: { name: 'go' } }) }, 'tool_calls'],
    [{ finishReason: 'SAFETY', content: {} }, 'content_filter'],
    [{ finishReason: 'SAFETY', ...content({ functionCall: { name: 'go' } }) }, 'content_filter'],
    [{ finishReason: 'RECITATION', content: undefined }, 'content_filter'],
    [{ finishReason: 'MODEL_ARMOR', content: undefined }, 'content_filter'],
    [{ finishReason: 'IMAGE_PROHIBITED_CONTENT' }, 'content_filter'],
    [{ finishReason: 'LANGUAGE' }, 'content_filter'],
    [{ finishReason: 'OTHER' }, 'stop'],
    [{ finishReason: 'SOMETHING_NEW' }, 'stop'],
    [{ finishReason: undefined }, 'stop'],
  ])('%j ended with %s', (candidate, finish) => {
    expect(first(candidate).finish).toBe(finish)
  })

  it.each(['MALFORMED_FUNCTION_CALL', 'UNEXPECTED_TOOL_CALL', 'TOO_MANY_TOOL_CALLS', 'MALFORMED_RESPONSE'])(
    'that failed with %s is no answer',
    (finishReason) => {
      const failed = () => parse({ finishReason, finishMessage: 'Malformed function call: go(', content: {} })
      expect(failed).toThrow(UnreadableAnswer)
      expect(failed).toThrow(`(${finishReason}). Malformed function call: go(`)
    },
  )

  it('to a blocked prompt is empty and filtered, and has its usage', () => {
    expect(
      gemini.parseAnswer({
        promptFeedback: { blockReason: 'PROHIBITED_CONTENT' },
        usageMetadata: { promptTokenCount: 7, totalTokenCount: 7 },
        modelVersion: 'gemini-2.5-flash',
      }),
    ).toMatchObject({
      candidates: [{ parts: [], finish: 'content_filter' }],
      usage: { inputTokens: 7, outputTokens: 0 },
    })
  })

  it.each([[{}], [{ candidates: [] }], [{ usageMetadata: {} }], [{ promptFeedback: {} }]])('is not %j', (body) => {
    expect(() => gemini.parseAnswer(body)).toThrow(UnreadableAnswer)
  })

  it('tells how likely its tokens were', () => {
    const logprobsResult = {
      chosenCandidates: [{ token: 'He', tokenId: 1, logProbability: -0.1 }, { token: 'llo' }],
      topCandidates: [
        {
          candidates: [
            { token: 'He', logProbability: -0.1 },
            { token: 'Hi', logProbability: -2 },
          ],
        },
      ],
    }
    expect(first({ logprobsResult }).logprobs).toEqual([
      {
        token: 'He',
        logprob: -0.1,
        top: [
          { token: 'He', logprob: -0.1 },
          { token: 'Hi', logprob: -2 },
        ],
      },
      { token: 'llo', logprob: 0, top: [] },
    ])
  })

  it('tells its tier by the name that all know', () => {
    expect(parse({}, { usageMetadata: { serviceTier: 'standard' } }).serviceTier).toBe('default')
    expect(parse({}, { usageMetadata: { serviceTier: 'flex' } }).serviceTier).toBe('flex')
    expect(parse({})).not.toHaveProperty('serviceTier')
  })
})

describe('sources', () => {
  const web = (uri: string, title: string) => ({ web: { uri, title } })
  const grounded = (said: string, groundingSupports?: Json[]) =>
    first({
      ...content({ text: said }),
      groundingMetadata: {
        groundingChunks: [web('https://a.test', 'a'), web('https://b.test', 'b')],
        ...(groundingSupports && { groundingSupports }),
      },
    }).parts

  it('are cited where they are used, in characters of the text', () => {
    const said = 'Zürich — schön. 😀 Yes.'
    const cited = 'schön'
    const startIndex = Buffer.byteLength(said.slice(0, said.indexOf(cited)))
    const segment = { startIndex, endIndex: startIndex + Buffer.byteLength(cited), text: cited }
    expect(grounded(said, [{ segment, groundingChunkIndices: [1, 0, 9] }])).toEqual([
      {
        type: 'text',
        text: said,
        citations: [
          { url: 'https://b.test', title: 'b', start: 9, end: 14 },
          { url: 'https://a.test', title: 'a', start: 9, end: 14 },
        ],
      },
    ])
    expect(said.slice(9, 14)).toBe(cited)
  })

  it('are all told where none of them is said to be used', () => {
    expect(grounded('Yes.')).toMatchObject([{ citations: [{ url: 'https://a.test' }, { url: 'https://b.test' }] }])
  })

  it('of several texts stand with the one they are about', () => {
    const { parts } = first({
      ...content({ text: 'One.' }, { text: 'Two.' }),
      groundingMetadata: {
        groundingChunks: [web('https://a.test', 'a')],
        groundingSupports: [
          { segment: { endIndex: 4 }, groundingChunkIndices: [0] },
          { segment: { startIndex: 4, endIndex: 8 }, groundingChunkIndices: [0] },
        ],
      },
    })
    expect(parts).toMatchObject([{ citations: [{ start: 0, end: 4 }] }, { citations: [{ start: 4, end: 8 }] }])
  })

  it('that the model recited are cited', () => {
    const citationMetadata = {
      citationSources: [{ startIndex: 0, endIndex: 5, uri: 'https://c.test', license: 'mit' }],
    }
    expect(first({ citationMetadata }).parts).toMatchObject([
      { citations: [{ url: 'https://c.test', start: 0, end: 5 }] },
    ])
  })
})

describe('an answer for a client', () => {
  const hub = (candidate: Partial<HubCandidate>, more: Partial<HubAnswer> = {}): HubAnswer => ({
    id: 'msg_1',
    model: 'claude-sonnet-4-5',
    created: null,
    candidates: [{ parts: [{ type: 'text', text: 'Hello' }], finish: 'stop', ...candidate }],
    usage: { ...NO_USAGE, inputTokens: 10, cachedTokens: 4, outputTokens: 6, reasoningTokens: 2, source: 'reported' },
    ...more,
  })
  const asked = (reasoning: HubRequest['reasoning'] = null) => ({
    model: 'my-model',
    now: NOW,
    lose: loseNothing,
    request: aRequest({ reasoning }),
  })
  const partsOf = (parts: HubPart[], reasoning: HubRequest['reasoning'] = null) =>
    (gemini.buildAnswer(hub({ parts }), asked(reasoning)).candidates as { content: { parts: Json[] } }[])[0]!.content
      .parts

  it('looks as the real one does', () => {
    expect(gemini.buildAnswer(hub({}, { serviceTier: 'default' }), asked())).toEqual({
      candidates: [{ content: { parts: [{ text: 'Hello' }], role: 'model' }, finishReason: 'STOP', index: 0 }],
      usageMetadata: {
        promptTokenCount: 10,
        cachedContentTokenCount: 4,
        candidatesTokenCount: 4,
        thoughtsTokenCount: 2,
        totalTokenCount: 16,
        serviceTier: 'standard',
      },
      modelVersion: 'claude-sonnet-4-5',
      responseId: 'msg_1',
    })
  })

  it('says who answers where the provider does not', () => {
    const built = gemini.buildAnswer(hub({}, { id: '', model: '', usage: null }), asked())
    expect(built).toMatchObject({
      modelVersion: 'my-model',
      responseId: String(NOW),
      usageMetadata: { totalTokenCount: 0 },
    })
  })

  it.each([
    ['stop', 'STOP'],
    ['stop_sequence', 'STOP'],
    ['tool_calls', 'STOP'],
    ['pause', 'STOP'],
    ['length', 'MAX_TOKENS'],
    ['context_length', 'MAX_TOKENS'],
    ['content_filter', 'SAFETY'],
    ['refusal', 'SAFETY'],
  ] as const)('that ended with %s ends with %s', (finish, finishReason) => {
    expect(gemini.buildAnswer(hub({ finish }), asked()).candidates).toMatchObject([{ finishReason }])
  })

  it('has calls with the ids of their provider', () => {
    expect(
      partsOf([
        { type: 'text', text: 'I look.' },
        { type: 'tool_call', id: 'toolu_1', name: 'go', arguments: '{"a":1}' },
        { type: 'tool_call', id: 'toolu_2', name: 'go', arguments: '{"a":' },
      ]),
    ).toEqual([
      { text: 'I look.' },
      { functionCall: { id: 'toolu_1', name: 'go', args: { a: 1 } } },
      { functionCall: { id: 'toolu_2', name: 'go', args: { raw_arguments: '{"a":' } } },
    ])
  })

  it('tells thoughts to those who spoke of thinking, and to nobody else', () => {
    const parts: HubPart[] = [
      { type: 'reasoning', text: 'Hm.' },
      { type: 'text', text: 'Yes' },
    ]
    const thinking = { effort: 'high', budgetTokens: null, shown: null } as const
    expect(partsOf(parts, thinking)).toEqual([{ text: 'Hm.', thought: true }, { text: 'Yes' }])
    for (const silent of [null, { ...thinking, shown: false }, { ...thinking, effort: 'none' as const }])
      expect(partsOf(parts, silent)).toEqual([{ text: 'Yes' }])
  })

  it('cites its sources', () => {
    const said = 'Zürich ist schön.'
    const citations = [
      { url: 'https://a.test', title: 'a', start: 11, end: 16 },
      { url: 'https://b.test' },
      { url: 'https://a.test', title: 'a', start: 0, end: 6 },
    ]
    const built = gemini.buildAnswer(hub({ parts: [{ type: 'text', text: said, citations }] }), asked())
    expect((built.candidates as Json[])[0]!.groundingMetadata).toEqual({
      groundingChunks: [{ web: { uri: 'https://a.test', title: 'a' } }, { web: { uri: 'https://b.test' } }],
      groundingSupports: [
        { segment: { startIndex: 12, endIndex: 18, text: 'schön' }, groundingChunkIndices: [0] },
        { segment: { startIndex: 0, endIndex: 7, text: 'Zürich' }, groundingChunkIndices: [0] },
      ],
    })
  })

  it('says a refusal, and shows a picture', () => {
    expect(
      partsOf([
        { type: 'refusal', text: 'I will not.' },
        { type: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'aaaa' } },
      ]),
    ).toEqual([{ text: 'I will not.' }, { inlineData: { mimeType: 'image/png', data: 'aaaa' } }])
  })
})
