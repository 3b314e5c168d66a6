import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { Dialect, Json } from '../../../src/formats/dialect.ts'
import { DIALECTS } from '../../../src/formats/dialects.ts'
import { gemini } from '../../../src/formats/gemini/index.ts'
import { ANY_SEAL, readSeal, writeSeal } from '../../../src/formats/gemini/seals.ts'
import { translateRequest } from '../../../src/formats/translate-request.ts'
import { aRequest, eventsOf, readSse } from './project.ts'

/*
 * A conversation of two turns with a tool in between: what a provider sealed comes back to it, whatever dialect its client speaks.
 */

const openai = DIALECTS['openai-chat']!
const anthropic = DIALECTS['anthropic-messages']!
const facts = {
  model: 'asked',
  now: 1_790_000_000,
  request: aRequest({ reasoning: { effort: 'high', budgetTokens: null, shown: true }, streamUsage: true }),
}
const PLACE = { model: 'x', stream: false }

type Part = Json & { thoughtSignature?: string; functionCall?: Json }

const geminiAnswer: Json = {
  candidates: [
    {
      content: {
        role: 'model',
        parts: [
          { text: 'Where?', thought: true },
          { text: 'I look.' },
          { functionCall: { name: 'weather', args: { town: 'Rome' } }, thoughtSignature: 'c2VhbC1vZi1jYWxs' },
          { functionCall: { name: 'time' } },
        ],
      },
      finishReason: 'STOP',
    },
  ],
  modelVersion: 'gemini-3-pro',
  responseId: 'Ab-1',
}
const geminiChunks: Json[] = (geminiAnswer.candidates as { content: { parts: Part[] } }[])[0]!.content.parts.map(
  (part, index, parts) => ({
    ...geminiAnswer,
    candidates: [
      { content: { role: 'model', parts: [part] }, ...(index === parts.length - 1 && { finishReason: 'STOP' }) },
    ],
  }),
)

/** What clients of a dialect keep of an answer, and send back with results. */
const NEXT: Record<string, (answer: Json) => Json> = {
  'openai-chat': (answer) => {
    const { message } = (answer.choices as { message: Json & { tool_calls: { id: string }[] } }[])[0]!
    return {
      model: 'x',
      messages: [
        { role: 'user', content: 'Weather?' },
        message,
        ...message.tool_calls.map(({ id }) => ({ role: 'tool', tool_call_id: id, content: 'ok' })),
      ],
    }
  },
  'anthropic-messages': (answer) => {
    const content = answer.content as { type: string; id: string }[]
    const results = content
      .filter(({ type }) => type === 'tool_use')
      .map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: 'ok' }))
    return {
      model: 'x',
      max_tokens: 100,
      messages: [
        { role: 'user', content: 'Weather?' },
        { role: 'assistant', content },
        { role: 'user', content: results },
      ],
    }
  },
}

/** The answer that the client's SDK puts together of a stream. */
const GATHER: Record<string, (chunks: Json[]) => Json> = {
  'openai-chat': (chunks) => {
    const message: Json = {
      role: 'assistant',
      content: '',
      reasoning_content: '',
      reasoning_details: [],
      tool_calls: [],
    }
    const calls: Json[] = []
    for (const chunk of chunks) {
      const delta = ((chunk.choices as { delta: Json }[])[0]?.delta ?? {}) as {
        content?: string
        reasoning_content?: string
        reasoning_details?: Json[]
        tool_calls?: { index: number; id: string; function: { name?: string; arguments: string } }[]
      }
      message.content += delta.content ?? ''
      message.reasoning_content += delta.reasoning_content ?? ''
      ;(message.reasoning_details as Json[]).push(...(delta.reasoning_details ?? []))
      for (const { index, id, function: called } of delta.tool_calls ?? []) {
        if (id) calls[index] = { id, type: 'function', function: { name: called.name, arguments: '' } }
        ;(calls[index]!.function as { arguments: string }).arguments += called.arguments
      }
    }
    return { choices: [{ message: { ...message, tool_calls: calls } }] }
  },
  'anthropic-messages': (chunks) => {
    const content: Json[] = []
    for (const { type, index, content_block: block, delta } of chunks as (Json & { index: number; delta: Json })[]) {
      const open = content[index]
      if (type === 'content_block_start') content[index] = { ...(block as Json), json: '' }
      if (type !== 'content_block_delta' || !open) continue
      if (delta.type === 'text_delta') open.text = `${open.text}${delta.text}`
      if (delta.type === 'thinking_delta') open.thinking = `${open.thinking}${delta.thinking}`
      if (delta.type === 'signature_delta') open.signature = delta.signature
      if (delta.type === 'input_json_delta') open.json = `${open.json}${delta.partial_json}`
    }
    return {
      content: content.map(({ json, ...one }) =>
        one.type === 'tool_use' && json ? { ...one, input: JSON.parse(String(json)) } : one,
      ),
    }
  },
}

