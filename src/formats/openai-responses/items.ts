import type { Json } from '../dialect.ts'

/* The items of an answer's `output`, and their parts, as a stream opens and closes them, too. */

export type ItemStatus = 'in_progress' | 'completed' | 'incomplete'

/** Every item has an id: of its kind, of its response, and its number in it. */
export const itemId = (kind: 'rs' | 'msg' | 'fc', base: string, index: number) => `${kind}_${base}_${index}`

export const messageItem = (id: string, status: ItemStatus, content: Json[]): Json => ({
  id,
  type: 'message',
  status,
  content,
  role: 'assistant',
})

export const textPart = (text: string, annotations: Json[], logprobs: Json[]): Json => ({
  type: 'output_text',
  annotations,
  logprobs,
  text,
})

export const refusalPart = (refusal: string): Json => ({ type: 'refusal', refusal })

export const summaryPart = (text: string): Json => ({ type: 'summary_text', text })

/** Thoughts are shown in the summary, where clients look for them. */
export const reasoningItem = (id: string, text: string, seal: string | null): Json => ({
  id,
  type: 'reasoning',
  ...(seal !== null && { encrypted_content: seal }),
  summary: text === '' ? [] : [summaryPart(text)],
})

export type Call = { id: string; name: string; namespace?: string }

export const callItem = (id: string, status: ItemStatus, call: Call, json: string): Json => ({
  id,
  type: 'function_call',
  status,
  arguments: json,
  call_id: call.id,
  name: call.name,
  ...(call.namespace !== undefined && { namespace: call.namespace }),
})
