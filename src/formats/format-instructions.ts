import type { HubFormat } from './hub.ts'

/** What a model is told that keeps to no format by itself; null where there is nothing to tell. */
export function formatInstructions(format: HubFormat | null): string | null {
  if (format?.type === 'json') return 'Answer with one JSON object and nothing else.'
  if (format?.type !== 'schema') return null
  return `Answer with one JSON object and nothing else. It must keep to this JSON Schema:\n${JSON.stringify(format.schema)}`
}
