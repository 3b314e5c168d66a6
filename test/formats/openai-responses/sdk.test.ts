import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import OpenAI, { APIError } from 'openai'
import type { ResponseInputItem } from 'openai/resources/responses/responses'
import { anthropicMessages } from '../../../src/formats/anthropic-messages/index.ts'
import type { Json } from '../../../src/formats/dialect.ts'
import type { HubEvent, HubRequest } from '../../../src/formats/hub.ts'
import { openaiResponses } from '../../../src/formats/openai-responses/index.ts'
import { record, records } from '../../../src/formats/read.ts'
import { translateRequest } from '../../../src/formats/translate-request.ts'
import { sendJson, sseHead, startUpstream, type Upstream } from '../../helpers/upstream.ts'
import { factsFor, tell, understand } from './streams.ts'

/* The official SDK as the client of streams and answers that this dialect writes for Claude. */

const MODEL = 'claude-sonnet-4-6'
let upstream: Upstream
let openai: OpenAI
/** What Claude is sent, oldest first. */
let asked: Json[] = []

beforeAll(async () => {
  upstream = await startUpstream()
  openai = new OpenAI({ baseURL: upstream.url, apiKey: 'sk-none', maxRetries: 0 })
})
afterAll(() => upstream.close())

/** Each next request is translated for Claude, and answered with the next of these. */
function answer(...answers: Json[][]): void {
  asked = []
  const left = [...answers]
  upstream.script((_req, res, { body }) => {
    const own = JSON.parse(body.toString()) as Json
    const route = { from: openaiResponses, to: anthropicMessages }
    const place = { model: null, stream: null }
    const { request, body: built } = translateRequest(route, own, place, { model: MODEL, streamUsage: false })
    asked.push(built)
    reply(res, request, left.shift()!)
  })
}

function reply(res: Parameters<typeof sendJson>[0], request: HubRequest, events: Json[]): void {
  if (request.stream) {
    const hub = understand(
      events.map((data) => ({ name: String(data.type), data })),
      anthropicMessages,
    )
    res.writeHead(200, sseHead).end(tell(hub, factsFor(request)))
  } else {
    const whole = anthropicMessages.parseAnswer(events[0]!)
    sendJson(res, 200, openaiResponses.buildAnswer(whole, factsFor(request)))
  }
}

const message = (content: Json[], stop_reason: string): Json => ({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: MODEL,
  content,
  stop_reason,
  usage: { input_tokens: 10, output_tokens: 20 },
})

/** Claude's stream of these blocks. */
const streamOf = (content: Json[], stop_reason: string): Json[] => [
  { type: 'message_start', message: { ...message([], ''), stop_reason: null } },
  ...content.flatMap((block, index) => [
    {
      type: 'content_block_start',
      index,
      content_block: { ...block, ...EMPTY[String(block.type)] },
    },
    ...deltasOf(block).map((delta) => ({ type: 'content_block_delta', index, delta })),
    { type: 'content_block_stop', index },
  ]),
  { type: 'message_delta', delta: { stop_reason }, usage: { output_tokens: 20 } },
  { type: 'message_stop' },
]

/** What a block begins with. */
const EMPTY: Record<string, Json> = {
  text: { text: '' },
  thinking: { thinking: '', signature: '' },
  tool_use: { input: {} },
}

function deltasOf(block: Json): Json[] {
  const halves = (text: string) => [text.slice(0, 3), text.slice(3)]
  switch (block.type) {
    case 'text':
      return halves(String(block.text)).map((text) => ({ type: 'text_delta', text }))
    case 'thinking':
      return [
        ...halves(String(block.thinking)).map((thinking) => ({ type: 'thinking_delta', thinking })),
        { type: 'signature_delta', signature: block.signature },
      ]
    case 'tool_use':
      return halves(JSON.stringify(block.input)).map((partial_json) => ({ type: 'input_json_delta', partial_json }))
    default:
      return []
  }
}

