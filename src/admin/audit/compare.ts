/** A field of what was acted on, by its path: `rate_limit.requests_per_minute`. Texts; undefined: it was not there. */
export type Difference = { field: string; before?: string; after?: string; isChanged: boolean }

type Snapshot = Readonly<Record<string, unknown>> | null

const MAX_FIELDS = 200
const MAX_TEXT = 2000
const NONE = 'none'

/** What was, beside what is: fields that differ first, each list in the order of the rows. */
export function compare(before: Snapshot, after: Snapshot): Difference[] {
  const [was, is] = [flatten(before), flatten(after)]
  for (const [one, other] of [
    [was, is],
    [is, was],
  ] as const)
    dropNothings(one, other)
  const fields = [...new Set([...was.keys(), ...is.keys()])].slice(0, MAX_FIELDS)
  const isEdit = before !== null && after !== null
  return fields
    .map((field): Difference => {
      const [old, now] = [was.get(field), is.get(field)]
      return {
        field,
        ...(old !== undefined && { before: old }),
        ...(now !== undefined && { after: now }),
        isChanged: isEdit && old !== now,
      }
    })
    .sort((a, b) => Number(b.isChanged) - Number(a.isChanged))
}

/** `metadata: none` says nothing where the other side has `metadata.team`. */
function dropNothings(one: Map<string, string>, other: ReadonlyMap<string, string>): void {
  for (const [field, text] of one)
    if (text === NONE && [...other.keys()].some((path) => path.startsWith(`${field}.`))) one.delete(field)
}

function flatten(value: Snapshot): Map<string, string> {
  const found = new Map<string, string>()
  const walk = (part: unknown, path: string) => {
    const isTree = typeof part === 'object' && part !== null && Object.keys(part).length > 0
    // A list of plain values reads better in one piece.
    const isPlainList = Array.isArray(part) && part.every((one) => typeof one !== 'object')
    if (!isTree || isPlainList) return void found.set(path, toText(part))
    for (const [name, inner] of Object.entries(part)) walk(inner, path === '' ? name : `${path}.${name}`)
  }
  if (value !== null) walk(value, '')
  found.delete('')
  return found
}

function toText(value: unknown): string {
  if (value === null || (typeof value === 'object' && Object.keys(value).length === 0)) return NONE
  const text = Array.isArray(value) ? value.join(', ') : asText(value)
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text
}

const asText = (value: unknown) => (typeof value === 'object' ? JSON.stringify(value) : String(value))
