import type { Json } from '../dialect.ts'
import { isRecord, refuse } from '../read.ts'

/*
 * The JSON of protocol buffers: a field may be spelled `systemInstruction` or `system_instruction`, and one value may stand where a
 * list is meant. Keys that are the user's own (arguments, schemas, labels) are never touched.
 */

/** The same with its own fields in camelCase. */
export function camelCase(message: Json): Json {
  let isCamel = true
  for (const name in message) if (name.includes('_')) isCamel = false
  if (isCamel) return message
  return Object.fromEntries(Object.entries(message).map(([name, value]) => [toCamel(name), value]))
}

const toCamel = (name: string) => name.replace(/(?<=.)_([a-z])/g, (_match, letter: string) => letter.toUpperCase())

export function readMessage(value: unknown, param: string): Json | null {
  if (value === undefined || value === null) return null
  return isRecord(value) ? camelCase(value) : refuse(param, 'must be an object')
}

export function readMessages(value: unknown, param: string): Json[] {
  if (value === undefined || value === null) return []
  if (isRecord(value)) return [camelCase(value)]
  if (!Array.isArray(value)) return refuse(param, 'must be a list')
  return value.map(
    (one, index) => readMessage(one, `${param}[${index}]`) ?? refuse(`${param}[${index}]`, 'is required'),
  )
}
