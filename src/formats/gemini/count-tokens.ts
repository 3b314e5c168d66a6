import { type Json, type RequestPlace, UnreadableAnswer } from '../dialect.ts'
import type { HubField, HubRequest } from '../hub.ts'
import type { ModelFacts } from '../model-facts.ts'
import { isRecord } from '../read.ts'
import { buildRequest } from './build-request.ts'
import { camelCase } from './fields.ts'
import { parseRequest } from './parse-request.ts'

/** `:countTokens`: of bare `contents`, or of all that would be generated from. */
export function parseCountTokens(raw: Json, place: RequestPlace): HubRequest {
  const body = camelCase(raw)
  return parseRequest(isRecord(body.generateContentRequest) ? body.generateContentRequest : body, place)
}

export const buildCountTokens = (
  request: HubRequest,
  facts: ModelFacts,
  lose: (what: HubField | `part:${string}`) => void,
): Json => ({ generateContentRequest: { model: `models/${request.model}`, ...buildRequest(request, facts, lose) } })

export const buildCountTokensAnswer = (tokens: number): Json => ({
  totalTokens: tokens,
  promptTokensDetails: [{ modality: 'TEXT', tokenCount: tokens }],
})

/** Throws `UnreadableAnswer`. */
export function parseCountTokensAnswer({ totalTokens }: Json): number {
  if (!Number.isSafeInteger(totalTokens) || (totalTokens as number) < 0)
    throw new UnreadableAnswer('The answer has no `totalTokens`.')
  return totalTokens as number
}
