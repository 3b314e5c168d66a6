import type { Exchange } from './exchange.ts'

/**
 * Models that a body names besides `model`: OpenRouter's list to fall back to, and those of a realtime session, for which a provider
 * hands out a key of its own. A token that is limited to some models must be asked about each.
 * Sources: OpenRouter's API reference (`models`); OpenAI's specification 2.3.0 (`RealtimeSessionCreateRequestGA`).
 */
export function otherModels(body: Record<string, unknown>): string[] {
  const found: unknown[] = Array.isArray(body.models) ? [...body.models] : []
  for (const holder of [body, body.session]) {
    if (!isRecord(holder)) continue
    if (holder !== body) found.push(holder.model)
    found.push(modelIn(holder.input_audio_transcription), modelIn(modelHolder(holder.audio)))
  }
  return found.filter((model) => typeof model === 'string')
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
const modelIn = (holder: unknown) => (isRecord(holder) ? holder.model : undefined)
const modelHolder = (audio: unknown) =>
  isRecord(audio) && isRecord(audio.input) ? audio.input.transcription : undefined

/** Requests that set no model to work by themselves: stores of data, and ends of what was begun. */
const HARMLESS =
  /^\/v1\/(?:files|uploads|vector_stores|conversations|containers|moderations)(?:\/|$)|\/cancel$|[/:]count_?tokens$/i

/** A request that makes a model work names it; one that does so by another name (a batch's file, an assistant) cannot be judged. */
export const mustNameModel = ({ method, path }: Pick<Exchange, 'method' | 'path'>): boolean =>
  (method === 'POST' || method === 'PUT' || method === 'PATCH') && !HARMLESS.test(path.api)

/** Makes a model work, and nothing is known of what that takes: WebSockets, batches, runs of assistants, fine-tuning. */
export const worksUncounted = (exchange: Pick<Exchange, 'method' | 'path' | 'endpoint' | 'res'>): boolean =>
  exchange.endpoint === null && (exchange.res === null || mustNameModel(exchange))

/** A form whose model stands inside one of its fields. */
export const hidesItsModel = (endpoint: string): boolean => endpoint === '/v1/realtime/calls'
