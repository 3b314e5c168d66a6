import type { HubFormat } from './hub.ts'

/** What a model is told that keeps to no format by itself; null where there is nothing to tell. */
export function formatInstructions(format: HubFormat | null): string | null {
  if (format === null || format.type === 'text') return null
  if (format.type === 'json') return 'Answer with one JSON object and nothing else.'
  const about = format.description === undefined ? '' : ` (${format.description})`
  return `Answer with one JSON object and nothing else. It must keep to this JSON Schema${about}:\n${JSON.stringify(format.schema)}`
}
