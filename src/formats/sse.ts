const LF = 0x0a
const CR = 0x0d

/**
 * The end (exclusive) of the event that begins at `from`: just behind the blank line that closes it, -1 when that line is not there
 * yet. Lines may end in LF, CRLF or CR (WHATWG HTML 9.2.6; OpenAI sends LF, its transcriptions and Gemini CRLF).
 */
export function endOfEvent(bytes: Buffer, from: number): number {
  for (let at = from; ; ) {
    const lf = bytes.indexOf(LF, at)
    if (lf === -1) return bytes.includes(CR, at) ? endOfBareCrEvent(bytes, from) : -1
    const next = bytes[lf + 1]
    if (next === LF) return lf + 2
    if (next === CR && bytes[lf + 2] === LF) return lf + 3
    at = lf + 1
  }
}

function endOfBareCrEvent(bytes: Buffer, from: number): number {
  const blank = bytes.indexOf('\r\r', from, 'latin1')
  return blank === -1 ? -1 : blank + 2
}

/** The `data:` of an event, its lines joined; null when it has none (comments, pings). */
export function dataOf(event: Buffer): string | null {
  const text = event.toString('utf8')
  if (text.startsWith('data: ') && text.indexOf('\n') >= text.length - 2) return text.slice(6).trimEnd()
  const lines = text.split(/\r\n|\n|\r/).filter((line) => line.startsWith('data:'))
  return lines.length === 0 ? null : lines.map((line) => line.slice(line[5] === ' ' ? 6 : 5)).join('\n')
}

/** The JSON object in an event's data; null when there is none, or it is not one. */
export function jsonOf(event: Buffer): Record<string, unknown> | null {
  const data = dataOf(event)
  if (data === null || data === '' || data[0] !== '{') return null
  try {
    return JSON.parse(data) as Record<string, unknown>
  } catch {
    return null
  }
}

/** An event with that data, in OpenAI's framing. */
export const dataEvent = (data: unknown) => Buffer.from(`data: ${JSON.stringify(data)}\n\n`)

/**
 * What an event says: the JSON of its data and its name, null when it has no data (comments). A bare JSON object, as some servers end
 * a broken stream with, counts as data. Throws `SyntaxError` for data that is no JSON object.
 */
export function readEvent(event: Buffer): { data: Record<string, unknown> | '[DONE]'; name: string | null } | null {
  const text = event.toString('utf8')
  let name: string | null = null
  let data: string | null = null
  for (let from = 0; from < text.length; ) {
    let end = text.indexOf('\n', from)
    if (end === -1) end = text.length
    const line = text.slice(from, text[end - 1] === '\r' ? end - 1 : end)
    if (line.startsWith('data:')) data = join(data, line.slice(line[5] === ' ' ? 6 : 5))
    else if (line.startsWith('event:')) name = line.slice(6).trim()
    else if (data === null && name === null && line.startsWith('{')) data = text.slice(from)
    from = end + 1
  }
  if (data === null || data === '') return null
  if (data === '[DONE]') return { data, name }
  const value: unknown = JSON.parse(data)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new SyntaxError('No JSON object.')
  return { data: value as Record<string, unknown>, name }
}

const join = (before: string | null, more: string) => (before === null ? more : `${before}\n${more}`)
