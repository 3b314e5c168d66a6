import type { Caller } from '../domain/token-index.ts'
import { GatewayError } from '../errors.ts'
import type { ConfiguredProvider } from '../providers/index.ts'
import type { Live } from '../routing/live.ts'
import { findRoute } from '../routing/match-route.ts'
import type { Recovery, Route, Routing, Timeouts } from '../routing/types.ts'
import { authorizeModel } from './authenticate.ts'
import { hasKey } from './locate.ts'
import { type Choice, keysOf, plan, type Target } from './plan.ts'

/** Where a request may go, in the order in which it is tried. Never empty. */
export type Itinerary = {
  /** One for each key of each step; those of one step stand together. */
  stops: readonly Stop[]
  /** The route that led here; null: the model named its provider itself. */
  route: Route | null
  maxRetries: number
  recovery: Recovery
}

/** `step`: of the route, counted from 0 in the order of trying. */
export type Stop = Target & { step: number }

type Parts = { choice: Choice; live: Live; priceOf(provider: string, model: string): number | null }

/**
 * All the ways that a request for `model` may take for this caller: the targets of the route that has this name, each with all keys
 * that he has for its provider, else the one place where the model is. A route stands for the model that it is asked by, so it is that
 * name an allow-list is asked about. Throws what `plan` throws.
 */
export function planItinerary(parts: Parts, routing: Routing, caller: Caller, model: string | null): Itinerary {
  const { choice } = parts
  const route = model === null ? null : findRoute(routing.routes, model)
  if (route === null) return direct(parts, routing, caller, plan(choice, caller, model))
  authorizeModel(caller, [model!])
  const steps = route.targets.flatMap((target) => {
    const provider = choice.providers.get(target.provider)
    if (!provider || !hasKey(caller, provider)) return []
    const timeouts = { ...routing.timeouts, ...route.timeouts, ...target.timeouts }
    return [{ provider, model: target.model ?? model!, weight: target.weight, timeouts }]
  })
  if (steps.length === 0) throw noKey(route, model!)
  const ordered = parts.live.order(
    route.strategy,
    route.pattern,
    steps,
    (step) => ({ provider: step.provider.name, keyId: keyIdOf(caller, step.provider), model: step.model }),
    (step) => parts.priceOf(step.provider.name, step.model),
  )
  return {
    stops: ordered.flatMap((step, index) => stopsOf(parts, caller, step, index)),
    route,
    maxRetries: route.maxRetries ?? routing.retry.maxRetries,
    recovery: route.recovery ?? routing.stream.recovery,
  }
}

/** To the place that is known already, with the key that was chosen first. */
export function direct({ choice, live }: Parts, routing: Routing, caller: Caller, target: Target): Itinerary {
  const { provider, model } = target
  const keys = keysOf(choice, caller, provider)
  const stops =
    keys.length === 1
      ? [{ ...target, step: 0 }]
      : stopsOf({ choice, live }, caller, { provider, model, timeouts: routing.timeouts }, 0)
  return { stops, route: null, maxRetries: routing.retry.maxRetries, recovery: routing.stream.recovery }
}

type Step = { provider: ConfiguredProvider; model: string | null; timeouts: Timeouts }

function stopsOf(
  { choice, live }: Pick<Parts, 'choice' | 'live'>,
  caller: Caller,
  { provider, model, timeouts }: Step,
  step: number,
): Stop[] {
  const isFit = ({ keyId }: { keyId: string }) => live.benchedUntil(provider.name, keyId) === null
  const keys = keysOf(choice, caller, provider)
  const stops = keys.map(({ id, secret }) => ({ provider, model, key: secret, keyId: id, timeouts, step }))
  return [...stops.filter(isFit), ...stops.filter((stop) => !isFit(stop))]
}

const keyIdOf = (caller: Caller, { name }: ConfiguredProvider) =>
  caller.keys.find(({ provider }) => provider === name)?.id ?? 'shared'

function noKey({ pattern, targets }: Route, model: string): GatewayError {
  const names = [...new Set(targets.map(({ provider }) => provider))].join(', ')
  return new GatewayError('model_not_found', {
    message: `The model \`${model}\` cannot be served: the route \`${pattern}\` leads to ${names}, and there is no key for any of them.`,
    param: 'model',
  })
}
