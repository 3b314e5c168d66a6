import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { DialectName, Json } from '../../src/formats/dialect.ts'
import { DIALECTS } from '../../src/formats/dialects.ts'
import type { HubAnswer, HubEvent, HubPart } from '../../src/formats/hub.ts'
import { records } from '../../src/formats/read.ts'
import { answerSealedBy, eventSealedBy } from '../../src/formats/sealers.ts'
import { markSeal, type Sealed, type Sealer, unmarkSeal } from '../../src/formats/seals.ts'
import { translateRequest } from '../../src/formats/translate-request.ts'
import { assembleChat, assembleMessage } from './assemble.ts'
import { answerFacts, eventsIn, hubRequest, jsonIn, streamOf } from './samples.ts'

/*
 * A provider answers with seals; a client of some dialect keeps what it was told, whole or streamed, and sends it back with the results
 * of the calls: to the same provider, or to any other.
 */

const NAMES = ['openai-chat', 'openai-responses', 'anthropic-messages', 'gemini'] as const
const PLACE = { model: 'x', stream: false }
const FACTS = answerFacts({
  request: hubRequest({ reasoning: { effort: 'high', budgetTokens: null, shown: true }, streamUsage: true }),
})
/** A model of each. */
const MODELS: Record<DialectName, string> = {
  'openai-chat': 'llama-4',
  'openai-responses': 'gpt-5.4',
  'anthropic-messages': 'claude-sonnet-4-6',
  gemini: 'gemini-3-pro-preview',
}
const CALL = { name: 'weather', arguments: '{"town":"Rome"}' }

/** `back`: what the provider must be given of its own answer, out of the request to it. */
type Maker = { answer: Json; seals: string[]; back(body: Json): unknown; expected: unknown; model?: string }

const claudeContent = [
  { type: 'thinking', thinking: 'Where?', signature: 'EqoB+/Claude==' },
  { type: 'redacted_thinking', data: 'EmwK+/Hidden==' },
  { type: 'text', text: 'I look.' },
  { type: 'tool_use', id: 'toolu_1', name: 'weather', input: { town: 'Rome' } },
]

const MAKERS: Record<DialectName, Maker> = {
  'anthropic-messages': {
    answer: { id: 'msg_1', model: 'claude', content: claudeContent, stop_reason: 'tool_use', usage: {} },
    seals: ['EqoB+/Claude==', 'EmwK+/Hidden=='],
    back: (body) => (body.messages as Json[])[1]!.content,
    expected: claudeContent,
  },
  gemini: {
    answer: {
      candidates: [
        {
          content: {
            role: 'model',
            parts: [
              { text: 'Where?', thought: true },
              { text: 'I look.', thoughtSignature: 'VGV4dCtHZW1pbmk=' },
              { functionCall: { name: 'weather', args: { town: 'Rome' } }, thoughtSignature: 'Q2FsbCtHZW1pbmk=' },
              { functionCall: { name: 'time' } },
            ],
          },
          finishReason: 'STOP',
        },
      ],
      modelVersion: 'gemini-3-pro',
      responseId: 'Ab-1',
    },
    seals: ['VGV4dCtHZW1pbmk=', 'Q2FsbCtHZW1pbmk='],
    back: (body) =>
      records(records(body.contents)[1]!.parts).map(({ text, functionCall, thoughtSignature }) => [
        text ?? (functionCall as Json).name,
        thoughtSignature,
      ]),
    expected: [
      ['I look.', 'VGV4dCtHZW1pbmk='],
      ['weather', 'Q2FsbCtHZW1pbmk='],
      ['time', undefined],
    ],
  },
  'openai-responses': {
    answer: {
      id: 'resp_1',
      model: 'gpt-5.4',
      created_at: 5,
      status: 'completed',
      output: [
        {
          type: 'reasoning',
          id: 'rs_1',
          summary: [{ type: 'summary_text', text: 'Where?' }],
          encrypted_content: 'gAAA-Gpt==',
        },
        { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'I look.' }] },
        { type: 'function_call', call_id: 'call_1', ...CALL },
      ],
    },
    seals: ['gAAA-Gpt=='],
    // Where the client has no place for its id the item goes without one, which the provider takes.
    back: (body) =>
      records(body.input)
        .slice(1, -1)
        .map(({ id: _id, role: _role, ...item }) => item),
    expected: [
      { type: 'reasoning', summary: [{ type: 'summary_text', text: 'Where?' }], encrypted_content: 'gAAA-Gpt==' },
      { content: [{ type: 'output_text', text: 'I look.' }] },
      { type: 'function_call', call_id: 'call_1', ...CALL },
    ],
  },
  'openai-chat': {
    // Who takes seals in chats is known by the model.
    model: 'anthropic/claude-sonnet-4.6',
    answer: {
      id: 'chatcmpl-1',
      model: 'claude',
      created: 5,
      choices: [
        {
          message: {
            role: 'assistant',
            content: 'I look.',
            reasoning_details: [{ type: 'reasoning.encrypted', data: 'R29r+Chat', format: 'xai-responses-v1' }],
            tool_calls: [{ id: 'call_1', type: 'function', function: CALL }],
          },
          finish_reason: 'tool_calls',
        },
      ],
    },
    seals: ['R29r+Chat'],
    back: (body) => records(records(body.messages)[1]!.reasoning_details).map(({ data }) => data),
    expected: ['R29r+Chat'],
  },
}

