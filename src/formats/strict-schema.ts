import type { Json } from './dialect.ts'
import { isRecord } from './read.ts'

/** What structured outputs of some models refuse to check (wire facts 2.6). */
const REFUSED = new Set([
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minLength',
  'maxLength',
  'pattern',
  'minItems',
  'maxItems',
  'uniqueItems',
  'minProperties',
  'maxProperties',
  'patternProperties',
  'not',
  'if',
  'then',
  'else',
])

const MAX_DEPTH = 64
/** Their members are names of the user's own, not keywords. */
const NAMED = new Set(['properties', '$defs', 'definitions'])

/**
 * The schema in the subset that is enforced while a model writes: objects are closed, and bounds that cannot be enforced stand in
 * the description, where the model still reads them.
 */
export function toStrictSchema(schema: Json, depth = 0): Json {
  if (depth > MAX_DEPTH) return schema
  const kept: Json = {}
  const told: string[] = []
  for (const [name, value] of Object.entries(schema)) {
    if (REFUSED.has(name)) told.push(`${name}: ${JSON.stringify(value)}`)
    else kept[name] = inner(name, value, depth)
  }
  if (kept.type === 'object' || isRecord(kept.properties)) kept.additionalProperties = false
  if (told.length > 0) kept.description = [kept.description, `(${told.join(', ')})`].filter(Boolean).join(' ')
  return kept
}

function inner(name: string, value: unknown, depth: number): unknown {
  if (Array.isArray(value))
    return value.map((one) => (isRecord(one) && name !== 'enum' ? toStrictSchema(one, depth + 1) : one))
  if (!isRecord(value) || name === 'const' || name === 'default' || name === 'examples') return value
  if (!NAMED.has(name)) return toStrictSchema(value, depth + 1)
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [key, isRecord(one) ? toStrictSchema(one, depth + 1) : one]),
  )
}
