import type { Dialect, Json, RequestPlace } from './dialect.ts'
import type { HubField, HubRequest } from './hub.ts'
import { factsOf, type ModelFacts } from './model-facts.ts'
import { refuse } from './read.ts'
import { sealsFor } from './sealers.ts'

export type TranslatedRequest = {
  /** As the client meant it. */
  request: HubRequest
  /** For the provider. */
  body: Json
  /** What could not be carried, by the client's own names, each once. */
  dropped: string[]
}

type Route = { from: Dialect; to: Dialect }
/** `provider`: its name, by which its seals are known. `model`: as the provider knows it. `facts`: of the model there, where they are not those of its family. `streamUsage`: the provider reports usage of a stream only when it is asked to. */
type Target = { provider?: string; model: string; facts?: ModelFacts; streamUsage: boolean }

/** Throws `invalid_request`. */
export function translateRequest(route: Route, body: Json, place: RequestPlace, target: Target): TranslatedRequest {
  try {
    return translate(route, body, place, target)
  } catch (error) {
    // What JSON.parse takes JSON.stringify may not.
    if (error instanceof RangeError) refuse('messages', 'is nested too deeply')
    throw error
  }
}

function translate({ from, to }: Route, body: Json, place: RequestPlace, target: Target): TranslatedRequest {
  const request = from.parseRequest(body, place)
  const dropped = new Set(request.unknown)
  const lose = (what: HubField | `part:${string}`) => {
    dropped.add(what.startsWith('part:') ? what.slice('part:'.length) : from.fieldNames[what as HubField])
  }
  const facts = target.facts ?? factsOf(target.model)
  const messages = target.provider === undefined ? request.messages : sealsFor(request.messages, target.provider)
  const meant = { ...request, messages, model: target.model, streamUsage: target.streamUsage }
  const asked = withoutRefused(meant, facts, lose)
  return { request, body: to.buildRequest(asked, facts, lose), dropped: [...dropped] }
}

/** Without the fields that would be answered with an error. */
function withoutRefused(request: HubRequest, { refuses }: ModelFacts, lose: (field: HubField) => void): HubRequest {
  const refused = refuses.filter((field) => request[field] !== null)
  if (refused.length === 0) return request
  for (const field of refused) lose(field)
  return { ...request, ...Object.fromEntries(refused.map((field) => [field, null])) }
}
