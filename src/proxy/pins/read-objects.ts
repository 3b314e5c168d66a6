import type { Json } from '../../formats/dialect.ts'
import { endOfEvent, jsonOf } from '../../formats/sse.ts'
import type { Place } from './collections.ts'
import { objectsIn, objectsInEvent, type ToldObjects } from './told-objects.ts'

/** Looks at an answer as it passes. */
export type ObjectReader = { push(piece: Buffer): void; end(): void }

/** Bytes. Longer answers are not kept; the id of theirs stands at their beginning. */
const MOST_KEPT = 1024 * 1024
/** Of those that make an object, the first event names it, or one of the next. */
const EVENTS_LOOKED_AT = 16

/** `tell` may come more than once. `all`: also what the answer tells behind the id of its object. */
export function readJsonObjects(place: Place, all: boolean, tell: (told: ToldObjects) => void): ObjectReader {
  /** Null: it is too long. */
  let pieces: Buffer[] | null = []
  let bytes = 0
  return {
    push(piece) {
      bytes += piece.length
      pieces?.push(piece)
      if (pieces === null || bytes <= MOST_KEPT) return
      tellId(Buffer.concat(pieces))
      pieces = null
    },
    end() {
      if (pieces === null) return
      const json = Buffer.concat(pieces)
      if (!all && place.collection.list === 'data' && place.rest === '' && tellId(json)) return
      const body = parse(json)
      if (body !== null) tell(objectsIn(place, body))
    },
  }

  function tellId(json: Buffer): boolean {
    const id = ID_IN_FRONT.exec(json.toString('latin1', 0, HEAD))?.[1]
    if (id) tell({ id, others: [] })
    return Boolean(id)
  }
}

const HEAD = 4096
/** The member `id` of an object when nothing but texts, numbers and words stands before it: as all providers write it. */
const ID_IN_FRONT = /^\s*\{\s*(?:"\w+"\s*:\s*(?:"[^"\\]*"|[\w.+-]+)\s*,\s*)*?"id"\s*:\s*"([^"\\]+)"/

export function readEventObjects(place: Place, all: boolean, tell: (told: ToldObjects) => void): ObjectReader {
  let left = EVENTS_LOOKED_AT
  let partial: Buffer = Buffer.alloc(0)

  const read = (event: Buffer) => {
    // Behind the first events only what runs code is of interest.
    if (left <= 0 && !event.includes('code_interpreter_call')) return
    const body = jsonOf(event)
    if (body === null) return
    const told = objectsInEvent(place, body)
    left = told.id === null ? left - 1 : 0
    if (told.id !== null || told.others.length > 0) tell(told)
  }

  return {
    push(piece) {
      if (left <= 0 && !all) return
      const bytes = partial.length === 0 ? piece : Buffer.concat([partial, piece])
      let from = 0
      for (let end = endOfEvent(bytes, 0); end !== -1; end = endOfEvent(bytes, from)) {
        read(bytes.subarray(from, end))
        from = end
      }
      // A copy: others may write into the piece.
      partial = Buffer.from(bytes.length - from > MOST_KEPT ? '' : bytes.subarray(from))
    },
    end() {},
  }
}

function parse(json: Buffer): Json | null {
  try {
    const value: unknown = JSON.parse(json.toString('utf8'))
    return typeof value === 'object' && value !== null ? (value as Json) : null
  } catch {
    return null
  }
}
