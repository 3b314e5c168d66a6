import type { Findings } from './environment.ts'
import type { Option } from './schema.ts'

/** The option's value, or its default where there is none to be read; then all that is wrong is among the findings. `name`: as the user wrote it. */
export function parseValue(option: Option, raw: unknown, name: string, quotable: boolean, findings: Findings): unknown {
  const parsed = option.parse.safeParse(raw)
  if (!parsed.success) {
    const quoted = quotable && !option.secret && !option.unquotable ? quote(raw) : ''
    // Of one place the first complaint is enough.
    const byPlace = new Map(parsed.error.issues.toReversed().map(({ path, message }) => [placeOf(path), message]))
    const complaints = [...byPlace].reverse().map(([place, message]) => `${name}: ${place}${message}${quoted}`)
    findings.problems.push(...complaints)
    return option.default
  }
  if (option.notYet !== undefined && parsed.data !== false) {
    // A number switches nothing on by itself.
    const list = typeof parsed.data === 'number' ? findings.warnings : findings.problems
    list.push(`${name}: ${option.notYet}`)
  }
  return parsed.data
}

/** Where in a list or a map: `entry 2 input `, with a space behind it. */
const placeOf = (path: PropertyKey[]): string =>
  path.map((step) => (typeof step === 'number' ? `entry ${step + 1} ` : `${String(step)} `)).join('')

/** What was written, for the end of a complaint. */
export function quote(raw: unknown): string {
  const text = String(raw)
  return typeof raw === 'object' || text.length > 60 ? '' : ` (now ${JSON.stringify(text)})`
}
