import { GatewayError } from '../errors.ts'
import type { Json } from './dialect.ts'

/* What a client sent, read field by field: null and what is left out are the same, and a wrong type is told by its name. */

export const isRecord = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Where there is none, an empty one: for answers, whose parts may be left out. */
export const record = (value: unknown): Json => (isRecord(value) ? value : {})
export const records = (value: unknown): Json[] => (Array.isArray(value) ? value.filter(isRecord) : [])
export const text = (value: unknown): string => (typeof value === 'string' ? value : '')
export const textOrNull = (value: unknown): string | null => (typeof value === 'string' ? value : null)

/** Throws it. */
export function refuse(param: string, reason: string): never {
  throw new GatewayError('invalid_request', { message: `\`${param}\` ${reason}.`, param })
}

export function readText(value: unknown, param: string): string | null {
  if (value === undefined || value === null) return null
  return typeof value === 'string' ? value : refuse(param, 'must be text')
}

export function readNumber(value: unknown, param: string): number | null {
  if (value === undefined || value === null) return null
  return typeof value === 'number' && Number.isFinite(value) ? value : refuse(param, 'must be a number')
}

export function readInteger(value: unknown, param: string): number | null {
  const number = readNumber(value, param)
  return number === null || Number.isSafeInteger(number) ? number : refuse(param, 'must be a whole number')
}

export function readBoolean(value: unknown, param: string): boolean | null {
  if (value === undefined || value === null) return null
  return typeof value === 'boolean' ? value : refuse(param, 'must be true or false')
}

export function readRecord(value: unknown, param: string): Json | null {
  if (value === undefined || value === null) return null
  return isRecord(value) ? value : refuse(param, 'must be an object')
}

export function readRecords(value: unknown, param: string): Json[] | null {
  if (value === undefined || value === null) return null
  if (!Array.isArray(value)) return refuse(param, 'must be a list')
  return value.map((item, index) => (isRecord(item) ? item : refuse(`${param}[${index}]`, 'must be an object')))
}

/** A text, or a list of texts. */
export function readTexts(value: unknown, param: string): string[] {
  if (value === undefined || value === null) return []
  if (typeof value === 'string') return [value]
  if (!Array.isArray(value)) return refuse(param, 'must be text or a list of texts')
  return value.map((item, index) => (typeof item === 'string' ? item : refuse(`${param}[${index}]`, 'must be text')))
}

export function requireText(value: unknown, param: string): string {
  return readText(value, param) ?? refuse(param, 'is required')
}

/** The fields that say something and are not among `known`. */
export const unknownFields = (body: Json, known: ReadonlySet<string>): string[] =>
  Object.keys(body).filter((name) => !known.has(name) && body[name] !== null && body[name] !== undefined)

/** The members that have a value. */
export function withoutEmpty<T extends Json>(body: T): T {
  for (const name in body) if (body[name] === undefined || body[name] === null) delete body[name]
  return body
}

/** A JSON object in a text; null when it is none. Models write broken ones. */
export function parseObject(json: string): Json | null {
  if (json.trim() === '') return {}
  try {
    const value: unknown = JSON.parse(json)
    return isRecord(value) ? value : null
  } catch {
    return null
  }
}

/** What a tool is called with, as an object. Where a model wrote broken JSON, what it wrote. */
export const argumentsOf = (json: string): Json => parseObject(json) ?? { raw_arguments: json }
