import type { Json } from '../dialect.ts'
import { parseObject } from '../read.ts'

/*
 * What a tool answers has to be an object here. A text that is one goes as it is; all else stands under `result`, or `error` (types of
 * js-genai, `FunctionResponse.response`).
 */

/** Names under which the whole result may stand. */
const WHOLE = ['result', 'output', 'error']

/** Numbers past 2^53 would be changed on their way through an object. */
const LONG_NUMBER = /\d{16}/

export function buildResponse(text: string, isError: boolean): Json {
  const whole = text.trimStart().startsWith('{') && !LONG_NUMBER.test(text) ? parseObject(text) : null
  if (isError) return { error: whole ?? text }
  return whole === null || isWrapped(whole) ? { result: text } : whole
}

export function parseResponse(response: Json): { text: string; isError: boolean } {
  if (!isWrapped(response)) return { text: JSON.stringify(response), isError: false }
  const [[name, value]] = Object.entries(response) as [[string, unknown]]
  return { text: typeof value === 'string' ? value : JSON.stringify(value), isError: name === 'error' }
}

const isWrapped = (response: Json) => {
  const names = Object.keys(response)
  return names.length === 1 && WHOLE.includes(names[0]!)
}
