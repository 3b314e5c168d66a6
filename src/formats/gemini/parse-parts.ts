import type { Json } from '../dialect.ts'
import type { HubPart } from '../hub.ts'
import { readRecord, readText, refuse, requireText, textOrNull, unknownFields } from '../read.ts'
import { readMessage, readMessages } from './fields.ts'
import { mediaPart } from './media.ts'
import type { Calls } from './parse-contents.ts'
import { parseResponse } from './results.ts'
import { readCallSeal, readSeal } from './seals.ts'

/** One part of a request's content. `calls`: the conversation's tool calls so far. What nobody else has is named in `unknown`. */
export function parsePart(part: Json, at: string, calls: Calls, unknown: string[]): HubPart[] {
  unknown.push(...unknownFields(part, KNOWN).map((name) => `contents.parts.${name}`))
  if (part.functionCall != null) return [parseCall(part, `${at}.functionCall`, calls)]
  if (part.functionResponse != null)
    return [parseResult(readMessage(part.functionResponse, at)!, `${at}.functionResponse`, calls, unknown)]
  if (part.inlineData != null) return [parseBlob(readMessage(part.inlineData, at)!, `${at}.inlineData`)]
  if (part.fileData != null) return [parseFile(readMessage(part.fileData, at)!, `${at}.fileData`)]
  const text = readText(part.text, `${at}.text`)
  return text === null ? [] : parseText(text, part)
}

const KNOWN = new Set('text thought thoughtSignature inlineData fileData functionCall functionResponse'.split(' '))

/** A text's own seal stands behind it, as it comes in a stream. */
export function parseText(text: string, { thought, thoughtSignature }: Json): HubPart[] {
  const seal = readSeal(thoughtSignature)
  const { signature, redacted } = seal
  if (redacted !== undefined) return [{ type: 'reasoning', text: '', ...seal }]
  if (thought === true) return text === '' && signature === undefined ? [] : [{ type: 'reasoning', text, ...seal }]
  return [
    ...(text === '' ? [] : [{ type: 'text' as const, text }]),
    ...(signature === undefined ? [] : [{ type: 'reasoning' as const, text: '', ...seal }]),
  ]
}

function parseCall({ functionCall, thoughtSignature }: Json, at: string, calls: Calls): HubPart {
  const call = readMessage(functionCall, at)!
  const name = requireText(call.name, `${at}.name`)
  return {
    type: 'tool_call',
    id: calls.open(readText(call.id, `${at}.id`), name, at),
    name,
    arguments: JSON.stringify(readRecord(call.args, `${at}.args`) ?? {}),
    ...readCallSeal(thoughtSignature),
  }
}

const RESULT = new Set(['id', 'name', 'response', 'parts'])

function parseResult(result: Json, at: string, calls: Calls, unknown: string[]): HubPart {
  unknown.push(...unknownFields(result, RESULT).map((name) => `contents.parts.functionResponse.${name}`))
  const name = requireText(result.name, `${at}.name`)
  const id = calls.answer(readText(result.id, `${at}.id`), name)
  if (id === null) return refuse(at, 'answers no `functionCall` of the model turn before it')
  const { text, isError } = parseResponse(readRecord(result.response, `${at}.response`) ?? {})
  const shown = readMessages(result.parts, `${at}.parts`).flatMap((part, index) =>
    parseShown(part, `${at}.parts[${index}]`),
  )
  return {
    type: 'tool_result',
    id,
    name,
    parts: [{ type: 'text', text }, ...shown],
    ...(isError && { isError }),
  }
}

function parseShown(part: Json, at: string): HubPart[] {
  if (part.inlineData != null) return [parseBlob(readMessage(part.inlineData, at)!, `${at}.inlineData`)]
  if (part.fileData != null) return [parseFile(readMessage(part.fileData, at)!, `${at}.fileData`)]
  return refuse(at, 'must have `inlineData` or `fileData`')
}

function parseBlob(blob: Json, at: string): HubPart {
  const mediaType = requireText(blob.mimeType, `${at}.mimeType`)
  const data = requireText(blob.data, `${at}.data`)
  return mediaPart({ kind: 'base64', mediaType, data }, textOrNull(blob.displayName))
}

function parseFile(file: Json, at: string): HubPart {
  const mediaType = readText(file.mimeType, `${at}.mimeType`)
  const url = requireText(file.fileUri, `${at}.fileUri`)
  return mediaPart({ kind: 'url', url, ...(mediaType !== null && { mediaType }) }, textOrNull(file.displayName))
}
