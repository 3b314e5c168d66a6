import type { Dialect, Json } from './dialect.ts'
import { isRecord } from './read.ts'

/*
 * JSON Schemas that a model keeps to while it writes. Sources: wire facts 2.6; Claude's documentation of structured outputs for what is
 * enforced and what is refused.
 */

const MAX_DEPTH = 64
const KEPT = new Set(
  '$schema type title description enum const default properties required items anyOf allOf $ref $defs definitions'.split(
    ' ',
  ),
)
const FORMATS = new Set('date-time date time duration email hostname uri ipv4 ipv6 uuid'.split(' '))
/** Names and notes, which bind nobody. */
const IDLE = new Set(['$id', '$anchor', '$comment', 'deprecated', 'readOnly', 'writeOnly', 'examples', 'example'])
/** Their members are names of the user's own, not keywords. */
const NAMED = new Set(['properties', '$defs', 'definitions'])
/** Their values are data, not schemas. */
const DATA = new Set(['enum', 'const', 'default'])

/**
 * The schema in the subset that is enforced: objects are closed, and bounds that cannot be enforced stand in the description, where
 * the model still reads them.
 */
export function toStrictSchema(schema: Json, depth = 0): Json {
  if (depth > MAX_DEPTH) return schema
  const kept: Json = {}
  const told: string[] = []
  for (const [name, value] of Object.entries(schema)) {
    if (isKept(name, value)) kept[name] = inner(name, value, depth)
    else if (name === 'oneOf' && schema.anyOf === undefined) kept.anyOf = inner('anyOf', value, depth)
    else if (name === 'nullable') kept.type = value === true ? orNull(schema.type) : schema.type
    else if (!IDLE.has(name) && !(name === 'additionalProperties' && isClosing(value)))
      told.push(`${name}: ${JSON.stringify(value)}`)
  }
  if (isObject(kept)) kept.additionalProperties = false
  if (told.length > 0) kept.description = [kept.description, `(${told.join(', ')})`].filter(Boolean).join(' ')
  return kept
}

const isKept = (name: string, value: unknown) =>
  KEPT.has(name) ||
  (name === 'format' && FORMATS.has(String(value))) ||
  (name === 'minItems' && (value === 0 || value === 1))

/** Says that there is nothing more, or does not say what. */
const isClosing = (value: unknown) => typeof value === 'boolean' || (isRecord(value) && Object.keys(value).length === 0)

const isObject = ({ type, properties }: Json) =>
  type === 'object' || (Array.isArray(type) && type.includes('object')) || isRecord(properties)

const orNull = (type: unknown) =>
  type === undefined ? undefined : [...new Set([...(Array.isArray(type) ? type : [type]), 'null'])]

function inner(name: string, value: unknown, depth: number): unknown {
  if (DATA.has(name)) return value
  const strict = (one: unknown) => (isRecord(one) ? toStrictSchema(one, depth + 1) : one)
  if (Array.isArray(value)) return value.map(strict)
  if (!isRecord(value) || !NAMED.has(name)) return strict(value)
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, strict(one)]))
}

/** All of its objects are closed and all of their properties required, which some want before they promise to keep to a schema. */
export function isClosedSchema(schema: unknown, depth = 0): boolean {
  if (depth > MAX_DEPTH) return false
  if (Array.isArray(schema)) return schema.every((one) => isClosedSchema(one, depth + 1))
  if (!isRecord(schema)) return true
  if (isObject(schema)) {
    const required = Array.isArray(schema.required) ? schema.required : []
    const names = isRecord(schema.properties) ? Object.keys(schema.properties) : []
    if (schema.additionalProperties !== false || !names.every((name) => required.includes(name))) return false
  }
  return Object.entries(schema).every(
    ([name, value]) =>
      DATA.has(name) ||
      (NAMED.has(name) && isRecord(value)
        ? Object.values(value).every((one) => isClosedSchema(one, depth + 1))
        : isClosedSchema(value, depth + 1)),
  )
}

type Lose = Parameters<Dialect['buildRequest']>[2]

/** Asks no promise of those who would refuse the schema for it. */
export function withKeptStrict<T extends { strict?: boolean }>(one: T, schema: unknown, lose: Lose): T {
  if (one.strict !== true || isClosedSchema(schema)) return one
  lose('part:strict')
  const { strict: _lost, ...rest } = one
  return rest as T
}
