import type { Dialect, Json } from '../dialect.ts'
import { askedEffort, effortFor } from '../effort.ts'
import { formatInstructions } from '../format-instructions.ts'
import type { HubEffort, HubField, HubFormat, HubMessage, HubRequest } from '../hub.ts'
import type { ModelFacts } from '../model-facts.ts'
import { withoutEmpty } from '../read.ts'
import { isClosedSchema } from '../strict-schema.ts'
import { offeredTools } from '../tool-choice.ts'
import { withToolNames } from '../tool-names.ts'
import { shortUserId } from '../user-id.ts'
import { buildMessages } from './build-messages.ts'
import { buildTool, buildToolChoice } from './build-tools.ts'

type Lose = Parameters<Dialect['buildRequest']>[2]

/** OpenAI takes no more, and others seldom more. */
const MAX_STOPS = 4
/** "string too long. Expected a string with maximum length 64"; others take 128. */
const MAX_USER = 64

export function buildRequest(given: HubRequest, facts: ModelFacts, lose: Lose): Json {
  const request = withToolNames(given)
  const tools = offeredTools(request)
  const effort = buildEffort(request, facts, lose)
  const messages = withFormatTold(request, facts)
  if (request.topK !== null) lose('topK')
  return withoutEmpty({
    model: request.model,
    messages: buildMessages(messages, facts, lose),
    ...(request.stream && { stream: true }),
    ...(request.stream && request.streamUsage && { stream_options: { include_usage: true } }),
    tools: tools.length === 0 ? null : tools.map((tool) => buildTool(tool, facts, lose)),
    tool_choice: buildToolChoice(request, tools, facts, lose),
    // Without tools some refuse it.
    parallel_tool_calls: tools.length === 0 || !facts.takesParallel ? null : request.parallelToolCalls,
    [facts.countsReasoning ? 'max_completion_tokens' : 'max_tokens']: bounded(request.maxTokens, facts.maxOutput),
    ...buildSampling(request, facts, maySample(facts, effort), lose),
    stop: buildStop(request.stop, facts, lose),
    [facts.seedName]: request.seed,
    n: request.candidates,
    response_format: request.format && buildFormat(request.format, facts, lose),
    reasoning_effort: effort,
    thinking: buildThinking(request, facts),
    user: request.user && shortUserId(request.user, MAX_USER),
    metadata: request.metadata,
    service_tier: buildTier(request.serviceTier),
  })
}

/** More than a model can write it would not write, but refuse. */
const bounded = (maxTokens: number | null, most: number | null) =>
  maxTokens === null || most === null ? maxTokens : Math.min(maxTokens, most)

function buildEffort({ reasoning, tools }: HubRequest, facts: ModelFacts, lose: Lose): HubEffort | null {
  if (!facts.takesToolsWithEffort && tools.length > 0) {
    const asked = askedEffort(reasoning)
    if (asked !== null && asked !== 'none') lose('reasoning')
    return facts.efforts?.includes('none') ? 'none' : null
  }
  return effortFor(reasoning, facts, lose)
}

function buildThinking({ reasoning }: HubRequest, { takesThinking }: ModelFacts): Json | null {
  const asked = askedEffort(reasoning)
  return takesThinking && asked !== null ? { type: asked === 'none' ? 'disabled' : 'enabled' } : null
}

/** Models that reason take no sampling while they do. */
function maySample(facts: ModelFacts, effort: HubEffort | null): boolean {
  if (facts.takesSampling) return true
  const canRest = facts.efforts?.includes('none') ?? false
  return canRest && (effort === null ? !facts.reasonsUnasked : effort === 'none')
}

const SAMPLING: readonly (readonly [HubField, string, usual: unknown])[] = [
  ['temperature', 'temperature', 1],
  ['topP', 'top_p', 1],
  ['presencePenalty', 'presence_penalty', 0],
  ['frequencyPenalty', 'frequency_penalty', 0],
  ['logitBias', 'logit_bias', null],
  ['logprobs', 'logprobs', null],
]

function buildSampling(request: HubRequest, { mostTemperature }: ModelFacts, may: boolean, lose: Lose): Json {
  const built: Json = {}
  for (const [field, name, usual] of SAMPLING) {
    const value = request[field]
    if (value === null) continue
    if (may) built[name] = value
    else if (value !== usual) lose(field)
  }
  if (request.temperature !== null && may) built.temperature = Math.min(request.temperature, mostTemperature)
  if (built.logprobs !== undefined) Object.assign(built, { logprobs: true, top_logprobs: request.logprobs || null })
  return built
}

function buildStop(stop: string[], facts: ModelFacts, lose: Lose): string[] | null {
  const kept = facts.takesStop ? stop.slice(0, MAX_STOPS) : []
  if (kept.length < stop.length) lose('stop')
  return kept.length === 0 ? null : kept
}

/** `auto` is what everyone does by himself, and not everyone knows the field. */
const buildTier = (tier: string | null) =>
  tier === 'auto' ? null : tier === 'standard_only' || tier === 'standard' ? 'default' : tier

function buildFormat(format: HubFormat, facts: ModelFacts, lose: Lose): Json {
  if (format.type === 'text') return { type: 'text' }
  if (format.type === 'json') return { type: 'json_object' }
  if (!facts.takesSchema) {
    lose('format')
    return { type: 'json_object' }
  }
  const { name, schema, description } = format
  const strict = format.strict === true && !isClosedSchema(schema) ? undefined : format.strict
  if (strict !== format.strict) lose('part:strict')
  const more = { ...(strict !== undefined && { strict }), ...(description !== undefined && { description }) }
  return { type: 'json_schema', json_schema: { name, schema, ...more } }
}

/** A JSON object is given only to those who ask for one in the prompt as well: without the word the request is refused. */
function withFormatTold({ format, messages }: HubRequest, facts: ModelFacts): HubMessage[] {
  if (format === null || format.type === 'text' || (format.type === 'schema' && facts.takesSchema)) return messages
  if (
    format.type === 'json' &&
    messages.some(({ parts }) => parts.some((p) => p.type === 'text' && /json/i.test(p.text)))
  )
    return messages
  const told: HubMessage = { role: 'system', parts: [{ type: 'text', text: formatInstructions(format)! }] }
  const first = messages.findIndex(({ role }) => role !== 'system' && role !== 'developer')
  const at = first === -1 ? messages.length : first
  return [...messages.slice(0, at), told, ...messages.slice(at)]
}
