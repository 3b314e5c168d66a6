import type { Json } from '../dialect.ts'
import type { HubLogprob } from '../hub.ts'
import * as entries from '../openai-logprobs.ts'
import { record } from '../read.ts'

/** `{"content":[…],"refusal":null}`; null where there are none. */
export function parseLogprobs(logprobs: unknown): HubLogprob[] | null {
  const { content } = record(logprobs)
  return Array.isArray(content) ? entries.parseLogprobs(content) : null
}

export const buildLogprobs = (logprobs: HubLogprob[]): Json => ({
  content: entries.buildLogprobs(logprobs),
  refusal: null,
})
