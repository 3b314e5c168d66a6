import type { Dialect, Json } from '../dialect.ts'
import type { HubRequest, HubTool } from '../hub.ts'
import type { ModelFacts } from '../model-facts.ts'
import { forcedTool, isForced } from '../tool-choice.ts'
import { writeCache } from './extensions.ts'

type Lose = Parameters<Dialect['buildRequest']>[2]

export function buildTool({ name, description, parameters, strict, cache }: HubTool, facts: ModelFacts): Json {
  return {
    type: 'function',
    function: {
      name,
      ...(description !== undefined && { description }),
      ...(parameters !== null && { parameters }),
      ...(strict !== undefined && { strict }),
    },
    ...(cache && facts.takesCacheMarks && { cache_control: writeCache(cache) }),
  }
}

/** `tools`: those that are offered. */
export function buildToolChoice({ toolChoice }: HubRequest, tools: HubTool[], facts: ModelFacts, lose: Lose): unknown {
  if (toolChoice === null) return null
  if (tools.length === 0) {
    if (isForced(toolChoice)) lose('toolChoice')
    return null
  }
  if (isForced(toolChoice) && !facts.takesForcedTool) {
    lose('toolChoice')
    return 'auto'
  }
  const forced = forcedTool(toolChoice)
  if (forced !== null) return { type: 'function', function: { name: forced } }
  return toolChoice.type === 'tools' ? (toolChoice.required ? 'required' : 'auto') : toolChoice.type
}
