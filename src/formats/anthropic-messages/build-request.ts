import { withCallIds } from '../call-ids.ts'
import type { Dialect, Json } from '../dialect.ts'
import { formatInstructions } from '../format-instructions.ts'
import type { HubRequest, HubTool, HubToolChoice } from '../hub.ts'
import { BUDGETS, type ModelFacts, nearestEffort } from '../model-facts.ts'
import { isRecord, withoutEmpty } from '../read.ts'
import { withoutForeignSeals } from '../seals.ts'
import { toStrictSchema } from '../strict-schema.ts'
import { buildMessages, buildSystem } from './build-messages.ts'
import { writeCache } from './cache.ts'

type Lose = Parameters<Dialect['buildRequest']>[2]

/** Where nothing is known of the model. */
const USUAL_MAX_TOKENS = 4_096

export function buildRequest(request: HubRequest, facts: ModelFacts, lose: Lose): Json {
  const messages = withCallIds(withoutForeignSeals(request.messages, 'anthropic-messages'), facts)
  const maxTokens = request.maxTokens ?? facts.maxOutput ?? USUAL_MAX_TOKENS
  const thinking = buildThinking({ ...request, messages }, facts, maxTokens, lose)
  loseWhatNobodyTakes(request, lose)
  const schema = request.format?.type === 'schema' && facts.takesSchema ? toStrictSchema(request.format.schema) : null
  if (request.format !== null && request.format.type !== 'text' && schema === null) lose('format')
  const instructions = schema === null && request.format !== null ? formatInstructions(request.format) : null
  const outputConfig = withoutEmpty({ effort: thinking.effort, format: schema && { type: 'json_schema', schema } })
  return withoutEmpty({
    model: request.model,
    max_tokens: maxTokens,
    system: buildSystem(messages, instructions),
    messages: buildMessages(messages, facts, lose),
    ...(request.stream && { stream: true }),
    ...buildTools(request, facts, thinking.config !== null, lose),
    ...buildSampling(request, facts, isOn(thinking.config), lose),
    stop_sequences: buildStop(request.stop, lose),
    thinking: thinking.config,
    output_config: Object.keys(outputConfig).length === 0 ? null : outputConfig,
    metadata: request.user === null ? null : { user_id: request.user.slice(0, 512) },
    service_tier: buildTier(request.serviceTier, lose),
  })
}

function loseWhatNobodyTakes(request: HubRequest, lose: Lose): void {
  if (request.candidates !== null && request.candidates > 1) lose('candidates')
  for (const field of ['seed', 'presencePenalty', 'frequencyPenalty', 'logprobs', 'logitBias', 'metadata'] as const)
    if (request[field] !== null && request[field] !== 0) lose(field)
}

type Thinking = { config: Json | null; effort: string | null }
const NO_THINKING: Thinking = { config: null, effort: null }
const isOn = (config: Json | null) => config !== null && config.type !== 'disabled'

function buildThinking(request: HubRequest, facts: ModelFacts, maxTokens: number, lose: Lose): Thinking {
  const { reasoning } = request
  if (reasoning === null) return NO_THINKING
  const { effort, budgetTokens, shown } = reasoning
  const isOff = effort === 'none' || budgetTokens === 0
  if (facts.reasons === null) {
    if (!isOff && (effort !== null || budgetTokens !== null)) lose('reasoning')
    return NO_THINKING
  }
  if (facts.reasons === 'adaptive') {
    if (isOff) return { config: { type: 'disabled' }, effort: null }
    const display = shown === false ? 'omitted' : 'summarized'
    return {
      config: { type: 'adaptive', display },
      effort: effort && facts.efforts && nearestEffort(effort, facts.efforts),
    }
  }
  if (isOff || (effort === null && budgetTokens === null)) return NO_THINKING
  const budget = Math.min(budgetTokens ?? BUDGETS[effort!], maxTokens - 1)
  // The thought before a call must come back sealed, and a call that is forced leaves no room for one.
  if (budget < facts.budget.least || lacksItsThought(request) || isForced(request.toolChoice)) {
    lose('reasoning')
    return NO_THINKING
  }
  return { config: { type: 'enabled', budget_tokens: budget }, effort: null }
}

const isForced = (choice: HubToolChoice | null) =>
  choice?.type === 'required' || (choice?.type === 'tools' && choice.required)

/** The conversation stands at the results of a turn whose thought the client did not keep. */
function lacksItsThought({ messages }: HubRequest): boolean {
  const last = messages.at(-1)
  if (!last?.parts.some(({ type }) => type === 'tool_result')) return false
  const turn = messages.findLast(({ role }) => role === 'assistant')
  return !turn?.parts.some(
    (part) => part.type === 'reasoning' && (part.signature !== undefined || part.redacted !== undefined),
  )
}

function buildSampling({ temperature, topP, topK }: HubRequest, facts: ModelFacts, thinks: boolean, lose: Lose): Json {
  if (!facts.takesSampling || thinks) {
    if (temperature !== null && temperature !== 1) lose('temperature')
    if (topP !== null && topP < 0.99) lose('topP')
    if (topK !== null) lose('topK')
    return {}
  }
  const both = temperature !== null && topP !== null && !facts.takesBothSamplings
  if (both) lose('topP')
  return {
    temperature: temperature === null ? null : Math.min(1, Math.max(0, temperature)),
    top_p: both ? null : topP,
    top_k: topK,
  }
}

function buildStop(stop: string[], lose: Lose): string[] | null {
  const kept = stop.filter((sequence) => sequence.trim() !== '')
  if (kept.length < stop.length) lose('stop')
  return kept.length === 0 ? null : kept
}

function buildTier(tier: string | null, lose: Lose): string | null {
  if (tier === null || tier === 'auto' || tier === 'standard_only') return tier
  if (tier === 'default' || tier === 'standard') return 'standard_only'
  lose('serviceTier')
  return null
}

function buildTools(request: HubRequest, facts: ModelFacts, _thinks: boolean, lose: Lose): Json {
  const { toolChoice, parallelToolCalls } = request
  if (request.tools.length === 0) return {}
  const named = toolChoice?.type === 'tools' ? toolChoice.names : null
  const tools =
    named === null || named.length < 2 ? request.tools : request.tools.filter(({ name }) => named.includes(name))
  const choice = buildToolChoice(toolChoice, facts, lose)
  // It has no place but in a choice.
  const withParallel =
    parallelToolCalls === false && choice?.type !== 'none'
      ? { ...(choice ?? { type: 'auto' }), disable_parallel_tool_use: true }
      : choice
  return { tools: tools.map((tool) => buildTool(tool, facts)), tool_choice: withParallel }
}

function buildToolChoice(choice: HubToolChoice | null, facts: ModelFacts, lose: Lose): Json | null {
  if (choice === null) return null
  if (isForced(choice) && !facts.takesForcedTool) {
    lose('toolChoice')
    return { type: 'auto' }
  }
  if (choice.type === 'required') return { type: 'any' }
  if (choice.type !== 'tools') return { type: choice.type }
  if (choice.names.length === 1 && choice.required) return { type: 'tool', name: choice.names[0] }
  return { type: choice.required ? 'any' : 'auto' }
}

function buildTool({ name, description, parameters, strict, cache }: HubTool, facts: ModelFacts): Json {
  const schema = { properties: {}, ...parameters, type: 'object' }
  const isStrict = strict === true && facts.takesSchema
  return {
    name,
    ...(description !== undefined && { description }),
    input_schema: isStrict ? toStrictSchema(schema) : schema,
    ...(isStrict && { strict: true }),
    ...writeCache(isRecord(cache) ? cache : undefined),
  }
}
