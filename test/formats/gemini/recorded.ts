import type { Json } from '../../../src/formats/dialect.ts'
import { RECORDINGS, recordedExchanges, recordedPayloads } from '../../helpers/fixtures.ts'

/** An answer of generateContent as it was recorded; `request`: null where it was not kept. `chunks`: of a stream. */
export type Recorded = { name: string; model: string; request: Json | null; answer: Json | null; chunks: Json[] | null }
export type RecordedError = { name: string; status: number; body: Json }

const json = (text: string) => JSON.parse(text) as Json
const google = /(?:^|\.)(?:generativelanguage|[\w-]*aiplatform)\.googleapis\.com$/
const generate = /models\/([^/:]+):(?:generateContent|streamGenerateContent)/

const exchanges = RECORDINGS.flatMap(recordedExchanges).filter(({ host }) => google.test(host))

export const recordedErrors: RecordedError[] = [
  ...exchanges
    .filter(({ status }) => status >= 400)
    .map(({ name, status, responseBody }) => ({ name, status, body: json(responseBody.toString()) })),
  ...recordedPayloads('google')
    .filter(({ name }) => name.includes('429'))
    .map(({ name, bytes }) => ({ name, status: 429, body: json(bytes.toString()) })),
]

const fromExchanges: Recorded[] = exchanges
  .filter(({ path, status }) => status === 200 && generate.test(path))
  .map(({ name, path, requestBody, responseBody }) => {
    const isStream = path.includes(':streamGenerateContent')
    const answer = responseBody.toString()
    return {
      name,
      model: generate.exec(path)![1]!,
      request: json(requestBody.toString()),
      answer: isStream ? null : json(answer),
      chunks: isStream
        ? answer
            .split('\r\n\r\n')
            .filter((event) => event !== '')
            .map((event) => json(event.replace(/^data: /, '')))
        : null,
    }
  })

const fromPayloads: Recorded[] = recordedPayloads('google')
  .filter(({ name }) => !name.includes('429'))
  .map(({ name, kind, bytes }) => {
    const answer = kind === 'json' ? json(bytes.toString()) : null
    const chunks = kind === 'json' ? null : bytes.toString().trim().split('\n').map(json)
    return { name, model: String((answer ?? chunks![0]!).modelVersion), request: null, answer, chunks }
  })

export const recorded = [...fromExchanges, ...fromPayloads]
export const recordedAnswers = recorded.flatMap((one) => (one.answer ? [{ ...one, answer: one.answer }] : []))
export const recordedStreams = recorded.flatMap((one) => (one.chunks ? [{ ...one, chunks: one.chunks }] : []))
export const recordedRequests = recorded.flatMap((one) => (one.request ? [{ ...one, request: one.request }] : []))

/** Those to one path, whole. */
export const recordedAt = (ending: string) =>
  exchanges
    .filter(({ path, status }) => status === 200 && path.endsWith(ending))
    .map(({ requestBody, responseBody, path }) => ({
      model: /models\/([^/:]+):/.exec(path)![1]!,
      request: json(requestBody.toString()),
      answer: json(responseBody.toString()),
    }))
