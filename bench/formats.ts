import type { Dialect, DialectName, Json } from '../src/formats/dialect.ts'
import { DIALECTS } from '../src/formats/dialects.ts'
import type { HubEvent } from '../src/formats/hub.ts'
import { factsOf } from '../src/formats/model-facts.ts'
import { translateRequest } from '../src/formats/translate-request.ts'

/*
 * What a translation between any two dialects costs: CPU time in microseconds of a request and its answer (2 KB and 2 KB), and of one event of a stream; of the
 * translation alone, and with the JSON around it. Goals: 60 and 6.
 */

const CHAT = DIALECTS['openai-chat']!
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

type Pair = {
  client: Dialect
  provider: Dialect
  request: Json
  answer: Json
  /** As JSON text. */
  stream: string[]
  model: string
}

const SILENT = () => {}
/** The same in every dialect. */
const asked = { ...CHAT.parseRequest(chatRequest, { model: null, stream: null }), stream: true, streamUsage: true }
const said = CHAT.parseAnswer(chatAnswer)
const told: HubEvent[] = [
  { type: 'start', id: said.id, model: said.model, created: said.created },
  ...Array.from({ length: EVENTS }, (): HubEvent => ({ type: 'text', choice: 0, text: ' token' })),
  { type: 'finish', choice: 0, reason: 'stop' },
  { type: 'usage', usage: said.usage! },
  { type: 'done' },
]
const FACTS = { model: 'asked', now: 1_700_000_000, request: asked, lose: () => undefined }

/** As the dialect's provider streams it. */
function streamOf(dialect: Dialect): string[] {
  const builder = dialect.createStreamBuilder(FACTS)
  const text = told.map((event) => builder.push(event)).join('')
  return text.split('\n').flatMap((line) => (line.startsWith('data: {') ? [line.slice('data: '.length).trim()] : []))
}

const MODELS: Record<DialectName, string> = {
  'openai-chat': 'gpt-4.1',
  'openai-responses': 'gpt-4.1',
  'anthropic-messages': 'claude-sonnet-4-5',
  gemini: 'gemini-2.5-flash',
}

const ALL = Object.values(DIALECTS)
const PAIRS: Pair[] = ALL.flatMap((client) =>
  ALL.filter((provider) => provider !== client).map((provider) => ({
    client,
    provider,
    request: client.buildRequest(asked, factsOf(asked.model), SILENT),
    answer: provider.buildAnswer(said, FACTS),
    stream: streamOf(provider),
    model: MODELS[provider.name],
  })),
)

/** What some dialects say in the address. */
const PLACE = { model: 'asked', stream: true }
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

function measure({ client, provider, request, answer, stream: texts, model }: Pair, rounds: number) {
  const target = { model, streamUsage: true }
  const route = { from: client, to: provider }
  const [requestText, answerText] = [JSON.stringify(request), JSON.stringify(answer)]
  const stream = texts.map((text) => JSON.parse(text) as Json)
  const once = (ask: Json, said: Json) => {
    const { request: understood, body } = translateRequest(route, ask, PLACE, target)
    return [body, client.buildAnswer(provider.parseAnswer(said), { ...FACTS, request: understood })] as const
  }
  const facts = { ...FACTS, request: client.parseRequest(request, PLACE) }
  const streamed = (data: (index: number) => Json) => {
    const parser = provider.createStreamParser()
    const builder = client.createStreamBuilder(facts)
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
  return { name: `${client.name} → ${provider.name}`, exchange, exchangeWithJson, jsonAlone, event, eventWithJson }
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
  return {
    text: [HEAD, ...lines]
      .map((line) => line.map((cell, column) => cell.padEnd(column === 0 ? 42 : 18)).join(''))
      .join('\n'),
    data,
  }
}