const asked = (client: Dialect, body: Json, model: string) =>
  translateRequest({ from: client, to: gemini }, body, PLACE, { model, streamUsage: false }).body

describe.each([openai, anthropic])('a client of $name', (client) => {
  const whole = client.buildAnswer(gemini.parseAnswer(geminiAnswer), facts)
  const builder = client.createStreamBuilder(facts)
  const { chunks } = readSse(
    eventsOf(gemini, geminiChunks)
      .map((event) => builder.push(event))
      .join(''),
  )
  const streamed = GATHER[client.name]!(chunks.filter((chunk) => chunk !== '[DONE]'))

  it.each([
    ['an answer', whole],
    ['a stream', streamed],
  ])('gives the seal of a call back with the call, out of %s', (_what, answer) => {
    const body = asked(client, NEXT[client.name]!(answer), 'gemini-3-pro-preview')
    const [, turn, results] = body.contents as { role: string; parts: Part[] }[]
    const calls = turn!.parts.filter(({ functionCall }) => functionCall)
    expect(calls.map(({ functionCall, thoughtSignature }) => [functionCall!.name, thoughtSignature])).toEqual([
      ['weather', 'c2VhbC1vZi1jYWxs'],
      ['time', undefined],
    ])
    expect(turn!.parts.map(({ text }) => text).filter(Boolean)).toEqual(['I look.'])
    expect(results!.parts).toMatchObject([
      { functionResponse: { name: 'weather' } },
      { functionResponse: { name: 'time' } },
    ])
  })

  it('may go on with a model of another provider, which gets none of the seals', () => {
    const body = NEXT[client.name]!(whole)
    for (const [to, model] of [
      [anthropic, 'claude-sonnet-4-5'],
      [openai, 'gpt-4o'],
    ] as const) {
      const sent = translateRequest({ from: client, to }, body, PLACE, { model, streamUsage: false }).body
      expect(JSON.stringify(sent)).not.toContain('c2VhbC1vZi1jYWxs')
      expect(JSON.stringify(sent)).toContain('I look.')
    }
  })
})

