import { describe, expect, it } from '@jest/globals'
import { type Json, UnreadableAnswer } from '../../../src/formats/dialect.ts'
import { gemini } from '../../../src/formats/gemini/index.ts'
import type { HubEvent, HubReasoning } from '../../../src/formats/hub.ts'
import { NO_USAGE } from '../../../src/usage/read-usage.ts'
import { loseNothing } from '../samples.ts'
import { aRequest, readSse } from './project.ts'

const NOW = 1_790_000_000
const START: HubEvent = { type: 'start', id: 'msg_1', model: 'claude-sonnet-4-5', created: null }
const STOP: HubEvent = { type: 'finish', choice: 0, reason: 'stop' }
const DONE: HubEvent = { type: 'done' }
const USAGE: HubEvent = {
  type: 'usage',
  usage: { ...NO_USAGE, inputTokens: 10, outputTokens: 6, reasoningTokens: 2, source: 'reported' },
}
const THINKS: HubReasoning = { effort: 'high', budgetTokens: null, shown: null }
const text = (said: string, choice = 0): HubEvent => ({ type: 'text', choice, text: said })
const call = (number: number, name: string, signature?: string): HubEvent => ({
  type: 'tool_call',
  choice: 0,
  call: number,
  id: `toolu_${number}`,
  name,
  ...(signature !== undefined && { signature }),
})
const args = (number: number, json: string): HubEvent => ({ type: 'arguments', choice: 0, call: number, json })

function tell(events: HubEvent[], reasoning: HubReasoning | null = null): string {
  const builder = gemini.createStreamBuilder({
    model: 'my-model',
    now: NOW,
    request: aRequest({ reasoning }),
    lose: loseNothing,
  })
  return events.map((event) => builder.push(event)).join('')
}
const chunksOf = (events: HubEvent[], reasoning: HubReasoning | null = null) =>
  readSse(tell(events, reasoning)).chunks as Json[]
const partsOf = (events: HubEvent[], reasoning: HubReasoning | null = null) =>
  chunksOf(events, reasoning).map(
    ({ candidates }) => (candidates as { content: { parts: Json[] } }[])[0]!.content.parts,
  )

