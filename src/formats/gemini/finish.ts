import type { HubFinish } from '../hub.ts'

/** Source: wire facts 3.1. */
const FILTERED = new Set([
  'SAFETY',
  'RECITATION',
  'LANGUAGE',
  'BLOCKLIST',
  'PROHIBITED_CONTENT',
  'SPII',
  'IMAGE_SAFETY',
  'IMAGE_PROHIBITED_CONTENT',
  'IMAGE_RECITATION',
  'MODEL_ARMOR',
])

/** The model wrote what is no answer: nothing, or half of one, is there, and another try may well go better. */
const FAILED = new Set([
  'MALFORMED_FUNCTION_CALL',
  'UNEXPECTED_TOOL_CALL',
  'TOO_MANY_TOOL_CALLS',
  'MISSING_THOUGHT_SIGNATURE',
  'MALFORMED_RESPONSE',
])

/**
 * `calls`: there are tool calls in the answer. Null: the answer failed. A call that came in spite of its bad reason can still be run
 * (recorded with UNEXPECTED_TOOL_CALL); a reason that is not known says that the answer is whole.
 */
export function parseFinish(reason: unknown, calls: boolean): HubFinish | null {
  if (reason === 'MAX_TOKENS') return 'length'
  if (typeof reason === 'string' && FILTERED.has(reason)) return 'content_filter'
  if (calls) return 'tool_calls'
  return typeof reason === 'string' && FAILED.has(reason) ? null : 'stop'
}

export function buildFinish(finish: HubFinish): string {
  switch (finish) {
    case 'length':
    case 'context_length':
      return 'MAX_TOKENS'
    case 'content_filter':
    case 'refusal':
      return 'SAFETY'
    default:
      return 'STOP'
  }
}
