import { type Dialect, type DialectName, UnreadableAnswer } from '../../formats/dialect.ts'
import { DIALECTS } from '../../formats/dialects.ts'
import type { HubAnswer, HubEvent } from '../../formats/hub.ts'
import { endOfEvent, readEvent } from '../../formats/sse.ts'
import { answerTold } from '../../formats/told-answer.ts'
import type { KeptBody } from '../../store/store.ts'

/** What an answer comes to. `problem`: why it may not be all of it. */
export type Assembled = { answer: HubAnswer; problem: string | null }

/** Which dialect is spoken at an endpoint, whatever it is mounted below; null: none that tells of messages. */
export function dialectAt(endpoint: string): DialectName | null {
  if (endpoint.endsWith('/chat/completions')) return 'openai-chat'
  if (endpoint.endsWith('/responses')) return 'openai-responses'
  if (endpoint.endsWith('/messages')) return 'anthropic-messages'
  return /:(?:generateContent|streamGenerateContent)$/.test(endpoint) ? 'gemini' : null
}

/** The message that a kept answer tells, put together from its events where it is a stream; null where it tells none. */
export function assemble(endpoint: string, status: number | null, body: KeptBody): Assembled | null {
  const name = dialectAt(endpoint)
  const dialect = name && DIALECTS[name]
  if (!dialect || body.text === null || status === null || status >= 400) return null
  if (body.type?.includes('event-stream')) return assembleStream(dialect, body.text, body.truncated)
  try {
    return body.truncated ? null : { answer: dialect.parseAnswer(JSON.parse(body.text)), problem: null }
  } catch (error) {
    if (isUnreadable(error)) return null
    throw error
  }
}

function assembleStream(dialect: Dialect, text: string, isCut: boolean): Assembled | null {
  const events: HubEvent[] = []
  let problem = isCut ? 'Only the beginning of the stream was kept.' : null
  try {
    for (const event of readStream(dialect, text)) events.push(event)
  } catch (error) {
    if (!isUnreadable(error)) throw error
    problem ??= 'From some event on the stream could not be read; all of it is below.'
  }
  const failure = events.find(({ type }) => type === 'error')
  if (failure?.type === 'error') problem = `The stream ended with an error: ${failure.error.message}`
  else if (!events.some(({ type }) => type === 'done')) problem ??= 'The stream broke off before its end.'
  const answer = answerTold(events)
  return answer.candidates.length === 0 && failure === undefined ? null : { answer, problem }
}

function* readStream(dialect: Dialect, text: string): Generator<HubEvent> {
  const parser = dialect.createStreamParser()
  const bytes = Buffer.from(text)
  for (let from = 0; from < bytes.length; ) {
    const end = endOfEvent(bytes, from)
    const event = readEvent(bytes.subarray(from, end === -1 ? bytes.length : end))
    if (event !== null) yield* parser.push(event.data, event.name)
    from = end === -1 ? bytes.length : end
  }
  yield* parser.end()
}

const isUnreadable = (error: unknown) => error instanceof UnreadableAnswer || error instanceof SyntaxError
