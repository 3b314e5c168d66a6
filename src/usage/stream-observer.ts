import { endOfEvent, jsonOf } from '../formats/sse.ts'
import type { Usage } from '../store/store.ts'
import { streamText } from './generated-text.ts'
import type { Observer } from './observer.ts'
import { readUsage, usageOf } from './read-usage.ts'

/** An event longer than this (none is, but for images) passes unread rather than fill the memory. */
const MAX_EVENT = 4 * 1024 * 1024
/** Events wait unread up to this size; then their text is taken out of them, away from the hot path. */
const FOLD_AT = 48 * 1024
/** No model writes more in one answer. */
const MAX_TEXT = 4 * 1024 * 1024

const USAGE = Buffer.from('"usage"')
const EMPTY = Buffer.alloc(0)

type Options = {
  terminator: 'done' | 'response_event' | 'none'
  /** The gateway asked for usage on its own account: the client must not see the difference. */
  hideUsage: boolean
}

/**
 * Reads usage, model, errors and the end of an SSE stream as it passes. A piece goes on as it came, in the same turn; only with
 * `hideUsage` does the beginning of an event wait for its end, because the event may have to be changed. The event that ends
 * the stream is held back until the relay has settled (`finished`).
 */
export function createStreamObserver({ terminator, hideUsage }: Options): Observer {
  /** Pieces of an event whose end has not come yet. */
  let partial: Buffer[] = []
  let partialBytes = 0
  let unread = false
  let usage: Usage | null = null
  let servedModel: string | null = null
  let sawFirst = false
  let finished = false
  let failed = false
  const texts = createTextStore()

  /** Reads one whole event. `drop`: the client did not ask for it. */
  const read = (event: Buffer): 'pass' | 'drop' => {
    if (event.length <= 32 && isDone(event)) {
      finished = true
      return 'pass'
    }
    const head = event.toString('latin1', 0, 64)
    if (head.startsWith('data: {"error"') || head.startsWith('event: error')) failed = true
    if (terminator === 'response_event' && RESPONSE_END.test(head)) {
      finished = true
      if (head.includes('failed')) failed = true
    }
    if (!sawFirst) readModel(event)
    const at = event.indexOf(USAGE)
    if (at !== -1 && readsUsage(event, at)) return 'drop'
    texts.add(event)
    return 'pass'
  }

  const readModel = (event: Buffer) => {
    const body = jsonOf(event)
    if (body === null) return
    sawFirst = true
    const response = body.response as { model?: unknown } | undefined
    const model = body.model ?? response?.model
    if (typeof model === 'string' && model !== '') servedModel = model
  }

  /** True when the event is nothing but the usage that the client did not ask for. */
  const readsUsage = (event: Buffer, at: number): boolean => {
    if (valueAfter(event, at) === NULL_START) return false
    const body = jsonOf(event)
    if (body === null) return false
    usage = readUsage(usageOf(body)) ?? usage
    return hideUsage && Array.isArray(body.choices) && body.choices.length === 0 && !('error' in body)
  }

  /** Reads the whole events in `bytes`; returns where the rest begins. With `hideUsage`, `bytes` is rewritten in place. */
  const readEvents = (bytes: Buffer): { kept: number; rest: number } => {
    let from = 0
    let kept = 0
    while (from < bytes.length && !finished) {
      const end = endOfEvent(bytes, from)
      if (end === -1) break
      const event = bytes.subarray(from, end)
      // What ends the stream is not passed on now, so it counts as the rest.
      const verdict = read(event)
      if (finished) break
      if (verdict === 'pass') kept = hideUsage ? keep(bytes, event, kept) : end
      from = end
    }
    return { kept, rest: from }
  }

  const keep = (bytes: Buffer, event: Buffer, kept: number): number => {
    const shown = withoutNullUsage(event)
    if (shown.byteOffset !== bytes.byteOffset + kept) bytes.set(shown, kept)
    return kept + shown.length
  }

  /** The event so far with this piece, joined only once it is whole, so that a long event is not copied again and again. */
  const joinWhenWhole = (piece: Buffer): Buffer | null => {
    const before = partial.at(-1)!
    const seam = Buffer.concat([before.subarray(Math.max(0, before.length - 3)), piece.subarray(0, 3)])
    partial.push(piece)
    partialBytes += piece.length
    return endOfEvent(seam, 0) !== -1 || endOfEvent(piece, 0) !== -1 ? Buffer.concat(partial) : null
  }

  const setPartial = (bytes: Buffer) => {
    partial = bytes.length === 0 ? [] : [bytes]
    partialBytes = bytes.length
  }

  const takePartial = (): Buffer => {
    const bytes = Buffer.concat(partial)
    setPartial(EMPTY)
    return bytes
  }

  return {
    push(piece) {
      if (finished) {
        partial.push(piece)
        return null
      }
      if (unread) return piece
      const alreadyPassed = hideUsage ? 0 : partialBytes
      const bytes = partialBytes === 0 ? piece : joinWhenWhole(piece)
      if (bytes === null) {
        if (partialBytes > MAX_EVENT) {
          unread = true
          const all = takePartial()
          return hideUsage ? all : piece
        }
        return hideUsage ? null : piece
      }
      const { kept, rest } = readEvents(bytes)
      if (hideUsage) {
        setPartial(bytes.subarray(rest))
        return kept === 0 ? null : bytes.subarray(0, kept)
      }
      if (!finished) {
        setPartial(bytes.subarray(rest))
        return piece
      }
      // The event that ends the stream waits for the relay; as much of it as has been passed on already is gone.
      const held = Math.max(rest, alreadyPassed)
      setPartial(bytes.subarray(held))
      return held > alreadyPassed ? bytes.subarray(alreadyPassed, held) : null
    },
    end() {
      const left = takePartial()
      if (left.length === 0 || finished) return left.length === 0 ? null : left
      // A last event without its blank line. Unless it had to wait, the client has it already.
      const verdict = read(left)
      return hideUsage && verdict === 'pass' ? withoutNullUsage(left) : null
    },
    finished: () => finished,
    truncated: () =>
      !finished && !failed && !unread && terminator !== 'none' && !(terminator === 'done' && texts.sawFinishReason()),
    failed: () => failed,
    result: () => ({ usage, servedModel, text: () => texts.all() }),
  }
}

