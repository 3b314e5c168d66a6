import type { HubFinish } from '../hub.ts'

/** A reason that is not known says that the answer is whole. */
export function parseFinish(reason: unknown): HubFinish {
  switch (reason) {
    case 'length':
      return 'length'
    case 'tool_calls':
    case 'function_call':
      return 'tool_calls'
    case 'content_filter':
      return 'content_filter'
    default:
      return 'stop'
  }
}

export function buildFinish(finish: HubFinish): string {
  switch (finish) {
    case 'length':
    case 'context_length':
      return 'length'
    case 'tool_calls':
      return 'tool_calls'
    case 'content_filter':
    case 'refusal':
      return 'content_filter'
    default:
      return 'stop'
  }
}
