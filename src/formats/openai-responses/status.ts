import type { HubFinish } from '../hub.ts'

/** Of a response that is whole: nothing but its calls tells that it stopped for them. */
export const wholeFinish = (hasCalls: boolean): HubFinish => (hasCalls ? 'tool_calls' : 'stop')

/** Of one that is not whole, by its `incomplete_details.reason`. */
export const cutFinish = (reason: unknown): HubFinish => (reason === 'content_filter' ? 'content_filter' : 'length')

/** Source: wire facts 3.1. `reason`: null where the answer is whole. */
export function buildStatus(finish: HubFinish): { status: 'completed' | 'incomplete'; reason: string | null } {
  switch (finish) {
    case 'length':
    case 'context_length':
      return { status: 'incomplete', reason: 'max_output_tokens' }
    case 'content_filter':
    case 'refusal':
      return { status: 'incomplete', reason: 'content_filter' }
    default:
      return { status: 'completed', reason: null }
  }
}
