import { ExportError } from './export.ts'

/**
 * The JSON documents of a text: one, one on each line, or one behind the other, as pages are when they are saved into one file. Throws
 * `ExportError` with the line and column where it is no JSON.
 */
export function readJsonDocuments(text: string): unknown[] {
  const whole = parse(text)
  if (whole !== undefined) return [whole]
  const documents: unknown[] = []
  for (let at = skipSpace(text, 0); at < text.length; ) {
    const end = endOfValue(text, at)
    documents.push(JSON.parse(text.slice(at, end)))
    at = skipSpace(text, end)
  }
  return documents
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

type Expected = 'value' | 'value or end' | 'key' | 'key or end' | 'colon' | 'comma or end'

/** Walks over one value. `JSON.parse` does not say where it failed, nor where a document ends. */
function endOfValue(text: string, start: number): number {
  const open: string[] = []
  let expected: Expected = 'value'
  for (let at = start; ; at = skipSpace(text, at)) {
    const char = text[at]
    if (char === (open.at(-1) === '{' ? '}' : ']') && mayEnd(expected)) {
      open.pop()
      at++
      expected = 'comma or end'
    } else if (expected === 'colon' || expected === 'comma or end') {
      if (char !== (expected === 'colon' ? ':' : ',')) throw brokenAt(text, at)
      at++
      expected = open.at(-1) === '{' && expected === 'comma or end' ? 'key' : 'value'
    } else if (expected === 'key' || expected === 'key or end') {
      at = endOfString(text, at)
      expected = 'colon'
    } else if (char === '{' || char === '[') {
      open.push(char)
      at++
      expected = char === '{' ? 'key or end' : 'value or end'
    } else {
      at = char === '"' ? endOfString(text, at) : endOfScalar(text, at)
      expected = 'comma or end'
    }
    if (open.length === 0) return at
  }
}

const mayEnd = (expected: Expected) => expected.endsWith('end')

function endOfString(text: string, start: number): number {
  if (text[start] !== '"') throw brokenAt(text, start)
  for (let at = start + 1; at < text.length; at++) {
    const char = text[at]!
    if (char === '"') return at + 1
    if (char < ' ') throw brokenAt(text, at)
    if (char !== '\\') continue
    ESCAPE.lastIndex = at
    if (!ESCAPE.test(text)) throw brokenAt(text, at)
    at = ESCAPE.lastIndex - 1
  }
  throw brokenAt(text, text.length)
}

const ESCAPE = /\\(?:["\\/bfnrt]|u[\da-fA-F]{4})/y
const SCALAR = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-])/y

function endOfScalar(text: string, start: number): number {
  SCALAR.lastIndex = start
  const [found] = SCALAR.exec(text) ?? []
  if (found === undefined) throw brokenAt(text, start)
  return start + found.length
}

const SPACE = /[ \t\r\n]*/y

function skipSpace(text: string, at: number): number {
  SPACE.lastIndex = at
  SPACE.test(text)
  return SPACE.lastIndex
}

function brokenAt(text: string, at: number): ExportError {
  const lines = text.slice(0, at).split('\n')
  const where = `line ${lines.length}, column ${lines.at(-1)!.length + 1}`
  const what = at >= text.length ? 'it ends too early' : 'nothing of JSON can stand there'
  return new ExportError(`It is not valid JSON: ${where}: ${what}.`)
}