const ASK = { role: 'user', content: 'Weather?' }

/** What clients keep of an answer in their dialect, and send back with results. */
const NEXT: Record<DialectName, (answer: Json) => Json> = {
  'openai-chat': ({ choices }) => {
    const message = records(choices)[0]!.message as Json
    const results = records(message.tool_calls).map(({ id }) => ({ role: 'tool', tool_call_id: id, content: 'ok' }))
    return { model: 'x', messages: [ASK, message, ...results] }
  },
  'anthropic-messages': ({ content }) => {
    const calls = records(content).filter(({ type }) => type === 'tool_use')
    const results = calls.map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: 'ok' }))
    return {
      model: 'x',
      max_tokens: 100,
      messages: [ASK, { role: 'assistant', content }, { role: 'user', content: results }],
    }
  },
  'openai-responses': ({ output }) => {
    const calls = records(output).filter(({ type }) => type === 'function_call')
    const results = calls.map(({ call_id }) => ({ type: 'function_call_output', call_id, output: 'ok' }))
    return { model: 'x', input: [ASK, ...records(output), ...results] }
  },
  gemini: ({ candidates }) => {
    const contents = records(candidates).map(({ content }) => content as Json)
    const calls = contents.flatMap(({ parts }) => records(records(parts).map(({ functionCall }) => functionCall)))
    const results = calls.map(({ id, name }) => ({ functionResponse: { id, name, response: { result: 'ok' } } }))
    return {
      contents: [{ role: 'user', parts: [{ text: 'Weather?' }] }, ...contents, { role: 'user', parts: results }],
    }
  },
}

/** The answer that clients put together of a stream. Those of Gemini keep a content for every event. */
const GATHER: Record<DialectName, (events: Json[]) => Json> = {
  'openai-chat': assembleChat,
  'anthropic-messages': assembleMessage,
  'openai-responses': (events) => events.at(-1)!.response as Json,
  gemini: (events) => ({ candidates: events.flatMap(({ candidates }) => records(candidates)) }),
}

function tell({ candidates: [candidate], ...answer }: HubAnswer): HubEvent[] {
  let calls = 0
  const events = candidate!.parts.flatMap((part): HubEvent[] => {
    const at = { choice: 0, ...(part.type !== 'text' && 'sealedIn' in part && { sealedIn: part.sealedIn }) }
    return pieces(part, at, part.type === 'tool_call' ? calls++ : 0)
  })
  const head = { type: 'start' as const, id: answer.id, model: answer.model, created: answer.created }
  return [head, ...events, { type: 'finish', choice: 0, reason: candidate!.finish }, { type: 'done' }]
}

function pieces(part: HubPart, at: { choice: number } & Sealed, call: number): HubEvent[] {
  if (part.type === 'text') return [...part.text].map((text) => ({ type: 'text', choice: 0, text }))
  if (part.type === 'tool_call') {
    const { id, name, arguments: json, signature } = part
    return [
      { type: 'tool_call', ...at, call, id, name, ...(signature !== undefined && { signature }) },
      { type: 'arguments', choice: 0, call, json },
    ]
  }
  if (part.type !== 'reasoning') throw new Error(part.type)
  const { text, signature, redacted } = part
  return [
    ...[...text].map((one) => ({ type: 'reasoning' as const, choice: 0, text: one })),
    ...(signature === undefined ? [] : [{ type: 'signature' as const, ...at, signature }]),
    ...(redacted === undefined ? [] : [{ type: 'redacted' as const, ...at, data: redacted }]),
  ]
}

