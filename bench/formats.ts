import type { Dialect, Json } from '../src/formats/dialect.ts'
import { DIALECTS } from '../src/formats/dialects.ts'
import type { HubRequest } from '../src/formats/hub.ts'
import { translateRequest } from '../src/formats/translate-request.ts'

/*
 * What a translation costs: CPU time in microseconds of a request and its answer (2 KB and 2 KB), and of one event of a stream; of the
 * translation alone, and with the JSON around it. Goals: 60 and 6.
 */

const CHAT = DIALECTS['openai-chat']!
const MESSAGES = DIALECTS['anthropic-messages']!
const ROUNDS = 20_000
const QUICK_ROUNDS = 4_000
const EVENTS = 200

const words = (bytes: number) =>
  'The quick brown fox jumps over the lazy dog. '.repeat(Math.ceil(bytes / 45)).slice(0, bytes)
const schema = { type: 'object', properties: { city: { type: 'string', description: 'Where' } }, required: ['city'] }

const chatRequest = {
  model: 'gpt-4.1',
  temperature: 0.7,
  max_tokens: 1_000,
  messages: [
    { role: 'system', content: words(500) },
    { role: 'user', content: words(400) },
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Bern"}' } }],
    },
    { role: 'tool', tool_call_id: 'call_1', content: words(200) },
    { role: 'user', content: words(200) },
  ],
  tools: [{ type: 'function', function: { name: 'weather', description: words(200), parameters: schema } }],
}
const chatAnswer = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1_700_000_000,
  model: 'gpt-4.1',
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: words(1_700), refusal: null },
      logprobs: null,
      finish_reason: 'stop',
    },
  ],
  usage: {
    prompt_tokens: 500,
    completion_tokens: 400,
    total_tokens: 900,
    prompt_tokens_details: { cached_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0 },
  },
}
const messagesRequest = {
  model: 'claude-sonnet-4-5',
  max_tokens: 1_000,
  temperature: 0.7,
  system: [{ type: 'text', text: words(500), cache_control: { type: 'ephemeral' } }],
  messages: [
    { role: 'user', content: words(400) },
    { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'weather', input: { city: 'Bern' } }] },
    {
      role: 'user',
      content: [
        { type: 'tool_result', tool_use_id: 'toolu_1', content: words(200) },
        { type: 'text', text: words(200) },
      ],
    },
  ],
  tools: [{ name: 'weather', description: words(200), input_schema: schema }],
}
const messagesAnswer = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-sonnet-4-5',
  content: [{ type: 'text', text: words(1_700) }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: {
    input_tokens: 500,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    output_tokens: 400,
    service_tier: 'standard',
  },
}

const chatChunk = (delta: Json, finish_reason: string | null = null): Json => ({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 1_700_000_000,
  model: 'gpt-4.1',
  system_fingerprint: 'fp_1',
  obfuscation: 'abcdefgh',
  choices: [{ index: 0, delta, logprobs: null, finish_reason }],
  usage: null,
})
const chatStream = [
  chatChunk({ role: 'assistant', content: '' }),
  ...Array.from({ length: EVENTS }, () => chatChunk({ content: ' token' })),
  chatChunk({}, 'stop'),
]
const messagesStream: Json[] = [
  { type: 'message_start', message: { ...messagesAnswer, content: [], stop_reason: null } },
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  ...Array.from({ length: EVENTS }, () => ({
    type: 'content_block_delta',
    index: 0,
    delta: { type: 'text_delta', text: ' token' },
  })),
  { type: 'content_block_stop', index: 0 },
  { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 400 } },
  { type: 'message_stop' },
]

type Pair = {
  name: string
  client: Dialect
  provider: Dialect
  request: Json
  answer: Json
  stream: Json[]
  model: string
}
const PAIRS: Pair[] = [
  {
    name: 'chats → messages',
    client: CHAT,
    provider: MESSAGES,
    request: chatRequest,
    answer: messagesAnswer,
    stream: messagesStream,
    model: 'claude-sonnet-4-5',
  },
  {
    name: 'messages → chats',
    client: MESSAGES,
    provider: CHAT,
    request: messagesRequest,
    answer: chatAnswer,
    stream: chatStream,
    model: 'gpt-4.1',
  },
]

const PLACE = { model: null, stream: null }
let sink = 0

/** CPU microseconds of one run: the least of five tries, after warming up. */
function cost(run: () => void, rounds: number): number {
  for (let index = 0; index < rounds / 4; index++) run()
  const tries = Array.from({ length: 5 }, () => {
    const before = process.cpuUsage()
    for (let index = 0; index < rounds; index++) run()
    const { user, system } = process.cpuUsage(before)
    return (user + system) / rounds
  })
  return Math.min(...tries)
}

function measure({ name, client, provider, request, answer, stream, model }: Pair, rounds: number) {
  const target = { model, streamUsage: true }
  const route = { from: client, to: provider }
  const [requestText, answerText] = [JSON.stringify(request), JSON.stringify(answer)]
  const texts = stream.map((event) => JSON.stringify(event))
  const facts = (asked: HubRequest) => ({ model: 'asked', now: 1_700_000_000, request: asked })
  const once = (ask: Json, said: Json) => {
    const { request: asked, body } = translateRequest(route, ask, PLACE, target)
    return [body, client.buildAnswer(provider.parseAnswer(said), facts(asked))] as const
  }
  const asked = client.parseRequest(request, PLACE)
  const streamed = (data: (index: number) => Json) => {
    const parser = provider.createStreamParser()
    const builder = client.createStreamBuilder(facts(asked))
    for (let index = 0; index < stream.length; index++)
      for (const event of parser.push(data(index), null)) sink += builder.push(event).length
  }
  const exchange = cost(() => {
    sink += once(request, answer).length
  }, rounds)
  const exchangeWithJson = cost(() => {
    const [body, told] = once(JSON.parse(requestText) as Json, JSON.parse(answerText) as Json)
    sink += JSON.stringify(body).length + JSON.stringify(told).length
  }, rounds)
  const jsonAlone = cost(() => {
    sink += JSON.stringify(JSON.parse(requestText)).length + JSON.stringify(JSON.parse(answerText)).length
  }, rounds)
  const event = cost(() => streamed((index) => stream[index]!), rounds / 100) / stream.length
  const parsed = (index: number) => JSON.parse(texts[index]!) as Json
  const eventWithJson = cost(() => streamed(parsed), rounds / 100) / stream.length
  return { name, exchange, exchangeWithJson, jsonAlone, event, eventWithJson }
}

const HEAD = ['', 'request + answer', 'with JSON', 'JSON alone', 'event', 'with JSON']

/** Microseconds of CPU. */
export async function benchFormats(_workshop: unknown, quick: boolean): Promise<{ text: string; data: unknown }> {
  const data = PAIRS.map((pair) => measure(pair, quick ? QUICK_ROUNDS : ROUNDS))
  if (sink === 0) throw new Error('Nothing was measured.')
  const lines = data.map(({ name, exchange, exchangeWithJson, jsonAlone, event, eventWithJson }) => [
    name,
    ...[exchange, exchangeWithJson, jsonAlone].map((micros) => `${micros.toFixed(1)} µs`),
    ...[event, eventWithJson].map((micros) => `${micros.toFixed(2)} µs`),
  ])
  return { text: [HEAD, ...lines].map((line) => line.map((cell) => cell.padEnd(18)).join('')).join('\n'), data }
}
