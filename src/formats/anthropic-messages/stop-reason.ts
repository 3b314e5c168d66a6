import type { HubFinish } from '../hub.ts'

/** A reason that is not known says that the answer is whole. Source: wire facts 3.1. */
export function parseStopReason(reason: unknown): HubFinish {
  switch (reason) {
    case 'stop_sequence':
    case 'refusal':
      return reason
    case 'max_tokens':
      return 'length'
    case 'model_context_window_exceeded':
      return 'context_length'
    case 'tool_use':
      return 'tool_calls'
    case 'pause_turn':
      return 'pause'
    default:
      return 'stop'
  }
}

export function buildStopReason(finish: HubFinish): string {
  switch (finish) {
    case 'stop_sequence':
    case 'refusal':
      return finish
    case 'length':
      return 'max_tokens'
    case 'context_length':
      return 'model_context_window_exceeded'
    case 'tool_calls':
      return 'tool_use'
    case 'content_filter':
      return 'refusal'
    case 'pause':
      return 'pause_turn'
    default:
      return 'end_turn'
  }
}
