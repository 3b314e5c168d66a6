import { readParameters } from './header-parameters.ts'

/** A part's head is never longer; a field's value is never read further. */
const MAX_HEAD = 64 * 1024
const MAX_VALUE = 1024

const BLANK_LINE = Buffer.from('\r\n\r\n')

/**
 * Finds the value of one form field in a multipart body that passes in pieces (RFC 7578), wherever it stands. Memory is bounded:
 * file parts are skipped, never kept.
 */
export class MultipartField {
  readonly #delimiter: Buffer
  readonly #isWanted: (head: string) => boolean
  readonly #onValue: (value: string) => void
  readonly #onUnreadable: () => void
  #state: 'preamble' | 'head' | 'value' | 'skip' = 'preamble'
  #left: Buffer = Buffer.from('\r\n')

  /**
   * `onValue` may be called several times when the field is repeated; `onUnreadable` whenever a part is written in a way that
   * other readers may take for something else (folded or doubled headers, escapes, bare line feeds).
   */
  constructor(boundary: string, field: string, onValue: (value: string) => void, onUnreadable: () => void = () => {}) {
    this.#delimiter = Buffer.from(`\r\n--${boundary}`)
    this.#onValue = onValue
    this.#onUnreadable = onUnreadable
    this.#isWanted = (head) => nameOf(head) === field
  }

  push(piece: Buffer): void {
    let bytes = Buffer.concat([this.#left, piece])
    for (;;) {
      if (this.#state === 'head') {
        const end = bytes.indexOf(BLANK_LINE)
        if (end === -1 && bytes.length < MAX_HEAD) break
        const head = bytes.toString('utf8', 0, end === -1 ? MAX_HEAD : end)
        if (end === -1 || !isPlainHead(head)) this.#onUnreadable()
        this.#state = end !== -1 && this.#isWanted(head) ? 'value' : 'skip'
        // The blank line's own CRLF may begin the delimiter of an empty part.
        bytes = bytes.subarray(end === -1 ? 0 : end + 2)
      } else {
        const end = this.#delimiterIn(bytes)
        if (end === 'unknown') break
        if (end === -1) {
          if (this.#state === 'value' && bytes.length < MAX_VALUE) break
          if (this.#state === 'value') {
            this.#onUnreadable()
            this.#state = 'skip'
          }
          bytes = bytes.subarray(Math.max(0, bytes.length - this.#delimiter.length + 1))
          break
        }
        if (this.#state === 'value') this.#onValue(bytes.toString('utf8', 2, end))
        this.#state = 'head'
        bytes = bytes.subarray(end + this.#delimiter.length)
      }
    }
    this.#left = Buffer.from(bytes)
  }

  /** Where the next delimiter stands: one that a line end, blanks or two dashes follow. `unknown`: what follows is not here yet. */
  #delimiterIn(bytes: Buffer): number | 'unknown' {
    for (let at = bytes.indexOf(this.#delimiter); at !== -1; at = bytes.indexOf(this.#delimiter, at + 1)) {
      const behind = bytes.subarray(at + this.#delimiter.length, at + this.#delimiter.length + 2).toString('latin1')
      if (behind.length < 2) return 'unknown'
      if (/^(?:\r\n|--|[ \t\n\r])/.test(behind)) return at
    }
    return -1
  }
}

/** The boundary of a multipart content type; null when it is not one, or has none that can be told. */
export function boundaryOf(contentType: string | undefined): string | null {
  if (contentType === undefined || !/^multipart\//i.test(contentType)) return null
  const boundaries = readParameters(contentType).parameters.filter(([name]) => name === 'boundary')
  const boundary = boundaries.length === 1 ? boundaries[0]![1] : ''
  return boundary.length >= 1 && boundary.length <= 70 ? boundary : null
}

function nameOf(head: string): string | null {
  const line = /^content-disposition:([^\r\n]*)/im.exec(head)?.[1]
  return line === undefined ? null : (readParameters(line).parameters.find(([name]) => name === 'name')?.[1] ?? null)
}

/** One `content-disposition`, of `name` and `filename` once each, on lines that end in CRLF: no reader takes it for anything else. */
function isPlainHead(head: string): boolean {
  if (!head.startsWith('\r\n') || /[^\r]\n|\r(?!\n)|\r\n[ \t]/.test(`${head}\r\n`)) return false
  const dispositions = head.split('\r\n').filter((line) => /^content-disposition\s*:/i.test(line))
  if (dispositions.length !== 1 || dispositions[0]!.includes('\\')) return false
  const { main, parameters, rest } = readParameters(dispositions[0]!.slice(dispositions[0]!.indexOf(':') + 1))
  const names = parameters.map(([name]) => name)
  const areKnown = names.every((name) => ['name', 'filename', 'filename*'].includes(name))
  return (
    main.toLowerCase() === 'form-data' &&
    rest === '' &&
    areKnown &&
    names.includes('name') &&
    new Set(names).size === names.length
  )
}
