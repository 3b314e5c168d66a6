import type { Json } from '../dialect.ts'
import type { HubFormat, HubTool, HubToolChoice } from '../hub.ts'
import { forcedTool } from '../tool-choice.ts'

/* What a request asks for and an answer repeats, in the same words. */

/** What is left out would stand for strict here, and does not elsewhere. */
export const buildTool = ({ name, description, parameters, strict }: HubTool): Json => ({
  type: 'function',
  name,
  ...(description !== undefined && { description }),
  parameters,
  strict: strict ?? false,
})

export function buildToolChoice(choice: HubToolChoice): unknown {
  if (choice.type !== 'tools') return choice.type
  const tools = choice.names.map((name) => ({ type: 'function', name }))
  if (forcedTool(choice) !== null) return tools[0]
  return { type: 'allowed_tools', mode: choice.required ? 'required' : 'auto', tools }
}

export function buildFormat(format: HubFormat): Json {
  if (format.type === 'text') return { type: 'text' }
  if (format.type === 'json') return { type: 'json_object' }
  const { name, schema, strict, description } = format
  return {
    type: 'json_schema',
    name,
    ...(description !== undefined && { description }),
    schema,
    strict: strict ?? false,
  }
}
