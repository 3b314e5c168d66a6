import type { AnswerFacts, Dialect, Json } from '../../src/formats/dialect.ts'
import type { HubAnswer, HubEvent, HubPart, HubRequest } from '../../src/formats/hub.ts'
import { factsOf, type ModelFacts } from '../../src/formats/model-facts.ts'
import { isRecord } from '../../src/formats/read.ts'
import { NO_USAGE } from '../../src/usage/read-usage.ts'

/* Small things of the hub for tests, with nothing said but what the test is about. */

export const PLACE = { model: null, stream: null }

export const say = (text: string): HubPart => ({ type: 'text', text })

export const hubRequest = (some: Partial<HubRequest> = {}): HubRequest => ({
  model: 'some-model',
  stream: false,
  messages: [{ role: 'user', parts: [say('Hello')] }],
  tools: [],
  toolChoice: null,
  parallelToolCalls: null,
  maxTokens: null,
  temperature: null,
  topP: null,
  topK: null,
  stop: [],
  seed: null,
  candidates: null,
  presencePenalty: null,
  frequencyPenalty: null,
  logprobs: null,
  logitBias: null,
  format: null,
  reasoning: null,
  user: null,
  metadata: null,
  serviceTier: null,
  streamUsage: null,
  unknown: [],
  ...some,
})

/** For answers of which nothing may be lost. */
export const loseNothing: AnswerFacts['lose'] = (what) => {
  throw new Error(`Lost: ${what}`)
}

export const answerFacts = (some: Partial<AnswerFacts> = {}): AnswerFacts => ({
  model: 'asked-model',
  now: 1_700_000_000,
  request: hubRequest({ streamUsage: true }),
  lose: loseNothing,
  ...some,
})

export const hubAnswer = (parts: HubPart[], some: Partial<HubAnswer> = {}): HubAnswer => ({
  id: 'msg_1',
  model: 'some-model',
  created: 1_600_000_000,
  candidates: [{ parts, finish: 'stop' }],
  usage: null,
  ...some,
})

export const used = (inputTokens: number, outputTokens: number, more = {}) => ({
  ...NO_USAGE,
  inputTokens,
  outputTokens,
  source: 'reported' as const,
  ...more,
})

/** What a dialect makes of a request for a model, and what it says is lost. */
export function built(
  dialect: Dialect,
  request: Partial<HubRequest>,
  model = 'some-model',
  facts: Partial<ModelFacts> = {},
): { body: Json; lost: string[] } {
  const lost = new Set<string>()
  const body = dialect.buildRequest(hubRequest({ model, ...request }), { ...factsOf(model), ...facts }, (what) =>
    lost.add(what),
  )
  return { body, lost: [...lost].sort() }
}

/** The text of a stream that tells these events. */
export function streamOf(dialect: Dialect, events: HubEvent[], facts = answerFacts()): string {
  const builder = dialect.createStreamBuilder(facts)
  return events.map((event) => builder.push(event)).join('')
}

/** The data of its events, JSON but for `[DONE]`. */
export const dataIn = (stream: string): (Json | string)[] =>
  stream
    .split('\n\n')
    .flatMap((event) => event.split('\n').filter((line) => line.startsWith('data: ')))
    .map((line) => (line === 'data: [DONE]' ? '[DONE]' : (JSON.parse(line.slice(6)) as Json)))

export const jsonIn = (stream: string): Json[] => dataIn(stream).filter(isRecord)

/** What a parser makes of a stream's data, to its end. */
export function eventsIn(dialect: Dialect, data: (Json | '[DONE]')[]): HubEvent[] {
  const parser = dialect.createStreamParser()
  return [...data.flatMap((one) => parser.push(one, null)), ...parser.end()]
}

/** The `param` that a request is refused for, and why. */
export function refusalOf(dialect: Dialect, body: Json): { param: unknown; message: string } {
  try {
    dialect.parseRequest(body, PLACE)
  } catch (error) {
    const { code, message, param } = error as { code: string; message: string; param: unknown }
    if (code !== 'invalid_request') throw error
    return { param, message }
  }
  throw new Error('It was not refused.')
}
