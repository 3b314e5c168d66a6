const USAGE = '"usage"'

/** The member `usage` of a JSON text: where its key stands, and whether its value is null. */
export type UsageMember = { at: number; isNull: boolean }

/**
 * Finds a member named `usage`, at whatever depth, without parsing: the first that has a value, else the first that is null.
 * Inside a JSON string the quotes would be escaped, so the text `"usage":` can only be a member; `"usage"` without the colon is
 * a value that happens to be that word.
 */
export function findUsage(text: string): UsageMember | null {
  let empty: UsageMember | null = null
  for (let at = text.indexOf(USAGE); at !== -1; at = text.indexOf(USAGE, at + USAGE.length)) {
    let next = at + USAGE.length
    while (text[next] === ' ') next++
    if (text[next++] !== ':') continue
    while (text[next] === ' ') next++
    if (text[next] !== 'n') return { at, isNull: false }
    empty ??= { at, isNull: true }
  }
  return empty
}

const BEHIND = /,\s*"usage"\s*:\s*null/
const AHEAD = /"usage"\s*:\s*null\s*,\s*/

/**
 * The event without its `"usage":null`, as it would have been without `include_usage`. The bytes are moved in place.
 * `text`: the event as latin1, one character a byte, so that places in the text are places in the bytes.
 */
export function withoutNullUsage(event: Buffer, text: string): Buffer {
  const member = findUsage(text)
  if (!member?.isNull) return event
  const from = Math.max(0, member.at - 8)
  const around = text.slice(from, member.at + 32)
  const match = BEHIND.exec(around) ?? AHEAD.exec(around)
  if (match === null) return event
  const start = from + match.index
  event.copyWithin(start, start + match[0].length)
  return event.subarray(0, event.length - match[0].length)
}
