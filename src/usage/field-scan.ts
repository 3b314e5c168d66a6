import { FieldScanner } from '../formats/json-fields.ts'
import type { Usage } from '../store/store.ts'
import { readUsage } from './read-usage.ts'
import { addUsageMetadata } from './usage-metadata.ts'

/** A `usage` object or model name is never longer. */
const MAX_FIELD = 16 * 1024

export type FieldScan = {
  push(piece: Buffer): void
  result(): { usage: Usage | null; servedModel: string | null }
}

/**
 * Reads usage and model from a large JSON object as it passes, in constant memory: keeps the last `MAX_FIELD` bytes, so that a
 * wanted field is still there when the scanner reports its end. What stands before the object (`data: `) is passed over. A list is
 * a stream of Gemini whose client did not ask for events: its objects are read one after the other.
 */
export function createFieldScan(): FieldScan {
  let tail = Buffer.alloc(0)
  let tailStart = 0
  const found: Record<string, unknown> = {}
  let isBegun = false
  let isList = false
  const scanner = new FieldScanner(({ key, valueStart, valueEnd }) => {
    const isWanted = isGeminis(key) || (!isList && (key === 'usage' || key === 'model'))
    if (!isWanted || valueStart < tailStart) return
    try {
      const value: unknown = JSON.parse(tail.subarray(valueStart - tailStart, valueEnd - tailStart).toString('utf8'))
      found[key] = key === 'usageMetadata' ? addUsageMetadata(Object(found[key]), value) : value
    } catch {
      // The provider did not send JSON: nothing was reported.
    }
  })
  /** The scanner takes objects without a list around them. */
  const begin = (piece: Buffer): Buffer => {
    const at = piece.findIndex((byte) => byte > SPACE)
    isBegun = at !== -1
    isList = isBegun && piece[at] === OPEN_BRACKET
    return isList ? Buffer.concat([Buffer.alloc(at + 1, SPACE), piece.subarray(at + 1)]) : piece
  }
  return {
    push(piece: Buffer) {
      const keep = tail.subarray(Math.max(0, tail.length - MAX_FIELD))
      tailStart += tail.length - keep.length
      tail = Buffer.concat([keep, piece])
      scanner.push(isBegun ? piece : begin(piece))
    },
    result: () => {
      const model = found.model ?? found.modelVersion
      return {
        usage: readUsage(found.usage ?? found.usageMetadata),
        servedModel: typeof model === 'string' ? model : null,
      }
    },
  }
}

const SPACE = 0x20
const OPEN_BRACKET = 0x5b
const isGeminis = (key: string) => key === 'usageMetadata' || key === 'modelVersion'
