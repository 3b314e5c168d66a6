import type { Json } from '../dialect.ts'
import { isRecord } from '../read.ts'
import { camelCase } from './fields.ts'

const MAX_DEPTH = 64
/** Whole numbers that protocol buffers write as text. */
const COUNTS = new Set(['maxItems', 'minItems', 'maxLength', 'minLength', 'maxProperties', 'minProperties'])

/**
 * A schema in the dialect's own subset of OpenAPI (types in capitals, `nullable`) as JSON Schema. Source: `Schema` in content.proto of
 * google.ai.generativelanguage.v1beta.
 */
export function toJsonSchema(schema: Json, depth = 0): Json {
  if (depth > MAX_DEPTH) return {}
  const kept: Json = {}
  const { nullable, ...rest } = camelCase(schema)
  for (const [name, value] of Object.entries(rest)) {
    if (name === 'type') setType(kept, value)
    else if (name === 'example') kept.examples = [value]
    else if (COUNTS.has(name)) kept[name] = Number(value)
    // Hints to the provider's own decoder.
    else if (name !== 'propertyOrdering' && !(name === 'format' && value === 'enum'))
      kept[name] = inner(name, value, depth)
  }
  return nullable === true ? orNull(kept) : kept
}

function setType(kept: Json, type: unknown): void {
  if (typeof type === 'string' && type !== 'TYPE_UNSPECIFIED') kept.type = type.toLowerCase()
  else if (Array.isArray(type)) kept.type = type.map((one) => String(one).toLowerCase())
}

function inner(name: string, value: unknown, depth: number): unknown {
  if (name === 'properties' || name === '$defs' || name === 'defs')
    return isRecord(value)
      ? Object.fromEntries(Object.entries(value).map(([key, one]) => [key, asSchema(one, depth)]))
      : value
  if (name === 'items' || name === 'additionalProperties') return asSchema(value, depth)
  if (name === 'anyOf' || name === 'oneOf' || name === 'allOf' || name === 'prefixItems')
    return Array.isArray(value) ? value.map((one) => asSchema(one, depth)) : value
  return value
}

const asSchema = (value: unknown, depth: number) => (isRecord(value) ? toJsonSchema(value, depth + 1) : value)

function orNull(schema: Json): Json {
  const { type } = schema
  if (Array.isArray(schema.anyOf)) return { ...schema, anyOf: [...schema.anyOf, { type: 'null' }] }
  if (typeof type !== 'string') return schema
  return { ...schema, type: [type, 'null'], ...(Array.isArray(schema.enum) && { enum: [...schema.enum, null] }) }
}
