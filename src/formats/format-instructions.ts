import type { Dialect } from './dialect.ts'
import type { HubFormat, HubMessage, HubRequest } from './hub.ts'
import type { ModelFacts } from './model-facts.ts'
import { withKeptStrict } from './strict-schema.ts'

/** What a model is told that keeps to no format by itself; null where there is nothing to tell. */
export function formatInstructions(format: HubFormat | null): string | null {
  if (format === null || format.type === 'text') return null
  if (format.type === 'json') return 'Answer with one JSON object and nothing else.'
  const about = format.description === undefined ? '' : ` (${format.description})`
  return `Answer with one JSON object and nothing else. It must keep to this JSON Schema${about}:\n${JSON.stringify(format.schema)}`
}

type Lose = Parameters<Dialect['buildRequest']>[2]

/** What a model can be held to of it: a JSON object, where it keeps to no schema. */
export function keptFormat(format: HubFormat, { takesSchema }: ModelFacts, lose: Lose): HubFormat {
  if (format.type !== 'schema') return format
  if (takesSchema) return withKeptStrict(format, format.schema, lose)
  lose('format')
  return { type: 'json' }
}

/** A JSON object is given only to those who ask for one in the prompt as well: without the word the request is refused. */
export function withFormatTold({ format, messages }: HubRequest, facts: ModelFacts): HubMessage[] {
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
