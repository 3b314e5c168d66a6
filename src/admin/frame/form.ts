/** What a form sent: every name with its values, as texts. */
export type Form = {
  /** Without blanks around it; empty when it was not sent. */
  text(name: string): string
  /** Exactly as typed: for passwords. */
  raw(name: string): string
  checked(name: string): boolean
  /** Of several fields, or choices, with one name. */
  all(name: string): string[]
  /** What the visitor typed, to show it again. */
  values: Readonly<Record<string, string>>
}

/** How the text of a field becomes a value of the wire: blank is null. */
export type FieldKind = 'text' | 'number' | 'lines' | 'json' | 'flag' | 'time'

const SECRET_FIELD = /password|secret|code|(^|\.)key$|^_csrf$|api_key/

export function createForm(body: Readonly<Record<string, unknown>>): Form {
  const all = (name: string): string[] => {
    const value = Object.hasOwn(body, name) ? body[name] : undefined
    return Array.isArray(value) ? value.map(String) : typeof value === 'string' ? [value] : []
  }
  const raw = (name: string) => all(name).at(-1) ?? ''
  return {
    raw,
    all,
    text: (name) => raw(name).trim(),
    checked: (name) => ['on', 'true', '1'].includes(raw(name)),
    // Secrets are typed again rather than sent back.
    values: Object.fromEntries(
      Object.keys(body)
        .filter((name) => !SECRET_FIELD.test(name))
        .map((name) => [name, raw(name)]),
    ),
  }
}

/**
 * The body that the management API takes, of the fields named in `kinds`. A field has the path of what it sets as its name
 * (`rate_limit.requests_per_minute`, `budgets.0.limit_usd`), so that the reason for a refusal finds it again. Fields that the form
 * does not have are left out. What cannot be read as its kind stays a text: the schema says what is wrong with it.
 */
export function toInput(form: Form, kinds: Readonly<Record<string, FieldKind>>): Record<string, unknown> {
  const input: Record<string, unknown> = {}
  for (const [path, kind] of Object.entries(kinds)) {
    const sent = form.all(path)
    // A box that is not ticked is not sent: its hidden twin tells that it was there.
    if (sent.length === 0) continue
    put(input, path.split('.'), toValue(sent.at(-1)!, kind))
  }
  return input
}

function toValue(text: string, kind: FieldKind): unknown {
  const trimmed = text.trim()
  if (kind === 'flag') return ['on', 'true', '1'].includes(trimmed)
  if (trimmed === '') return null
  switch (kind) {
    case 'text':
      return trimmed
    case 'number':
      return /^-?\d[\d_ ]*(\.\d+)?$/.test(trimmed) ? Number(trimmed.replace(/[_ ]/g, '')) : trimmed
    case 'lines':
      return trimmed
        .split(/[\n,]/)
        .map((line) => line.trim())
        .filter((line) => line !== '')
    case 'json':
      return parseJson(trimmed)
    case 'time':
      // What a browser's field for dates and times gives has no zone; the console says that it means UTC.
      return /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?$/.test(trimmed) ? `${trimmed.padEnd(19, ':00')}Z` : trimmed
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** Lists are written `budgets.0.period`. */
function put(target: Record<string, unknown>, [head, ...rest]: string[], value: unknown): void {
  if (head === undefined) return
  if (rest.length === 0) {
    target[head] = value
    return
  }
  target[head] ??= /^\d+$/.test(rest[0]!) ? [] : {}
  put(target[head] as Record<string, unknown>, rest, value)
}
