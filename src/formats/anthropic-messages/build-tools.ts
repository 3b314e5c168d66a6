import type { Dialect, Json } from '../dialect.ts'
import type { HubRequest, HubTool, HubToolChoice } from '../hub.ts'
import type { ModelFacts } from '../model-facts.ts'
import { toStrictSchema } from '../strict-schema.ts'
import { forcedTool, isForced, offeredTools } from '../tool-choice.ts'
import { writeCache } from './cache.ts'

type Lose = Parameters<Dialect['buildRequest']>[2]

export function buildTools(request: HubRequest, facts: ModelFacts, lose: Lose): Json {
  const tools = offeredTools(request)
  if (tools.length === 0) {
    if (isForced(request.toolChoice)) lose('toolChoice')
    return {}
  }
  const choice = request.toolChoice && buildToolChoice(request.toolChoice, facts, lose)
  // It has no place but in a choice.
  const isOneByOne = request.parallelToolCalls === false && choice?.type !== 'none'
  return {
    tools: tools.map((tool) => buildTool(tool, facts)),
    tool_choice: isOneByOne ? { ...(choice ?? { type: 'auto' }), disable_parallel_tool_use: true } : choice,
  }
}

function buildToolChoice(choice: HubToolChoice, facts: ModelFacts, lose: Lose): Json {
  if (!isForced(choice)) return { type: choice.type === 'none' ? 'none' : 'auto' }
  if (!facts.takesForcedTool) {
    lose('toolChoice')
    return { type: 'auto' }
  }
  const forced = forcedTool(choice)
  return forced === null ? { type: 'any' } : { type: 'tool', name: forced }
}

function buildTool({ name, description, parameters, strict, cache }: HubTool, facts: ModelFacts): Json {
  const schema = { properties: {}, ...parameters, type: 'object' }
  const isStrict = strict === true && facts.takesSchema
  return {
    name,
    ...(description !== undefined && { description }),
    input_schema: isStrict ? toStrictSchema(schema) : schema,
    ...(isStrict && { strict: true }),
    ...writeCache(cache),
  }
}
