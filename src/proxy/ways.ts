import type { AppContext } from '../context.ts'
import type { Caller } from '../domain/token-index.ts'
import type { Routing } from '../routing/types.ts'
import { authorizeModel, authorizeNoModel } from './authenticate.ts'
import { modelInPath } from './endpoints.ts'
import type { Exchange } from './exchange.ts'
import { plausibleTokens } from './expected-tokens.ts'
import { featuresOf } from './features.ts'
import { direct, type Itinerary, planItinerary, type RuleFacts } from './itinerary.ts'
import { mustNameModel, otherModels } from './named-models.ts'
import { choiceOf, planMounted, type Target } from './plan.ts'
import { affordable } from './reserve.ts'

type Parts = Pick<AppContext, 'providers' | 'config' | 'catalogue' | 'live' | 'prices' | 'now'>
export type Ways = (routing: Routing, exchange: Exchange, caller: Caller, model: string | null) => Itinerary

/** Every way that a request may take, by its path or by its model. Throws what `planItinerary` throws. */
export function createWays(parts: Parts): Ways {
  const choice = choiceOf(parts)
  const map = {
    choice,
    live: parts.live,
    priceOf: (provider: string, model: string) => priceOf(parts, provider, model),
  }
  return (routing, exchange, caller, model) => {
    const { path, at } = exchange
    const itinerary =
      path.mount === null
        ? planItinerary(map, routing, caller, model, () => factsOf(exchange, caller))
        : direct(map, routing, caller, planMounted(choice, caller, path.mount, model))
    return affordable(parts.prices, caller, itinerary, at)
  }
}

function factsOf({ path, stream, body, req }: Exchange, { token, project }: Caller): RuleFacts {
  const json = body.kind === 'json' ? body.value : null
  return {
    endpoint: path.endpoint,
    projectId: project.id,
    projectName: project.name,
    tokenId: token.id,
    stream,
    metadata: token.metadata,
    headers: req.headers,
    // Four bytes a token are usual; what is held back for money counts on three.
    promptTokens: () => Math.round(plausibleTokens(body, false).input * 0.75),
    features: () => featuresOf(json),
  }
}

/** Nano-dollars of a million tokens, three of four of them input; null: nobody knows. */
function priceOf({ prices, now }: Parts, provider: string, model: string): number | null {
  const nanoUsd = prices.highest(provider, model, 750_000, 250_000, now())
  return nanoUsd === null ? null : Number(nanoUsd)
}

/** Besides `model`: what the address and the body name else, and whether they had to. What an upload says is read on its way. */
export function authorizeOtherModels(exchange: Exchange, caller: Caller, { provider }: Target): void {
  const { body, path } = exchange
  const inPath = modelInPath(path)
  const inBody = body.kind === 'json' && body.value !== null ? otherModels(body.value) : []
  const others = inPath === null || inPath === exchange.model ? inBody : [inPath, ...inBody]
  for (const model of others) authorizeModel(caller, [model, `${provider.name}:${model}`, `${provider.name}/${model}`])
  if (body.kind === 'stream') return
  if (exchange.model === null && others.length === 0 && mustNameModel(exchange)) authorizeNoModel(caller)
}