describe('a client of gemini', () => {
  const claude: Json = {
    id: 'msg_1',
    type: 'message',
    model: 'claude-sonnet-4-5',
    content: [
      { type: 'thinking', thinking: 'Where?', signature: 'EqoB+/CkgIBRABGAIiQL==' },
      { type: 'redacted_thinking', data: 'EmwKAhgB+/==' },
      { type: 'text', text: 'I look.' },
      { type: 'tool_use', id: 'toolu_1', name: 'weather', input: { town: 'Rome' } },
    ],
    stop_reason: 'tool_use',
    usage: { input_tokens: 1, output_tokens: 1 },
  }
  const thinking = { generationConfig: { thinkingConfig: { thinkingBudget: 2000, includeThoughts: true } } }
  const next = (contents: Json[]) => ({
    contents: [
      { role: 'user', parts: [{ text: 'Weather?' }] },
      ...contents,
      {
        role: 'user',
        parts: [{ functionResponse: { id: 'toolu_1', name: 'weather', response: { result: 'sunny' } } }],
      },
    ],
    ...thinking,
  })
  const sent = (contents: Json[], to = anthropic, model = 'claude-sonnet-4-5') =>
    translateRequest({ from: gemini, to }, next(contents), PLACE, { model, streamUsage: false }).body
  const contentOf = (answer: Json) => (answer.candidates as { content: Json }[])[0]!.content

  it('gives the seals of thoughts back, so that its model thinks on', () => {
    const answer = gemini.buildAnswer(anthropic.parseAnswer(claude), facts)
    const body = sent([contentOf(answer)])
    expect((body.messages as { content: Json[] }[])[1]!.content).toEqual(claude.content)
    expect(body.thinking).toEqual({ type: 'enabled', budget_tokens: 2000 })
  })

  it('gives them back out of a stream, kept event by event', () => {
    const builder = anthropic.createStreamBuilder(facts)
    const source = readSse(
      [
        { type: 'start', id: 'msg_1', model: 'claude', created: null } as const,
        { type: 'reasoning', choice: 0, text: 'Whe' } as const,
        { type: 'reasoning', choice: 0, text: 're?' } as const,
        { type: 'signature', choice: 0, signature: 'EqoB+/CkgIBRABGAIiQL==' } as const,
        { type: 'redacted', choice: 0, data: 'EmwKAhgB+/==' } as const,
        { type: 'text', choice: 0, text: 'I ' } as const,
        { type: 'text', choice: 0, text: 'look.' } as const,
        { type: 'tool_call', choice: 0, call: 0, id: 'toolu_1', name: 'weather' } as const,
        { type: 'arguments', choice: 0, call: 0, json: '{"town":"Rome"}' } as const,
        { type: 'finish', choice: 0, reason: 'tool_calls' } as const,
        { type: 'done' } as const,
      ]
        .map((event) => builder.push(event))
        .join(''),
    )
    const writer = gemini.createStreamBuilder(facts)
    const told = readSse(
      eventsOf(anthropic, source.chunks, source.names)
        .map((event) => writer.push(event))
        .join(''),
    )
    const body = sent((told.chunks as Json[]).map(contentOf))
    expect((body.messages as { content: Json[] }[])[1]!.content).toEqual(claude.content)
  })

  it('may write seals in another alphabet of base64, as some SDKs do', () => {
    const content = contentOf(gemini.buildAnswer(anthropic.parseAnswer(claude), facts)) as { parts: Part[] }
    const parts = content.parts.map((part) =>
      part.thoughtSignature === undefined
        ? part
        : { ...part, thoughtSignature: Buffer.from(part.thoughtSignature, 'base64').toString('base64url') },
    )
    expect((sent([{ role: 'model', parts }]).messages as { content: Json[] }[])[1]!.content).toEqual(claude.content)
  })

  it('may go on with a model that never made its seals', () => {
    const native = { role: 'model', parts: [{ functionCall: { name: 'weather' }, thoughtSignature: 'c2VhbA==' }] }
    for (const [to, model] of [
      [anthropic, 'claude-sonnet-4-5'],
      [openai, 'gpt-4o'],
    ] as const)
      expect(JSON.stringify(sent([native], to, model))).not.toContain('c2VhbA==')
  })
})

it('a thought that was streamed to a client of openai-chat goes back with its seal', () => {
  const builder = openai.createStreamBuilder(facts)
  const { chunks } = readSse(
    [
      { type: 'start', id: 'msg_1', model: 'claude', created: null } as const,
      { type: 'reasoning', choice: 0, text: 'Whe' } as const,
      { type: 'reasoning', choice: 0, text: 're?' } as const,
      { type: 'signature', choice: 0, signature: 'EqoB', sealedIn: 'anthropic-messages' } as const,
      { type: 'text', choice: 0, text: 'I look.' } as const,
      { type: 'finish', choice: 0, reason: 'stop' } as const,
      { type: 'done' } as const,
    ]
      .map((event) => builder.push(event))
      .join(''),
  )
  const answer = GATHER['openai-chat']!(chunks.filter((chunk) => chunk !== '[DONE]'))
  const target = { model: 'claude-sonnet-4-5', streamUsage: false }
  const { body } = translateRequest({ from: openai, to: anthropic }, NEXT['openai-chat']!(answer), PLACE, target)
  expect((body.messages as { content: Json[] }[])[1]!.content).toEqual([
    { type: 'thinking', thinking: 'Where?', signature: 'EqoB' },
    { type: 'text', text: 'I look.' },
  ])
})

const ELSEWHERE = ['openai-chat', 'openai-responses', 'anthropic-messages'] as const

describe('a seal', () => {
  it('comes back as it went, whosever it is', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.constantFrom(...ELSEWHERE), (seal, sealedIn) => {
        for (const one of [
          { signature: seal, sealedIn },
          { redacted: seal, sealedIn },
        ])
          expect(readSeal(writeSeal(one))).toEqual(one)
      }),
    )
  })

  it('of its own provider is not touched', () => {
    const own = { signature: 'c2VhbA==', sealedIn: 'gemini' as const }
    expect(readSeal('c2VhbA==')).toEqual(own)
    expect(writeSeal(own)).toBe('c2VhbA==')
  })

  it('that is none is none', () => {
    for (const none of [undefined, null, '', 5, ANY_SEAL]) expect(readSeal(none)).toEqual({})
    expect(writeSeal({})).toBeNull()
  })
})
