import { endOfEvent, jsonOf } from '../formats/sse.ts'
import { streamText } from './generated-text.ts'

/** Events wait unread up to this size; then what matters is taken out of them, away from the hot path. */
const FOLD_AT = 48 * 1024
/** No model writes more in one answer. */
const MAX_TEXT = 4 * 1024 * 1024

export type StreamText = {
  add(event: Buffer): void
  /** All the text so far. */
  all(): string
  /** Everything that was begun came to its end: each choice has its finish reason, or a transcript is done. */
  cameToAnEnd(): boolean
}

/** Keeps the events of a stream, compactly, until somebody needs what is in them: only streams that report no usage do. */
export function createStreamText(): StreamText {
  let buffer = Buffer.alloc(0)
  let used = 0
  let text = ''
  const begun = new Set<unknown>()
  const ended = new Set<unknown>()

  const fold = () => {
    const bodies = splitEvents(buffer.subarray(0, used))
      .map(jsonOf)
      .filter((body) => body !== null)
    used = 0
    if (text.length < MAX_TEXT) text += streamText(bodies)
    for (const body of bodies) {
      if (body.type === 'transcript.text.done') ended.add('transcript')
      if (!Array.isArray(body.choices)) continue
      for (const choice of body.choices as { index?: unknown; finish_reason?: unknown }[]) {
        begun.add(choice?.index)
        if (typeof choice?.finish_reason === 'string') ended.add(choice.index)
      }
    }
  }

  return {
    add(event) {
      if (used + event.length > FOLD_AT) fold()
      if (event.length > FOLD_AT) return
      if (used + event.length > buffer.length) {
        const larger = Buffer.allocUnsafeSlow(Math.min(FOLD_AT, Math.max(512, buffer.length * 2, used + event.length)))
        buffer.copy(larger, 0, 0, used)
        buffer = larger
      }
      buffer.set(event, used)
      used += event.length
    },
    all() {
      fold()
      return text
    },
    cameToAnEnd() {
      fold()
      return ended.size > 0 && [...begun].every((choice) => ended.has(choice))
    },
  }
}

function splitEvents(bytes: Buffer): Buffer[] {
  const events: Buffer[] = []
  for (let from = 0; from < bytes.length; ) {
    const end = endOfEvent(bytes, from)
    events.push(bytes.subarray(from, end === -1 ? bytes.length : end))
    from = end === -1 ? bytes.length : end
  }
  return events
}
