import type { Dialect, Json } from '../dialect.ts'
import { askedEffort, effortFor, maySample } from '../effort.ts'
import { keptFormat, withFormatTold } from '../format-instructions.ts'
import type { HubEffort, HubField, HubFormat, HubRequest } from '../hub.ts'
import { boundedTokens, type ModelFacts } from '../model-facts.ts'
import { askedTier } from '../openai-tiers.ts'
import { withoutEmpty } from '../read.ts'
import { withKeptStrict } from '../strict-schema.ts'
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
    tools:
      tools.length === 0 ? null : tools.map((tool) => buildTool(withKeptStrict(tool, tool.parameters, lose), facts)),
    tool_choice: buildToolChoice(request, tools, facts, lose),
    // Without tools some refuse it.
    parallel_tool_calls: tools.length === 0 || !facts.takesParallel ? null : request.parallelToolCalls,
    [facts.countsReasoning ? 'max_completion_tokens' : 'max_tokens']: boundedTokens(request.maxTokens, facts),
    ...buildSampling(request, facts, maySample(facts, effort), lose),
    stop: buildStop(request.stop, facts, lose),
    [facts.seedName]: request.seed,
    n: request.candidates,
    response_format: request.format && buildFormat(keptFormat(request.format, facts, lose)),
    reasoning_effort: effort,
    thinking: buildThinking(request, facts),
    user: request.user && shortUserId(request.user, MAX_USER),
    metadata: request.metadata,
    service_tier: askedTier(request.serviceTier),
  })
}

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

function buildFormat(format: HubFormat): Json {
  if (format.type === 'text') return { type: 'text' }
  if (format.type === 'json') return { type: 'json_object' }
  const { name, schema, strict, description } = format
  const more = { ...(strict !== undefined && { strict }), ...(description !== undefined && { description }) }
  return { type: 'json_schema', json_schema: { name, schema, ...more } }
}
