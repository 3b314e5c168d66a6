import { FieldScanner } from '../formats/json-fields.ts'
import { jsonText } from './generated-text.ts'
import { type Observed, type Observer, passThrough } from './observer.ts'
import { readUsage, usageOf } from './read-usage.ts'

/** Answers up to this size are parsed whole when they are complete; larger ones are scanned as they pass, in constant memory. */
const PARSE_UP_TO = 64 * 1024
/** A `usage` object or model name is never longer. */
const MAX_FIELD = 16 * 1024

/** Reads usage and model from a JSON answer. Bytes pass untouched. */
export function createJsonObserver(): Observer {
  let pieces: Buffer[] = []
  let bytes = 0
  let scan: ReturnType<typeof createScan> | null = null
  let observed: Observed | null = null

  const finish = (): Observed => {
    if (scan) return { ...scan.result(), text: () => null }
    const body = parse(pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces))
    pieces = []
    return {
      usage: body && readUsage(usageOf(body)),
      servedModel: body && typeof body.model === 'string' ? body.model : null,
      text: () => body && jsonText(body),
    }
  }

  return {
    ...passThrough,
    push(piece) {
      bytes += piece.length
      if (scan) scan.push(piece)
      else {
        pieces.push(piece)
        if (bytes > PARSE_UP_TO) {
          scan = createScan()
          for (const early of pieces) scan.push(early)
          pieces = []
        }
      }
      return piece
    },
    result: () => {
      observed ??= finish()
      return observed
    },
  }
}

function parse(json: Buffer): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(json.toString('utf8'))
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}

/** Keeps the last `MAX_FIELD` bytes, so that a wanted field is still there when the scanner reports its end. */
function createScan() {
  let tail = Buffer.alloc(0)
  let tailStart = 0
  const found: Record<string, unknown> = {}
  const scanner = new FieldScanner(({ key, valueStart, valueEnd }) => {
    if ((key !== 'usage' && key !== 'model') || valueStart < tailStart) return
    try {
      found[key] = JSON.parse(tail.subarray(valueStart - tailStart, valueEnd - tailStart).toString('utf8'))
    } catch {
      // The provider did not send JSON: nothing was reported.
    }
  })
  return {
    push(piece: Buffer) {
      const keep = tail.subarray(Math.max(0, tail.length - MAX_FIELD))
      tailStart += tail.length - keep.length
      tail = Buffer.concat([keep, piece])
      scanner.push(piece)
    },
    result: () => ({
      usage: readUsage(found.usage),
      servedModel: typeof found.model === 'string' ? found.model : null,
    }),
  }
}