const thought = { type: 'thinking', thinking: 'I need the weather.', signature: 'SEAL==' }
const hidden = { type: 'redacted_thinking', data: 'HIDDEN==' }
const call = (id: string, city: string) => ({ type: 'tool_use', id, name: 'weather', input: { city } })
const tools = [
  {
    type: 'function' as const,
    name: 'weather',
    description: 'Tells the weather.',
    strict: false,
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
]

describe('the official SDK', () => {
  it('reads a streamed text to its end', async () => {
    answer(streamOf([{ type: 'text', text: 'Sun in Rome.' }], 'end_turn'))
    const stream = openai.responses.stream({ model: MODEL, input: 'Weather in Rome?' })
    const deltas: string[] = []
    stream.on('response.output_text.delta', ({ delta }) => deltas.push(delta))
    const response = await stream.finalResponse()
    expect(deltas).toEqual(['Sun', ' in Rome.'])
    expect(response.output_text).toBe('Sun in Rome.')
    expect(response).toMatchObject({
      id: 'resp_msg_1',
      status: 'completed',
      model: MODEL,
      usage: { input_tokens: 10, output_tokens: 20, total_tokens: 30 },
    })
  })

  it('reads a whole answer', async () => {
    answer([message([thought, { type: 'text', text: 'Sun.' }, call('toolu_1', 'Rome')], 'tool_use')])
    const response = await openai.responses.create({ model: MODEL, input: 'Weather in Rome?', tools })
    expect(response.output_text).toBe('Sun.')
    expect(response.output.map(({ type }) => type)).toEqual(['reasoning', 'message', 'function_call'])
    expect(response.tools).toEqual(tools)
  })

  it('parses arguments and structured output out of the stream', async () => {
    answer(
      streamOf([call('toolu_1', 'Rome')], 'tool_use'),
      streamOf([{ type: 'text', text: '{"sun":true}' }], 'end_turn'),
    )
    const called = await openai.responses.stream({ model: MODEL, input: 'Weather?', tools }).finalResponse()
    expect(called.output).toMatchObject([{ type: 'function_call', call_id: 'toolu_1', arguments: '{"city":"Rome"}' }])
    const format = { type: 'json_schema' as const, name: 'sky', schema: { type: 'object' }, strict: true }
    const formed = await openai.responses.stream({ model: MODEL, input: 'Sky?', text: { format } }).finalResponse()
    expect(JSON.parse(formed.output_text)).toEqual({ sun: true })
    expect(asked[1]).toMatchObject({ output_config: { format: { type: 'json_schema' } } })
  })

  it('reads a stream that was cut as incomplete', async () => {
    answer(streamOf([{ type: 'text', text: 'Sun in' }], 'max_tokens'))
    const stream = openai.responses.stream({ model: MODEL, input: 'Hi', max_output_tokens: 16 })
    const last: string[] = []
    for await (const event of stream) last.splice(0, 1, event.type)
    expect(last).toEqual(['response.incomplete'])
  })

  it('raises an error out of a stream', async () => {
    const error = { type: 'overloaded_error', message: 'Overloaded' }
    answer([...streamOf([{ type: 'text', text: 'Sun in' }], '').slice(0, 3), { type: 'error', error }])
    const failure: unknown = await openai.responses
      .stream({ model: MODEL, input: 'Hi' })
      .finalResponse()
      .catch((reason: unknown) => reason)
    expect(failure).toBeInstanceOf(APIError)
    expect(failure).toMatchObject({ message: expect.stringContaining('Overloaded'), code: 'overloaded' })
  })

  it.each(['streamed', 'whole'])('keeps sealed thoughts through a loop of tools, %s', async (how) => {
    const first = [thought, hidden, call('toolu_1', 'Rome'), call('toolu_2', 'Oslo')]
    const second = [{ ...thought, thinking: 'One more.', signature: 'SEAL2==' }, call('toolu_3', 'Bonn')]
    const last = [{ type: 'text', text: 'Sun, snow, rain.' }]
    const isStreamed = how === 'streamed'
    const turn = (content: Json[], reason: string) =>
      isStreamed ? streamOf(content, reason) : [message(content, reason)]
    answer(turn(first, 'tool_use'), turn(second, 'tool_use'), turn(last, 'end_turn'))

    const input: ResponseInputItem[] = [{ role: 'user', content: 'Weather in Rome, Oslo and Bonn?' }]
    const common = { model: MODEL, tools, reasoning: { effort: 'high', summary: 'auto' } } as const
    let said = ''
    for (let turns = 0; turns < 3; turns++) {
      const response = isStreamed
        ? await openai.responses.stream({ ...common, input }).finalResponse()
        : await openai.responses.create({ ...common, input })
      said = response.output_text
      input.push(...(response.output as ResponseInputItem[]))
      for (const item of response.output)
        if (item.type === 'function_call')
          input.push({ type: 'function_call_output', call_id: item.call_id, output: `Seen: ${item.arguments}` })
    }

    expect(said).toBe('Sun, snow, rain.')
    const result = (id: string, city: string) => ({
      type: 'tool_result',
      tool_use_id: id,
      content: [{ type: 'text', text: `Seen: {"city":"${city}"}` }],
    })
    expect(asked[2]!.messages).toEqual([
      { role: 'user', content: [{ type: 'text', text: 'Weather in Rome, Oslo and Bonn?' }] },
      { role: 'assistant', content: first },
      { role: 'user', content: [result('toolu_1', 'Rome'), result('toolu_2', 'Oslo')] },
      { role: 'assistant', content: second },
      { role: 'user', content: [result('toolu_3', 'Bonn')] },
    ])
    expect(asked[2]!.thinking).toMatchObject({ type: 'adaptive' })
  })

  it('keeps the seals of calls, which stand beside the calls', async () => {
    const events: HubEvent[] = [
      { type: 'start', id: 'r1', model: 'gemini-3-pro', created: null },
      { type: 'tool_call', choice: 0, call: 0, id: 'call_1', name: 'weather', signature: 'G1', sealedIn: 'gemini' },
      { type: 'arguments', choice: 0, call: 0, json: '{"city":"Rome"}' },
      { type: 'tool_call', choice: 0, call: 1, id: 'call_2', name: 'weather' },
      { type: 'arguments', choice: 0, call: 1, json: '{"city":"Oslo"}' },
      { type: 'finish', choice: 0, reason: 'tool_calls' },
      { type: 'done' },
    ]
    upstream.script((_req, res) => void res.writeHead(200, sseHead).end(tell(events)))
    const response = await openai.responses.stream({ model: MODEL, input: 'Weather?', tools }).finalResponse()
    const again = openaiResponses.parseRequest(
      { model: MODEL, input: JSON.parse(JSON.stringify(response.output)) },
      { model: null, stream: null },
    )
    expect(again.messages).toEqual([
      {
        role: 'assistant',
        parts: [
          {
            type: 'tool_call',
            id: 'call_1',
            name: 'weather',
            arguments: '{"city":"Rome"}',
            signature: 'G1',
            sealedIn: 'gemini',
          },
          { type: 'tool_call', id: 'call_2', name: 'weather', arguments: '{"city":"Oslo"}' },
        ],
      },
    ])
  })

  it('puts calls together whose pieces come mixed', async () => {
    const call = (number: number): HubEvent => ({
      type: 'tool_call',
      choice: 0,
      call: number,
      id: `c${number}`,
      name: 'weather',
    })
    const write = (number: number, json: string): HubEvent => ({ type: 'arguments', choice: 0, call: number, json })
    const mixed = [
      call(0),
      write(0, '{"town":'),
      call(1),
      write(1, '{"town":"'),
      write(0, '"Rome"}'),
      write(1, 'Oslo"}'),
    ]
    const events: HubEvent[] = [
      { type: 'start', id: 'a', model: 'm', created: 1 },
      ...mixed,
      { type: 'finish', choice: 0, reason: 'tool_calls' },
      { type: 'done' },
    ]
    upstream.script((_req, res) => void res.writeHead(200, sseHead).end(tell(events)))
    const response = await openai.responses.stream({ model: MODEL, input: 'Weather?' }).finalResponse()
    expect(response.output).toMatchObject([
      { call_id: 'c0', arguments: '{"town":"Rome"}' },
      { call_id: 'c1', arguments: '{"town":"Oslo"}' },
    ])
  })

  it('hears a refusal', async () => {
    const events: HubEvent[] = [
      { type: 'refusal', choice: 0, text: 'I will ' },
      { type: 'refusal', choice: 0, text: 'not.' },
      { type: 'finish', choice: 0, reason: 'stop' },
      { type: 'done' },
    ]
    upstream.script((_req, res) => void res.writeHead(200, sseHead).end(tell(events)))
    const response = await openai.responses.stream({ model: MODEL, input: 'Do it.' }).finalResponse()
    const [item] = records(response.output)
    expect(record(records(item!.content)[0])).toMatchObject({ type: 'refusal', refusal: 'I will not.' })
  })
})
