import type { HubFormat } from './hub.ts'

/** Tells a model of the format of its answer, where it does not keep to it by itself. */
export function toldFormat(format: HubFormat): string | null {
  if (format.type === 'text') return null
  if (format.type === 'json') return 'Answer with one JSON object and nothing else.'
  const about = format.description === undefined ? '' : ` (${format.description})`
  return `Answer with one JSON object and nothing else. It must keep to this JSON Schema${about}:\n${JSON.stringify(format.schema)}`
}
