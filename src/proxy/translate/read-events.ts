import { type Dialect, UnreadableAnswer } from '../../formats/dialect.ts'
import type { HubAnswer, HubError, HubEvent } from '../../formats/hub.ts'
import { endOfEvent, readEvent } from '../../formats/sse.ts'
import { answerTold } from '../../formats/told-answer.ts'

/** An event stream that has come whole, as an answer or the error that it tells. Null: it broke off. Throws `UnreadableAnswer`. */
export function readEvents(text: string, dialect: Dialect): HubAnswer | HubError | null {
  const parser = dialect.createStreamParser()
  const told: HubEvent[] = []
  const bytes = Buffer.from(text)
  for (let from = 0; from < bytes.length; ) {
    const end = endOfEvent(bytes, from)
    const event = read(bytes.subarray(from, end === -1 ? bytes.length : end))
    if (event !== null) told.push(...parser.push(event.data, event.name))
    from = end === -1 ? bytes.length : end
  }
  told.push(...parser.end())
  const last = told.find(({ type }) => type === 'error' || type === 'done')
  if (last === undefined) return null
  return last.type === 'error' ? last.error : answerTold(told)
}

function read(event: Buffer) {
  try {
    return readEvent(event)
  } catch (error) {
    throw error instanceof SyntaxError ? new UnreadableAnswer('An event is no JSON.') : error
  }
}
