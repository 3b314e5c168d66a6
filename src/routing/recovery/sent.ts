import type { BegunBlock, Dialect } from '../../formats/dialect.ts'
import type { HubEvent } from '../../formats/hub.ts'
import { endOfEvent, readEvent } from '../../formats/sse.ts'
import { createInspection } from './inspect.ts'

/** What the client has of a stream that broke off. */
export type Sent = {
  /** The stream has said whose answer it is. */
  isBegun: boolean
  /** What was answered so far. */
  text: string
  thought: string
  /** Nothing more can be thought: it is sealed, or the answer itself has begun. */
  thoughtIsOver: boolean
  /** All of it in its order, pieces of a kind as one, so that a builder can be brought to where the stream is. */
  events: readonly HubEvent[]
  /** Where the dialect numbers its blocks: the last one. */
  block: BegunBlock | null
}

/** Keeps what goes out to the client, in whole events, until somebody needs to know what is in it. */
export type Tape = {
  /** What may be sent of this now. The beginning of an event waits for its end, so that the stream can break off only between two. */
  pass(piece: Buffer): Buffer | null
  /** After the last piece: an event without its blank line. */
  rest(): Buffer | null
  /** Null: another answer could not be joined to it. */
  read(): Sent | null
  /** Another answer takes over: the event that was never finished is forgotten. */
  drop(): void
}

/** Events wait unread up to this size: most streams never break. */
const FOLD_AT = 48 * 1024
/** A longer event (a picture) passes as it comes, and with it the chance to go on. */
const MAX_EVENT = 1024 * 1024
/** No model writes more in one answer. */
const MAX_TEXT = 4 * 1024 * 1024
const EMPTY = Buffer.alloc(0)

export function createTape(dialect: Dialect): Tape {
  let kept = EMPTY
  let used = 0
  let held: Buffer[] = []
  let heldBytes = 0
  /** Nothing can be joined to it any more: it is not kept either. */
  let isLost = false
  const reader = createReader(dialect)

  const fold = () => {
    if (!reader.read(kept.subarray(0, used))) lose()
    used = 0
  }

  const lose = () => {
    isLost = true
    kept = EMPTY
    used = 0
  }

  /** Whole events, copied: their buffers belong to larger ones. */
  const keep = (events: Buffer): Buffer => {
    if (!isLost && used + events.length > FOLD_AT) fold()
    if (isLost) return events
    const wanted = used + events.length
    if (wanted > kept.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(1024, Math.min(2 * kept.length, FOLD_AT), wanted))
      kept.copy(larger, 0, 0, used)
      kept = larger
    }
    kept.set(events, used)
    used = wanted
    return events
  }

  const takeHeld = (): Buffer => {
    const bytes = held.length === 1 ? held[0]! : Buffer.concat(held)
    held = []
    heldBytes = 0
    return bytes
  }

  const hold = (piece: Buffer) => {
    if (piece.length > 0) held.push(piece)
    heldBytes += piece.length
  }

  return {
    pass(piece) {
      if (isLost && heldBytes === 0) return piece
      hold(piece)
      if (isLost) return takeHeld()
      // The end of an event may have begun in the piece before.
      if (heldBytes > MAX_EVENT && lastBorder(piece) === 0) {
        lose()
        return takeHeld()
      }
      if (!mayClose(piece)) return null
      const bytes = takeHeld()
      const border = lastBorder(bytes)
      hold(bytes.subarray(border))
      return border === 0 ? null : keep(bytes.subarray(0, border))
    },
    rest: () => (heldBytes === 0 ? null : takeHeld()),
    drop: () => void takeHeld(),
    read() {
      if (!isLost) fold()
      return isLost ? null : reader.sent()
    },
  }
}

const LF = 0x0a
const CR = 0x0d

/** An event ends with, or just before, a line end. */
const mayClose = (piece: Buffer) => piece.includes(LF) || piece.includes(CR)

/** Just behind the last event that is whole in `bytes`; 0: none is. */
function lastBorder(bytes: Buffer): number {
  const { length } = bytes
  if (bytes[length - 1] === LF && bytes[length - 2] === LF) return length
  let border = 0
  for (let end = endOfEvent(bytes, 0); end !== -1; end = endOfEvent(bytes, border)) border = end
  return border
}

/** Reads whole events. */
function createReader(dialect: Dialect) {
  const parser = dialect.createStreamParser()
  const inspection = createInspection(dialect.name)
  const events: HubEvent[] = []
  let length = 0

  const note = (event: HubEvent): boolean => {
    if (event.type === 'usage' || event.type === 'ping') return true
    if (!JOINABLE.has(event.type) || ('choice' in event && event.choice !== 0)) return false
    const last = events.at(-1)
    if ('text' in event) {
      length += event.text.length
      if (last?.type === event.type) events[events.length - 1] = { ...last, text: last.text + event.text }
      else events.push(event)
    } else events.push(event)
    return length <= MAX_TEXT
  }

  const readOne = (bytes: Buffer): boolean => {
    const event = readEvent(bytes)
    if (event === null) return true
    if (event.data !== '[DONE]' && !inspection.see(event.data)) return false
    return parser.push(event.data, event.name).every(note)
  }

  return {
    /** False: there is something in it that no other answer can go on from. */
    read(bytes: Buffer): boolean {
      try {
        for (let from = 0; from < bytes.length; ) {
          const end = endOfEvent(bytes, from)
          if (!readOne(bytes.subarray(from, end === -1 ? bytes.length : end))) return false
          from = end === -1 ? bytes.length : end
        }
        return true
      } catch {
        // The client has something that cannot be read, whatever it makes of it.
        return false
      }
    },
    sent(): Sent {
      const told = (type: HubEvent['type']) =>
        events.map((event) => (event.type === type && 'text' in event ? event.text : '')).join('')
      const text = told('text')
      return {
        isBegun: events.some(({ type }) => type === 'start'),
        text,
        thought: told('reasoning'),
        thoughtIsOver: text !== '' || events.some(({ type }) => type === 'signature' || type === 'redacted'),
        events: inspection.hasBegun() ? [...events, { type: 'text', choice: 0, text: '' }] : [...events],
        block: inspection.block(),
      }
    },
  }
}

const JOINABLE: ReadonlySet<HubEvent['type']> = new Set(['start', 'text', 'reasoning', 'signature', 'redacted'])
