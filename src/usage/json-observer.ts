import { createFieldScan, type FieldScan } from './field-scan.ts'
import { cutJsonText, jsonText } from './generated-text.ts'
import { type Observed, type Observer, passThrough } from './observer.ts'
import { readUsage, usageOf } from './read-usage.ts'
import { createToolCount } from './tool-calls.ts'
import { addUsageMetadata } from './usage-metadata.ts'

/** Answers up to this size are parsed whole when they are complete; larger ones are scanned as they pass, in constant memory. */
const PARSE_UP_TO = 64 * 1024
/** Of answers whose text may have to be counted. */
const PARSE_TEXT_UP_TO = 1024 * 1024

/** Reads usage and model from a JSON answer. Bytes pass untouched. `isText`: the answer is a text, for an estimate if need be. */
export function createJsonObserver(isText: boolean): Observer {
  const parseUpTo = isText ? PARSE_TEXT_UP_TO : PARSE_UP_TO
  let pieces: Buffer[] = []
  let bytes = 0
  let scan: FieldScan | null = null
  const tools = createToolCount()
  let observed: (Observed & { failed: boolean }) | null = null

  const finish = () => {
    if (scan) return { ...scan.result(), tools: tools.result(), text: () => null, failed: false }
    const json = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)
    pieces = []
    const body = parse(json)
    // Only responses have such items.
    if (body === null || (!Array.isArray(body) && body.object === 'response')) tools.push(json.toString('latin1'))
    if (body === null) return { ...readCut(json), tools: tools.result(), failed: false }
    return { ...(Array.isArray(body) ? readList(body) : readOne(body)), tools: tools.result() }
  }

  const pass = (piece: Buffer, to: FieldScan) => {
    to.push(piece)
    if (isText) tools.push(piece.toString('latin1'))
  }

  const read = () => {
    observed ??= finish()
    return observed
  }

  return {
    ...passThrough,
    push(piece) {
      bytes += piece.length
      if (scan) pass(piece, scan)
      else {
        pieces.push(piece)
        if (bytes > parseUpTo) {
          scan = createFieldScan()
          for (const early of pieces) pass(early, scan)
          pieces = []
        }
      }
      return piece
    },
    // Some say so with a status of success.
    failed: () => read().failed,
    result: () => read(),
  }
}

type Json = Record<string, unknown>

function readOne(body: Json) {
  const model = body.model ?? body.modelVersion
  return {
    usage: readUsage(usageOf(body)),
    servedModel: typeof model === 'string' ? model : null,
    text: () => jsonText(body),
    failed: typeof body.error === 'object' && body.error !== null,
  }
}

/** A stream of Gemini whose client did not ask for events: all of them in one list. */
function readList(list: Json[]) {
  const events = list.map(readOne)
  return {
    usage: readUsage(list.reduce((known, { usageMetadata }) => addUsageMetadata(known, usageMetadata), {})),
    servedModel: events.findLast(({ servedModel }) => servedModel !== null)?.servedModel ?? null,
    text: () => events.map(({ text }) => text()).join(''),
    failed: events.some(({ failed }) => failed),
  }
}

/** Of an answer that broke off: what had come of it. */
function readCut(bytes: Buffer): Omit<Observed, 'tools'> {
  const scan = createFieldScan()
  scan.push(bytes)
  return { ...scan.result(), text: () => cutJsonText(bytes.toString('utf8')) }
}

function parse(json: Buffer): Json | Json[] | null {
  try {
    const value: unknown = JSON.parse(json.toString('utf8'))
    if (Array.isArray(value)) return value.filter(isObject)
    return isObject(value) ? value : null
  } catch {
    return null
  }
}

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null