describe.each(NAMES)('a client of %s', (clientName) => {
  const client = DIALECTS[clientName]!

  describe.each(NAMES)('with an answer of a provider of %s', (makerName) => {
    const { answer, seals, back, expected, model } = MAKERS[makerName]
    const maker = DIALECTS[makerName]!
    const hub = maker.parseAnswer(answer)
    /** As the provider itself would stream it. */
    const heard = eventsIn(maker, jsonIn(streamOf(maker, tell(hub), FACTS).replaceAll('\r\n', '\n')))
    const gathered = (events: HubEvent[]) =>
      GATHER[clientName](jsonIn(streamOf(client, events, FACTS).replaceAll('\r\n', '\n')))
    const kept = { whole: client.buildAnswer(hub, FACTS), streamed: gathered(heard) }
    /** The same, where the answer tells whose it is. */
    const signed = {
      whole: client.buildAnswer(answerSealedBy(hub, 'one-provider'), FACTS),
      streamed: gathered(heard.map((event) => eventSealedBy(event, 'one-provider'))),
    }
    const sent = (to: DialectName, how: keyof typeof kept, model = MODELS[to], answered = kept, provider?: string) => {
      const body = NEXT[clientName](JSON.parse(JSON.stringify(answered[how])) as Json)
      const target = { model, streamUsage: false, ...(provider !== undefined && { provider }) }
      return translateRequest({ from: client, to: DIALECTS[to]! }, body, PLACE, target).body
    }

    it.each(['whole', 'streamed'] as const)('gives it back to that provider as it was made (%s)', (how) => {
      const body = sent(makerName, how, model)
      expect(back(body)).toEqual(expected)
      for (const seal of seals) expect(JSON.stringify(body).split(seal)).toHaveLength(2)
    })

    it.each(['whole', 'streamed'] as const)('gives it back to the one that made it, by its name (%s)', (how) => {
      const body = sent(makerName, how, model, signed, 'one-provider')
      expect(back(body)).toEqual(expected)
      expect(JSON.stringify(body)).not.toContain('one-provider')
    })

    // A client of the same dialect is never translated for.
    if (clientName !== makerName)
      it.each(['whole', 'streamed'] as const)(
        'shows no other provider of that dialect what it would refuse (%s)',
        (how) => {
          const body = sent(makerName, how, model, signed, 'other-provider')
          const text = JSON.stringify(body)
          if (makerName === 'anthropic-messages') return expect(back(body)).toEqual(expected)
          for (const seal of seals) expect(text).not.toContain(seal)
          expect(text).not.toContain('one-provider')
          expect(text).toContain('I look.')
          expect(text).toContain('Rome')
        },
      )

    const others = NAMES.filter((name) => name !== makerName)
    it.each(others)('shows none of its seals to a provider of %s, and all that was said', (to) => {
      for (const how of ['whole', 'streamed'] as const) {
        const text = JSON.stringify(sent(to, how))
        for (const seal of seals) {
          expect(text).not.toContain(seal)
          expect(text).not.toContain(seal.slice(0, 8))
        }
        expect(text).toContain('I look.')
        expect(text).toContain('Rome')
      }
    })
  })
})

describe('the mark of a seal', () => {
  it('brings back the seal and its maker, whoever else keeps it', () => {
    const name = fc.constantFrom(...NAMES)
    const provider = fc.constantFrom('', '@openai', '@my-azure-2', '@a.b_c')
    fc.assert(
      fc.property(fc.base64String({ minLength: 1 }), name, provider, name, (seal, dialect, by, keeper) => {
        const sealedIn = `${dialect}${by}` as Sealer
        const known = dialect === keeper ? dialect : sealedIn
        expect(unmarkSeal(markSeal(seal, { sealedIn }, keeper), keeper)).toEqual({ seal, sealedIn: known })
      }),
    )
  })

  it('is not on the seals of its own provider', () => {
    expect(markSeal('c2VhbA==', { sealedIn: 'gemini' }, 'gemini')).toBe('c2VhbA==')
    expect(markSeal('c2VhbA==', { sealedIn: 'gemini' }, 'anthropic-messages')).toBe('gemini:c2VhbA==')
  })
})