const RESPONSE_END =
  /^(?:event: ?response\.(?:completed|incomplete|failed)\r?\n|data: ?\{"type": ?"response\.(?:completed|incomplete|failed)")/

const isDone = (event: Buffer) => /^data: ?\[DONE\]\s*$/.test(event.toString('latin1', 0, 32))

const NULL_START = 0x6e

/** The first byte of the value behind the key at `at`, 0 when it is no key. */
function valueAfter(event: Buffer, at: number): number {
  let next = at + USAGE.length
  while (event[next] === 0x20) next++
  if (event[next++] !== 0x3a) return 0
  while (event[next] === 0x20) next++
  return event[next] ?? 0
}

const NULL_USAGE_BEHIND = /,\s*"usage"\s*:\s*null/
const NULL_USAGE_AHEAD = /"usage"\s*:\s*null\s*,\s*/

/**
 * The event without its `"usage":null`, as it would have been without `include_usage`. Inside a JSON string the quotes would be
 * escaped, so these bytes can only be a member. The bytes are moved in place.
 */
function withoutNullUsage(event: Buffer): Buffer {
  const at = event.indexOf(USAGE)
  if (at === -1 || event[at - 1] === 0x5c || valueAfter(event, at) !== NULL_START) return event
  // latin1: one character a byte, so that places in the text are places in the bytes.
  const from = Math.max(0, at - 8)
  const around = event.toString('latin1', from, at + 32)
  const match = NULL_USAGE_BEHIND.exec(around) ?? NULL_USAGE_AHEAD.exec(around)
  if (match === null) return event
  const start = from + match.index
  event.copyWithin(start, start + match[0].length)
  return event.subarray(0, event.length - match[0].length)
}

/** Keeps the events, compactly, until somebody needs their text: only streams that report no usage do. */
function createTextStore() {
  let buffer = Buffer.alloc(0)
  let used = 0
  let text = ''
  let finishReason = false

  const fold = () => {
    const events = splitEvents(buffer.subarray(0, used))
    if (text.length < MAX_TEXT) text += streamText(events)
    finishReason ||= events.some((event) => FINISH_REASON.test(event.toString('latin1', 0, event.length)))
    used = 0
  }

  return {
    add(event: Buffer) {
      if (used + event.length > FOLD_AT) fold()
      if (event.length > FOLD_AT) return
      if (used + event.length > buffer.length) {
        const larger = Buffer.allocUnsafeSlow(Math.min(FOLD_AT, Math.max(2048, buffer.length * 2, used + event.length)))
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
    sawFinishReason() {
      fold()
      return finishReason
    },
  }
}

const FINISH_REASON = /"finish_reason"\s*:\s*"/

function splitEvents(bytes: Buffer): Buffer[] {
  const events: Buffer[] = []
  for (let from = 0; from < bytes.length; ) {
    const end = endOfEvent(bytes, from)
    events.push(bytes.subarray(from, end === -1 ? bytes.length : end))
    from = end === -1 ? bytes.length : end
  }
  return events
}
