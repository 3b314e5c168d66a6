const USAGE = Buffer.from('"usage"')
const COLON = 0x3a
const SPACE = 0x20
const SMALL_N = 0x6e

/** The member `usage` of a JSON text: where its key stands, and whether its value is null. */
export type UsageMember = { at: number; isNull: boolean }

/**
 * Finds a member named `usage`, at whatever depth, without parsing: the first that has a value, else the first that is null.
 * Inside a JSON string the quotes would be escaped, so the bytes `"usage":` can only be a member; `"usage"` without the colon is
 * a value that happens to be that word.
 */
export function findUsage(event: Buffer): UsageMember | null {
  let empty: UsageMember | null = null
  for (const member of members(event)) {
    if (!member.isNull) return member
    empty ??= member
  }
  return empty
}

function* members(event: Buffer): Iterable<UsageMember> {
  for (let at = event.indexOf(USAGE); at !== -1; at = event.indexOf(USAGE, at + USAGE.length)) {
    let next = at + USAGE.length
    while (event[next] === SPACE) next++
    if (event[next++] !== COLON) continue
    while (event[next] === SPACE) next++
    yield { at, isNull: event[next] === SMALL_N }
  }
}

const BEHIND = /,\s*"usage"\s*:\s*null/
const AHEAD = /"usage"\s*:\s*null\s*,\s*/

/** The event without its `"usage":null`, as it would have been without `include_usage`. The bytes are moved in place. */
export function withoutNullUsage(event: Buffer): Buffer {
  const member = findUsage(event)
  if (!member?.isNull) return event
  // latin1: one character a byte, so that places in the text are places in the bytes.
  const from = Math.max(0, member.at - 8)
  const around = event.toString('latin1', from, member.at + 32)
  const match = BEHIND.exec(around) ?? AHEAD.exec(around)
  if (match === null) return event
  const start = from + match.index
  event.copyWithin(start, start + match[0].length)
  return event.subarray(0, event.length - match[0].length)
}
