import type { Dialect, Json } from '../../../src/formats/dialect.ts'
import type { HubAnswer, HubEvent, HubRequest } from '../../../src/formats/hub.ts'
import type { Usage } from '../../../src/store/store.ts'
import { hubRequest } from '../samples.ts'

/** What an answer means, whatever dialect it came in: of its first candidate. */
export type Projection = {
  text: string
  thought: string
  calls: { name: string; arguments: unknown }[]
  finish: string | null
  usage: Pick<Usage, 'inputTokens' | 'outputTokens' | 'cachedTokens'> | null
}

const counted = (usage: Usage | null) =>
  usage && { inputTokens: usage.inputTokens, outputTokens: usage.outputTokens, cachedTokens: usage.cachedTokens }

export function projectAnswer({ candidates: [first], usage }: HubAnswer): Projection {
  const parts = first?.parts ?? []
  return {
    text: parts.map((part) => (part.type === 'text' || part.type === 'refusal' ? part.text : '')).join(''),
    thought: parts.map((part) => (part.type === 'reasoning' ? part.text : '')).join(''),
    calls: parts.flatMap((part) =>
      part.type === 'tool_call' ? [{ name: part.name, arguments: JSON.parse(part.arguments || '{}') }] : [],
    ),
    finish: first?.finish ?? null,
    usage: counted(usage),
  }
}

export function projectEvents(events: HubEvent[]): Projection {
  const calls: { name: string; json: string }[] = []
  const projection: Projection = { text: '', thought: '', calls: [], finish: null, usage: null }
  for (const event of events) {
    if ('choice' in event && event.choice !== 0) continue
    if (event.type === 'text' || event.type === 'refusal') projection.text += event.text
    else if (event.type === 'reasoning') projection.thought += event.text
    else if (event.type === 'tool_call') calls[event.call] = { name: event.name, json: '' }
    else if (event.type === 'arguments') calls[event.call]!.json += event.json
    else if (event.type === 'finish') projection.finish = event.reason
    else if (event.type === 'usage') projection.usage = counted(event.usage)
  }
  projection.calls = calls.map(({ name, json }) => ({ name, arguments: JSON.parse(json || '{}') }))
  return projection
}

/** All that a stream of these events means to the hub. */
export function eventsOf(dialect: Dialect, chunks: (Json | '[DONE]')[], names: (string | null)[] = []): HubEvent[] {
  const parser = dialect.createStreamParser()
  return [...chunks.flatMap((chunk, index) => parser.push(chunk, names[index] ?? null)), ...parser.end()]
}

/** The events of a stream's text: their `event:` and their data, as a client reads them. */
export function readSse(text: string): { names: (string | null)[]; chunks: (Json | '[DONE]')[]; rest: string } {
  const blocks = text.split(/\r\n\r\n|\n\n/)
  const rest = blocks.pop()!
  const names: (string | null)[] = []
  const chunks: (Json | '[DONE]')[] = []
  for (const block of blocks) {
    const lines = block.split(/\r?\n/)
    const data = lines.filter((line) => line.startsWith('data: ')).map((line) => line.slice(6))
    if (data.length === 0) continue
    names.push(lines.find((line) => line.startsWith('event: '))?.slice(7) ?? null)
    chunks.push(data[0] === '[DONE]' ? '[DONE]' : (JSON.parse(data.join('\n')) as Json))
  }
  return { names, chunks, rest }
}

export const aRequest = (given: Partial<HubRequest> = {}): HubRequest =>
  hubRequest({ model: 'gemini-2.5-flash', ...given })
