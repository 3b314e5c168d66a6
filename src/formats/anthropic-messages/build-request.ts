import { withCallIds } from '../call-ids.ts'
import type { Dialect, Json } from '../dialect.ts'
import { formatInstructions } from '../format-instructions.ts'
import type { HubField, HubFormat, HubRequest } from '../hub.ts'
import { boundedTokens, type ModelFacts } from '../model-facts.ts'
import { withoutEmpty } from '../read.ts'
import { toStrictSchema } from '../strict-schema.ts'
import { withToolNames } from '../tool-names.ts'
import { shortUserId } from '../user-id.ts'
import { buildMessages, buildSystem } from './build-messages.ts'
import { buildThinking, isThinking } from './build-thinking.ts'
import { buildTools } from './build-tools.ts'

type Lose = Parameters<Dialect['buildRequest']>[2]

/** Where nothing is known of the model. */
const USUAL_MAX_TOKENS = 4_096
const MAX_USER = 512

export function buildRequest(given: HubRequest, facts: ModelFacts, lose: Lose): Json {
  const request = withToolNames(given)
  const messages = withCallIds(request.messages, facts)
  // It must be said.
  const maxTokens = boundedTokens(request.maxTokens, facts) ?? facts.maxOutput ?? USUAL_MAX_TOKENS
  const thinking = buildThinking(request, facts, maxTokens, lose)
  loseWhatNobodyTakes(request, lose)
  const { schema, told } = buildFormat(request.format, facts, lose)
  const outputConfig = withoutEmpty({ effort: thinking.effort, format: schema && { type: 'json_schema', schema } })
  return withoutEmpty({
    model: request.model,
    max_tokens: maxTokens,
    system: buildSystem(messages, told, lose),
    messages: buildMessages(messages, facts, lose),
    ...(request.stream && { stream: true }),
    ...buildTools(request, facts, lose),
    ...buildSampling(request, facts, isThinking(thinking), lose),
    stop_sequences: buildStop(request.stop, lose),
    thinking: thinking.config,
    output_config: Object.keys(outputConfig).length === 0 ? null : outputConfig,
    metadata: request.user && { user_id: shortUserId(request.user, MAX_USER) },
    service_tier: buildTier(request.serviceTier, lose),
  })
}

const NOWHERE: readonly HubField[] = [
  'seed',
  'presencePenalty',
  'frequencyPenalty',
  'logprobs',
  'logitBias',
  'metadata',
]

function loseWhatNobodyTakes(request: HubRequest, lose: Lose): void {
  if (request.candidates !== null && request.candidates > 1) lose('candidates')
  for (const field of NOWHERE) {
    const value = request[field]
    const isIdle =
      value === null ||
      (value === 0 && (field === 'presencePenalty' || field === 'frequencyPenalty')) ||
      (typeof value === 'object' && Object.keys(value).length === 0)
    if (!isIdle) lose(field)
  }
}

/** A model that keeps to no schema by itself is told of it. */
function buildFormat(
  format: HubFormat | null,
  facts: ModelFacts,
  lose: Lose,
): { schema: Json | null; told: string | null } {
  if (format === null || format.type === 'text') return { schema: null, told: null }
  if (format.type === 'schema' && facts.takesSchema) return { schema: toStrictSchema(format.schema), told: null }
  lose('format')
  return { schema: null, told: formatInstructions(format) }
}

function buildSampling({ temperature, topP, topK }: HubRequest, facts: ModelFacts, thinks: boolean, lose: Lose): Json {
  if (!facts.takesSampling || thinks) {
    if (temperature !== null && temperature !== 1) lose('temperature')
    if (topP !== null && topP < 0.99) lose('topP')
    if (topK !== null) lose('topK')
    return {}
  }
  const one = temperature !== null && topP !== null && !facts.takesBothSamplings
  if (one && topP !== 1) lose('topP')
  return {
    temperature: temperature === null ? null : Math.min(1, Math.max(0, temperature)),
    top_p: one ? null : topP,
    top_k: topK,
  }
}

function buildStop(stop: string[], lose: Lose): string[] | null {
  const kept = stop.filter((sequence) => sequence.trim() !== '')
  if (kept.length < stop.length) lose('stop')
  return kept.length === 0 ? null : kept
}

function buildTier(tier: string | null, lose: Lose): string | null {
  if (tier === null || tier === 'auto') return tier
  if (tier === 'default') return 'standard_only'
  lose('serviceTier')
  return null
}
