import type { HubFinish } from '../hub.ts'

type Said = { calls: boolean; refusal: boolean }

/** A reason that is not known says that the answer is whole. Some who copy the format say `stop` where tools are called. */
export function parseFinish(reason: unknown, { calls, refusal }: Said): HubFinish {
  switch (reason) {
    case 'length':
    case 'max_tokens':
      return 'length'
    case 'model_length':
    case 'model_context_window_exceeded':
      return 'context_length'
    case 'tool_calls':
    case 'function_call':
      return 'tool_calls'
    case 'content_filter':
    // Z.ai: docs.z.ai/api-reference/llm/chat-completion.
    case 'sensitive':
      return refusal ? 'refusal' : 'content_filter'
    default:
      return calls ? 'tool_calls' : refusal ? 'refusal' : 'stop'
  }
}

/** The provider gave up: Mistral, OpenRouter; DeepSeek, when it is out of machines; vLLM; Z.ai. */
export const isFailure = (reason: unknown): boolean =>
  reason === 'error' || reason === 'insufficient_system_resource' || reason === 'abort' || reason === 'network_error'

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
