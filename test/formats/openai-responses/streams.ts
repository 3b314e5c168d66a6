import type { AnswerFacts, Dialect, Json } from '../../../src/formats/dialect.ts'
import type { HubEvent, HubRequest } from '../../../src/formats/hub.ts'
import { openaiResponses } from '../../../src/formats/openai-responses/index.ts'
import { RECORDINGS, recordedExchanges, recordedPayloads } from '../../helpers/fixtures.ts'
import { loseNothing } from '../samples.ts'

/** A request that says nothing but who is asked. */
export const plainRequest: HubRequest = openaiResponses.parseRequest(
  { model: 'm', input: 'Hi' },
  { model: null, stream: null },
)

export const factsFor = (request: HubRequest = plainRequest): AnswerFacts => ({
  model: request.model,
  now: 1_790_000_000,
  lose: loseNothing,
  request,
})

export type SseEvent = { name: string | null; data: Json }

/** Takes SSE text apart, comments left out. */
export function readSse(text: string): SseEvent[] {
  return text
    .split(/\r?\n\r?\n/)
    .filter((block) => block.includes('data:') && !block.includes('data: [DONE]'))
    .map((block) => {
      const lines = block.split(/\r?\n/)
      const name = lines.find((line) => line.startsWith('event: '))?.slice('event: '.length) ?? null
      const data = lines.find((line) => line.startsWith('data:'))!.slice('data:'.length)
      return { name, data: JSON.parse(data) as Json }
    })
}

/** What a stream of this dialect means. */
export function understand(events: SseEvent[], dialect: Dialect = openaiResponses): HubEvent[] {
  const parser = dialect.createStreamParser()
  return [...events.flatMap(({ name, data }) => parser.push(data, name)), ...parser.end()]
}

/** The stream that says it. */
export function tell(events: HubEvent[], facts = factsFor(), dialect: Dialect = openaiResponses): string {
  const builder = dialect.createStreamBuilder(facts)
  return events.map((event) => builder.push(event)).join('')
}

export const typesOf = (events: SseEvent[]) => events.map(({ data }) => String(data.type))

export type RecordedStream = { name: string; events: SseEvent[] }

/** Every recorded stream of the Responses API; one file of payloads holds several, one after the other. */
export function recordedStreams(): RecordedStream[] {
  const exchanges = recordedResponses()
    .filter(
      ({ status, responseHeaders }) => status === 200 && responseHeaders['content-type']?.includes('event-stream'),
    )
    .map(({ name, responseBody }) => ({ name, events: readSse(responseBody.toString()) }))
  return [...exchanges, ...recordedPayloadStreams()]
}

export const recordedResponses = () =>
  RECORDINGS.flatMap(recordedExchanges).filter(
    ({ path, method }) => method === 'POST' && path.split('?')[0]!.endsWith('/responses'),
  )

function recordedPayloadStreams(): RecordedStream[] {
  const chunked = ['openai', 'open-responses'].flatMap(recordedPayloads).filter(({ kind }) => kind === 'chunks')
  return chunked.flatMap(({ name, bytes }) => {
    const events = readLines(bytes.toString()).map((data) => ({ name: String(data.type), data }))
    const starts = events.flatMap(({ name: type }, index) => (type === 'response.created' ? [index] : []))
    return starts.map((start, number) => ({
      name: `${name}#${number}`,
      events: events.slice(start, starts[number + 1]),
    }))
  })
}

/** A payload a line. A hand-made file holds JSON that is none. */
export const readLines = (text: string): Json[] =>
  text.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line) as Json]
    } catch {
      return []
    }
  })

/** Every recorded whole answer. */
export const recordedAnswers = (): { name: string; body: Json }[] => [
  ...recordedResponses()
    .filter(({ status, responseHeaders }) => status === 200 && responseHeaders['content-type']?.includes('json'))
    .map(({ name, responseBody }) => ({ name, body: JSON.parse(responseBody.toString()) as Json })),
  ...['openai', 'open-responses']
    .flatMap(recordedPayloads)
    .filter(({ kind }) => kind === 'json')
    .map(({ name, bytes }) => ({ name, body: JSON.parse(bytes.toString()) as Json }))
    .filter(({ body }) => body.object === 'response'),
]
