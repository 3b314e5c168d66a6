import type { Dialect, Json } from '../dialect.ts'
import { formatInstructions } from '../format-instructions.ts'
import type { HubFormat, HubRequest, HubTool, HubToolChoice } from '../hub.ts'
import { boundedTokens, type ModelFacts } from '../model-facts.ts'
import { isRecord, withoutEmpty } from '../read.ts'
import { withToolNames } from '../tool-names.ts'
import { buildContents, buildSystem } from './build-contents.ts'
import { buildThinking } from './thinking.ts'
import { buildTier } from './tiers.ts'

type Lose = Parameters<Dialect['buildRequest']>[2]

/** `FunctionDeclaration.name` in content.proto of v1beta. */
const TOOL_NAME = /^[a-z_][\w:.-]{0,63}$/i
const MAX_STOPS = 5
const MAX_INT32 = 2 ** 31 - 1

/** Model and stream are no part of it: they stand in the address. */
export function buildRequest(given: HubRequest, facts: ModelFacts, lose: Lose): Json {
  const request = withToolNames(given, TOOL_NAME)
  const { messages, tools } = request
  loseWhatNobodyTakes(request, lose)
  const format = buildFormat(request, facts, lose)
  const config = {
    ...buildConfig(request, facts, lose),
    ...format.config,
    thinkingConfig: buildThinking(request, facts, lose),
  }
  const generationConfig = withoutEmpty(config)
  return withoutEmpty({
    contents: buildContents(messages, facts, lose),
    systemInstruction: buildSystem(messages, format.instructions),
    tools: tools.length === 0 ? null : [{ functionDeclarations: tools.map(buildTool) }],
    toolConfig: tools.length === 0 ? null : buildToolConfig(request),
    generationConfig: Object.keys(generationConfig).length === 0 ? null : generationConfig,
    serviceTier: chooseTier(request.serviceTier, lose),
  })
}

function loseWhatNobodyTakes(request: HubRequest, lose: Lose): void {
  for (const field of ['logitBias', 'user', 'metadata'] as const) if (request[field] !== null) lose(field)
  if (request.parallelToolCalls === false && request.tools.length > 0) lose('parallelToolCalls')
}

function buildConfig(request: HubRequest, facts: ModelFacts, lose: Lose): Json {
  const { temperature, logprobs, seed } = request
  const isSmall = seed === null || Math.abs(seed) <= MAX_INT32
  if (!isSmall) lose('seed')
  return {
    maxOutputTokens: boundedTokens(request.maxTokens, facts),
    temperature: temperature === null ? null : Math.min(2, Math.max(0, temperature)),
    topP: request.topP,
    topK: request.topK,
    stopSequences: buildStop(request.stop, lose),
    candidateCount: request.candidates,
    seed: isSmall ? seed : null,
    presencePenalty: request.presencePenalty,
    frequencyPenalty: request.frequencyPenalty,
    responseLogprobs: logprobs === null ? null : true,
    logprobs: logprobs || null,
  }
}

function buildStop(stop: string[], lose: Lose): string[] | null {
  const kept = stop.filter((sequence) => sequence !== '').slice(0, MAX_STOPS)
  if (kept.length < stop.length) lose('stop')
  return kept.length === 0 ? null : kept
}

function buildFormat({ format, tools }: HubRequest, facts: ModelFacts, lose: Lose) {
  if (format === null || format.type === 'text') return { config: {}, instructions: null }
  // Older models write JSON or call tools, not both.
  if (!facts.takesSchema || (tools.length > 0 && !facts.takesSchemaWithTools)) {
    lose('format')
    return { config: {}, instructions: formatInstructions(format) }
  }
  const responseMimeType = 'application/json'
  if (format.type === 'json') return { config: { responseMimeType }, instructions: null }
  return { config: { responseMimeType, responseJsonSchema: schemaOf(format) }, instructions: null }
}

const schemaOf = ({ schema, description }: HubFormat & { type: 'schema' }): Json =>
  description === undefined ? schema : { description, ...schema }

const buildTool = ({ name, description, parameters }: HubTool): Json => ({
  name,
  description: description ?? '',
  ...(parameters !== null && !isEmptySchema(parameters) && { parametersJsonSchema: { type: 'object', ...parameters } }),
})

/** An object without properties, which would be refused. */
const isEmptySchema = (schema: Json) =>
  Object.entries(schema).every(([name, value]) => SAYS_NOTHING.has(name) || value === false || isEmpty(value))
const SAYS_NOTHING = new Set(['type', 'title', 'description', '$schema'])
const isEmpty = (value: unknown) => (Array.isArray(value) || isRecord(value)) && Object.keys(value).length === 0

function buildToolConfig({ toolChoice, tools }: HubRequest): Json | null {
  const config = toolChoice === null || toolChoice.type === 'auto' ? keptTo(tools) : buildToolChoice(toolChoice)
  return config && { functionCallingConfig: config }
}

/** Calls that keep to their schemas have a mode of their own (recorded with 2.5 and newer). */
const keptTo = (tools: HubTool[]): Json | null =>
  tools.some(({ strict }) => strict === true) ? { mode: 'VALIDATED' } : null

function buildToolChoice(choice: HubToolChoice): Json {
  switch (choice.type) {
    case 'none':
      return { mode: 'NONE' }
    case 'required':
      return { mode: 'ANY' }
    case 'tools':
      return { mode: choice.required ? 'ANY' : 'VALIDATED', allowedFunctionNames: choice.names }
    default:
      return { mode: 'AUTO' }
  }
}

function chooseTier(tier: string | null, lose: Lose): string | null {
  if (tier === null || tier === 'auto') return null
  const built = buildTier(tier)
  if (built === null) lose('serviceTier')
  return built
}
