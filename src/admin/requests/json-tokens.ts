/** A piece of a text in which JSON is made easy to read. The page escapes it. */
export type Piece = { kind: 'key' | 'string' | 'number' | 'word' | 'plain'; text: string }

/** Longer texts are shown in one colour: a page of a hundred thousand elements is nobody's help. */
const MAX_COLOURED = 100_000
const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\b(?:true|false|null)\b/g

/** JSON on many lines, in pieces by what they are; what is no JSON (a body that was cut) as it stands. */
export function readableJson(text: string): Piece[] {
  const pretty = prettyJson(text)
  if (pretty === null || pretty.length > MAX_COLOURED) return [{ kind: 'plain', text: pretty ?? text }]
  const pieces: Piece[] = []
  let end = 0
  for (const match of pretty.matchAll(TOKEN)) {
    if (match.index > end) pieces.push({ kind: 'plain', text: pretty.slice(end, match.index) })
    const [whole, string, colon] = match
    if (string === undefined) pieces.push({ kind: /^[tfn]/.test(whole) ? 'word' : 'number', text: whole })
    else {
      pieces.push({ kind: colon === undefined ? 'string' : 'key', text: string })
      if (colon !== undefined) pieces.push({ kind: 'plain', text: colon })
    }
    end = match.index + whole.length
  }
  if (end < pretty.length) pieces.push({ kind: 'plain', text: pretty.slice(end) })
  return pieces
}

/** Null: no JSON. Numbers that JavaScript has no place for would change: then it is left as it is. */
function prettyJson(text: string): string | null {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null) return null
    return /\d{16}/.test(text) ? text : JSON.stringify(value, null, 2)
  } catch {
    return null
  }
}
