import type { Json } from '../../formats/dialect.ts'
import { MAX_ID_LENGTH, type Place } from './collections.ts'

/** Members whose values are ids of objects, or lists of them; of some the value is an object with an `id`. */
const MEMBERS = new Set([
  'input_file_id',
  'file_id',
  'file_ids',
  'training_file',
  'validation_file',
  'previous_response_id',
  'conversation',
  'assistant_id',
  'thread_id',
  'vector_store_id',
  'vector_store_ids',
  'container',
  'container_id',
  'video',
  'cachedContent',
])
/** What a caller writes there means nothing to the provider. */
const FOREIGN = new Set(['metadata', 'parameters', 'input_schema', 'arguments'])
/** No request that a provider takes says an id more deeply. */
const DEEPEST = 12

/**
 * The objects that a request needs: the one in its path, and those that its body names. `isModelCall`: of requests that make a model
 * answer only the places are looked at that may hold an id, for they come at any size and any rate.
 */
export function referencesIn(place: Place | null, body: Json | null, isModelCall: boolean): string[] {
  const found: string[] = []
  if (place?.objectId) found.push(place.objectId)
  if (body === null) return found
  if (isModelCall) ofModelCall(body, found)
  else if (place !== null) ofAny(body, found, DEEPEST)
  return found
}

function ofModelCall(body: Json, found: string[]): void {
  if (typeof body.previous_response_id === 'string') add(body.previous_response_id, found)
  if (body.conversation !== undefined) add(body.conversation, found)
  if (body.container !== undefined) add(body.container, found)
  if (typeof body.cachedContent === 'string') add(body.cachedContent, found)
  ofParts(body.input, found, DEEPEST)
  ofParts(body.messages, found, DEEPEST)
  ofParts(body.images, found, DEEPEST)
  if (Array.isArray(body.tools)) for (const tool of body.tools) if (isJson(tool)) ofTool(tool, found)
}

/** Messages, items and parts of them, one within the other. */
function ofParts(parts: unknown, found: string[], depth: number): void {
  if (!Array.isArray(parts) || depth === 0) return
  for (const part of parts) {
    if (!isJson(part)) continue
    if (part.file_id !== undefined) add(part.file_id, found)
    if (part.container_id !== undefined) add(part.container_id, found)
    // OpenAI's chats say `file`, Anthropic's messages `source`.
    for (const holder of [part.file, part.source]) if (isJson(holder)) add(holder.file_id, found)
    if (typeof part.content === 'object') ofParts(part.content, found, depth - 1)
    if (typeof part.output === 'object') ofParts(part.output, found, depth - 1)
  }
}

/** Of the provider's own tools; what is the caller's is described in `parameters`, or by another name in `function`. */
function ofTool(tool: Json, found: string[]): void {
  if (tool.type === 'function' || tool.type === 'custom') return
  add(tool.vector_store_ids, found)
  if (tool.container !== undefined) add(tool.container, found)
  if (isJson(tool.input_image_mask)) add(tool.input_image_mask.file_id, found)
}

function ofAny(value: unknown, found: string[], depth: number): void {
  if (depth === 0 || typeof value !== 'object' || value === null) return
  for (const [key, inner] of Object.entries(value)) {
    if (MEMBERS.has(key)) add(inner, found)
    if (!FOREIGN.has(key)) ofAny(inner, found, depth - 1)
  }
}

function add(value: unknown, found: string[]): void {
  if (typeof value === 'string') {
    if (value.length > 0 && value.length <= MAX_ID_LENGTH) found.push(value)
  } else if (Array.isArray(value)) {
    for (const one of value) if (typeof one === 'string') add(one, found)
  } else if (isJson(value)) {
    add(value.id, found)
    add(value.file_ids, found)
  }
}

const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)
