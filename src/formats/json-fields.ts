const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d

/** So long a run of a string is looked at byte by byte; the rest is skipped natively (base64 images, long prompts). */
const SHORT_RUN = 48

/** A top-level member of a JSON object: its key, decoded, and where its value stands in the bytes. */
export type Field = { key: string; keyStart: number; valueStart: number; valueEnd: number }

/**
 * The top-level members of a JSON object, in order, duplicates included, without parsing their values. The bytes must already be
 * known to be valid JSON; for anything but an object the list is empty.
 */
export function scanFields(json: Buffer): Field[] {
  const fields: Field[] = []
  const scanner = new FieldScanner((field) => void fields.push(field))
  scanner.push(json)
  return fields
}

/**
 * Finds the top-level members of a JSON object that arrives in pieces: constant memory, one pass, no parsing. It trusts the
 * bytes to be JSON; when they are not, fields may be missed, but nothing throws.
 */
export class FieldScanner {
  readonly #onField: (field: Field) => void
  /** Bytes of all earlier pieces; offsets count from the first of them. */
  #base = 0
  #depth = 0
  #inString = false
  #escaped = false
  /** At depth 1: between a comma (or the opening brace) and the colon. */
  #expectsKey = false
  #keyStart = -1
  /** The part of the current key that stood in earlier pieces. */
  #keyHead = ''
  #key = ''
  #valueStart = -1
  #valueEnd = -1

  constructor(onField: (field: Field) => void) {
    this.#onField = onField
  }

  push(piece: Buffer): void {
    const length = piece.length
    const base = this.#base
    // Locals, because this loop sees every byte of every JSON answer.
    let depth = this.#depth
    let inString = this.#inString
    let expectsKey = this.#expectsKey
    let at = 0
    while (at < length) {
      if (inString) {
        const end = this.#endOfString(piece, at)
        if (depth === 1 && expectsKey) this.#keyHead += piece.toString('latin1', at, end === -1 ? length : end)
        if (end === -1) break
        at = end + 1
        inString = false
        if (depth === 1 && !expectsKey) this.#valueEnd = base + at
        continue
      }
      const byte = piece[at++]!
      if (depth > 1) {
        // Nothing inside a nested value matters but where it ends.
        if (byte === QUOTE) inString = true
        else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++
        else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
          depth--
          if (depth === 1) this.#valueEnd = base + at
        }
        continue
      }
      if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) continue
      if (byte === COMMA || byte === CLOSE_BRACE) {
        this.#endField(expectsKey)
        expectsKey = byte === COMMA
        if (byte === CLOSE_BRACE) depth = 0
        continue
      }
      if (byte === COLON) {
        expectsKey = false
        this.#key = decodeKey(this.#keyHead)
        continue
      }
      if (depth === 0) {
        if (byte === OPEN_BRACE) {
          depth = 1
          expectsKey = true
        } else if (byte === OPEN_BRACKET) depth = 2
        else if (byte === QUOTE) inString = true
        continue
      }
      if (expectsKey) {
        inString = true
        this.#keyStart = base + at - 1
        this.#keyHead = ''
        continue
      }
      if (this.#valueStart === -1) this.#valueStart = base + at - 1
      this.#valueEnd = base + at
      if (byte === QUOTE) inString = true
      else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth = 2
    }
    this.#base = base + length
    this.#depth = depth
    this.#inString = inString
    this.#expectsKey = expectsKey
  }

  #endField(expectsKey: boolean): void {
    if (!expectsKey && this.#valueStart !== -1) {
      this.#onField({
        key: this.#key,
        keyStart: this.#keyStart,
        valueStart: this.#valueStart,
        valueEnd: this.#valueEnd,
      })
    }
    this.#valueStart = -1
  }

  /** The index of the closing quote, -1 when it is in a later piece. */
  #endOfString(piece: Buffer, from: number): number {
    const length = piece.length
    const start = this.#escaped ? from + 1 : from
    this.#escaped = false
    let at = start
    for (const slowEnd = Math.min(length, at + SHORT_RUN); at < slowEnd; at++) {
      const byte = piece[at]!
      if (byte === QUOTE) return at
      if (byte === BACKSLASH) at++
    }
    while (at < length) {
      const quote = piece.indexOf(QUOTE, at)
      if (quote === -1) break
      if (backslashesBefore(piece, quote, start) % 2 === 0) return quote
      at = quote + 1
    }
    this.#escaped = at > length || backslashesBefore(piece, length, start) % 2 === 1
    return -1
  }
}

/** How many backslashes in a row end just before `at`. */
function backslashesBefore(piece: Buffer, at: number, from: number): number {
  let first = at
  while (first > from && piece[first - 1] === BACKSLASH) first--
  return at - first
}

/** `latin1` is one character a byte: how the key stood in the JSON text. */
function decodeKey(latin1: string): string {
  const raw = Buffer.from(latin1, 'latin1').toString('utf8')
  if (!raw.includes('\\')) return raw
  try {
    return JSON.parse(`"${raw}"`) as string
  } catch {
    return raw
  }
}

/** The bytes with `value` (JSON text) in place of the field's value. */
export function replaceValue(json: Buffer, field: Field, value: string): Buffer {
  return Buffer.concat([json.subarray(0, field.valueStart), Buffer.from(value), json.subarray(field.valueEnd)])
}

/** The bytes of an object with one more member at its front. */
export function prependField(json: Buffer, key: string, value: string): Buffer {
  const open = json.indexOf('{') + 1
  let next = open
  while (json[next]! <= 0x20) next++
  const isEmpty = json[next] === CLOSE_BRACE
  return Buffer.concat([
    json.subarray(0, open),
    Buffer.from(`${JSON.stringify(key)}:${value}${isEmpty ? '' : ','}`),
    json.subarray(open),
  ])
}