describe('a stream for a client', () => {
  it('is framed as the real one is', () => {
    expect(tell([START, text('Hel'), text('lo'), USAGE, STOP, DONE])).toBe(
      [
        '{"candidates":[{"content":{"parts":[{"text":"Hel"}],"role":"model"},"index":0}],"modelVersion":"claude-sonnet-4-5","responseId":"msg_1"}',
        '{"candidates":[{"content":{"parts":[{"text":"lo"}],"role":"model"},"index":0}],"modelVersion":"claude-sonnet-4-5","responseId":"msg_1"}',
        '{"candidates":[{"content":{"parts":[{"text":""}],"role":"model"},"index":0,"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":4,"totalTokenCount":16,"thoughtsTokenCount":2},"modelVersion":"claude-sonnet-4-5","responseId":"msg_1"}',
      ]
        .map((data) => `data: ${data}\r\n\r\n`)
        .join(''),
    )
  })

  it('says why it ended and what it took in its last event, in whatever order that became known', () => {
    for (const order of [
      [STOP, USAGE],
      [USAGE, STOP],
    ]) {
      const chunks = chunksOf([START, text('Hi'), ...order, DONE])
      expect(chunks.map((chunk) => 'usageMetadata' in chunk)).toEqual([false, true])
      expect(chunks.at(-1)).toMatchObject({
        candidates: [{ finishReason: 'STOP' }],
        usageMetadata: { totalTokenCount: 16 },
      })
    }
  })

  it('that is cut has no reason to have ended', () => {
    expect(tell([START, text('Hi'), USAGE, STOP])).not.toContain('finishReason')
    expect(tell([START, text('Hi'), USAGE, DONE])).not.toContain('finishReason')
  })

  it('has each call whole, when what follows it begins', () => {
    expect(
      partsOf([
        START,
        text('I look.'),
        call(0, 'weather'),
        args(0, '{"town":'),
        args(0, '"Rome"}'),
        call(1, 'now'),
        text('And.'),
        call(2, 'time'),
        args(2, '{"zone":"utc"}'),
        { type: 'finish', choice: 0, reason: 'tool_calls' },
        DONE,
      ]),
    ).toEqual([
      [{ text: 'I look.' }],
      [
        { functionCall: { id: 'toolu_0', name: 'weather', args: { town: 'Rome' } } },
        { functionCall: { id: 'toolu_1', name: 'now', args: {} } },
      ],
      [{ text: 'And.' }],
      [{ functionCall: { id: 'toolu_2', name: 'time', args: { zone: 'utc' } } }],
      [{ text: '' }],
    ])
  })

  it('takes pieces of several calls mixed, and none that come too late', () => {
    const mixed = [call(0, 'a'), call(1, 'b'), args(1, '{"b":'), args(0, '{"a":1}'), args(1, '2}')]
    expect(partsOf([START, ...mixed, STOP, DONE])[0]).toEqual([
      { functionCall: { id: 'toolu_0', name: 'a', args: { a: 1 } } },
      { functionCall: { id: 'toolu_1', name: 'b', args: { b: 2 } } },
    ])
    expect(() => tell([START, call(0, 'a'), args(0, '{'), text('x'), args(0, '}')])).toThrow(UnreadableAnswer)
  })

  it.each([
    ['{"id":12345678901234567890}', '{"id":12345678901234567890}'],
    ['{\n  "a": 1\r\n}', '{"a":1}'],
    ['', '{}'],
    ['{"a":', '{"raw_arguments":"{\\"a\\":"}'],
    ['[1]', '{"raw_arguments":"[1]"}'],
    [' {"a":1}', '{"a":1}'],
  ])('writes the arguments %j as %j', (json, written) => {
    expect(tell([START, call(0, 'a'), args(0, json), STOP, DONE])).toContain(`"args":${written}}`)
  })

  it('tells thoughts to those who spoke of thinking, with the seals that they have', () => {
    const events: HubEvent[] = [
      START,
      { type: 'reasoning', choice: 0, text: 'Hm.' },
      { type: 'signature', choice: 0, signature: 'EqoB' },
      text('Yes'),
      STOP,
      DONE,
    ]
    const [thought, seal, said] = partsOf(events, THINKS) as [Json[], Json[], Json[]]
    expect(thought).toEqual([{ text: 'Hm.', thought: true }])
    expect(seal).toEqual([{ text: '', thought: true, thoughtSignature: expect.any(String) }])
    expect(said).toEqual([{ text: 'Yes' }])
    expect(partsOf(events)).toEqual([[{ text: 'Yes' }], [{ text: '' }]])
  })

  it('has every candidate end by itself', () => {
    const chunks = chunksOf([
      START,
      text('a'),
      text('b', 1),
      { type: 'finish', choice: 1, reason: 'length' },
      STOP,
      USAGE,
      DONE,
    ])
    const ends = chunks.flatMap(({ candidates }) => candidates as Json[]).filter(({ finishReason }) => finishReason)
    expect(ends).toMatchObject([
      { index: 0, finishReason: 'STOP' },
      { index: 1, finishReason: 'MAX_TOKENS' },
    ])
  })

  it('cites its sources at its end', () => {
    const chunks = chunksOf([
      START,
      text('Zürich ist '),
      text('schön.'),
      { type: 'citation', choice: 0, citation: { url: 'https://a.test', title: 'a', start: 11, end: 16 } },
      STOP,
      DONE,
    ])
    expect((chunks.at(-1)!.candidates as Json[])[0]!.groundingMetadata).toEqual({
      groundingChunks: [{ web: { uri: 'https://a.test', title: 'a' } }],
      groundingSupports: [{ segment: { startIndex: 12, endIndex: 18, text: 'schön' }, groundingChunkIndices: [0] }],
    })
  })

  it('tells of an error bare, where SDKs look for it', () => {
    const error = { kind: 'overloaded', message: 'Try again', code: null, param: null, retryAfterMs: null } as const
    const { chunks, rest } = readSse(tell([START, text('Hel'), { type: 'error', error }]))
    expect(chunks).toHaveLength(1)
    expect(JSON.parse(rest)).toEqual({ error: { code: 503, message: 'Try again', status: 'UNAVAILABLE' } })
    expect(rest).not.toMatch(/[\r\n]/)
  })

  it('says nothing of pings, and nothing that breaks a line', () => {
    expect(tell([{ type: 'ping' }, START, { type: 'ping' }, text('')])).toBe('')
    const [data] = tell([START, text('a\r\n\r\nb\u2028')]).split('\r\n\r\n')
    expect(JSON.parse(data!.slice(6))).toMatchObject({
      candidates: [{ content: { parts: [{ text: 'a\r\n\r\nb\u2028' }] } }],
    })
  })

  it('tells how likely its tokens were', () => {
    const logprobs = [{ token: 'Hi', logprob: -0.5, top: [{ token: 'Hi', logprob: -0.5 }] }]
    expect(chunksOf([START, { type: 'logprobs', choice: 0, logprobs }])[0]).toMatchObject({
      candidates: [
        {
          logprobsResult: {
            chosenCandidates: [{ token: 'Hi', logProbability: -0.5 }],
            topCandidates: [{ candidates: [{ token: 'Hi', logProbability: -0.5 }] }],
          },
        },
      ],
    })
  })
})
