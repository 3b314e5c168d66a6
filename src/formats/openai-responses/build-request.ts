import { withCallIds } from '../call-ids.ts'
import type { Dialect, Json } from '../dialect.ts'
import { askedEffort, effortFor, maySample } from '../effort.ts'
import { keptFormat, withFormatTold } from '../format-instructions.ts'
import type { HubRequest } from '../hub.ts'
import { boundedTokens, type ModelFacts } from '../model-facts.ts'
import { askedTier } from '../openai-tiers.ts'
import { withoutEmpty } from '../read.ts'
import { withKeptStrict } from '../strict-schema.ts'
import { isForced } from '../tool-choice.ts'
import { withToolNames } from '../tool-names.ts'
import { shortUserId } from '../user-id.ts'
import { buildInput } from './build-input.ts'
import { buildFormat, buildTool, buildToolChoice } from './build-settings.ts'

type Lose = Parameters<Dialect['buildRequest']>[2]

/** What is asked for is kept nowhere, and thoughts come sealed, so that any client can go on with the conversation. */
export function buildRequest(given: HubRequest, facts: ModelFacts, lose: Lose): Json {
  const request = withToolNames(given)
  const { tools, format } = request
  loseWhatNobodyTakes(request, lose)
  const maxTokens = boundedTokens(request.maxTokens, facts)
  const { include, ...sampling } = buildSampling(request, facts, lose)
  return withoutEmpty({
    model: request.model,
    input: buildInput(withCallIds(withFormatTold(request, facts), facts), lose),
    ...(request.stream && { stream: true }),
    store: false,
    include: buildInclude(facts, include),
    tools: tools.length === 0 ? null : tools.map((tool) => buildTool(withKeptStrict(tool, tool.parameters, lose))),
    tool_choice: chooseTool(request, facts, lose),
    parallel_tool_calls: tools.length === 0 || !facts.takesParallel ? null : request.parallelToolCalls,
    max_output_tokens: maxTokens === null ? null : Math.max(maxTokens, LEAST_TOKENS),
    ...sampling,
    text: format && { format: buildFormat(keptFormat(format, facts, lose)) },
    reasoning: buildReasoning(request, facts, lose),
    safety_identifier: request.user && shortUserId(request.user, MAX_USER),
    metadata: request.metadata,
    service_tier: askedTier(request.serviceTier),
  })
}

/** Wire facts 2.7. */
const MAX_USER = 64
/** `Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16` (github.com/vectorize-io/hindsight/issues/58). */
const LEAST_TOKENS = 16

function loseWhatNobodyTakes(request: HubRequest, lose: Lose): void {
  if (request.candidates !== null && request.candidates > 1) lose('candidates')
  if (request.stop.length > 0) lose('stop')
  for (const field of ['topK', 'seed', 'presencePenalty', 'frequencyPenalty', 'logitBias'] as const)
    if (request[field] !== null && request[field] !== 0) lose(field)
}

/** There is nothing to choose among no tools, and a choice of one is refused. */
function chooseTool({ tools, toolChoice }: HubRequest, facts: ModelFacts, lose: Lose): unknown {
  if (toolChoice === null) return null
  const mayForce = tools.length > 0 && facts.takesForcedTool
  if (!isForced(toolChoice) || mayForce) return tools.length === 0 ? null : buildToolChoice(toolChoice)
  lose('toolChoice')
  return null
}

function buildSampling({ temperature, topP, logprobs, reasoning }: HubRequest, facts: ModelFacts, lose: Lose) {
  if (maySample(facts, askedEffort(reasoning)))
    return {
      temperature,
      top_p: topP,
      top_logprobs: logprobs,
      include: logprobs === null ? [] : ['message.output_text.logprobs'],
    }
  if (temperature !== null && temperature !== 1) lose('temperature')
  if (topP !== null && topP !== 1) lose('topP')
  if (logprobs !== null) lose('logprobs')
  return { include: [] }
}

/** A model that does not reason refuses to seal (`Encrypted content is not supported with this model`, pydantic-ai/issues/2865). */
function buildInclude(facts: ModelFacts, more: string[]): string[] | null {
  const include = [...(facts.reasons !== null ? ['reasoning.encrypted_content'] : []), ...more]
  return include.length === 0 ? null : include
}

function buildReasoning({ reasoning }: HubRequest, facts: ModelFacts, lose: Lose): Json | null {
  const built = withoutEmpty({
    effort: effortFor(reasoning, facts, lose),
    // Some accounts may not have summaries: nobody gets one who has not asked.
    summary: reasoning?.shown === true ? 'auto' : null,
  })
  return Object.keys(built).length === 0 ? null : built
}
