import type { Caller } from '../domain/token-index.ts'
import { GatewayError } from '../errors.ts'
import type { Live } from '../routing/live.ts'
import { findRoute } from '../routing/match-route.ts'
import { findRule, type RequestFacts } from '../routing/match-rule.ts'
import { pickKey } from '../routing/pick-key.ts'
import type { KeyPolicy, Recovery, Route, Routing, Rule } from '../routing/types.ts'
import { authorizeModel } from './authenticate.ts'
import { hasKey } from './locate.ts'
import { type Choice, keysOf, plan, type Target } from './plan.ts'

/** Where a request may go, in the order in which it is tried. Never empty. */
export type Itinerary = {
  /** One for each key of each step; those of one step stand together. */
  stops: readonly Stop[]
  /** The route that led here; null: the model named its provider itself. */
  route: Route | null
  /** The name of the rule that led here. */
  rule: string | null
  maxRetries: number
  recovery: Recovery
}

/** `step`: of the route, counted from 0 in the order of trying. */
export type Stop = Target & { step: number }

type Parts = { choice: Choice; live: Live; priceOf(provider: string, model: string): number | null }

/** What rules ask of a request besides its model. */
export type RuleFacts = Omit<RequestFacts, 'model'>

/**
 * All the ways that a request for `model` may take for this caller: what the first rule that fits says, else the targets of the route
 * that has this name, each with all keys that he has for its provider, else the one place where the model is. A route stands for the
 * model that it is asked by, so it is that name an allow-list is asked about. Throws what `plan` throws.
 */
export function planItinerary(
  parts: Parts,
  routing: Routing,
  caller: Caller,
  model: string | null,
  facts: () => RuleFacts,
): Itinerary {
  const { choice } = parts
  const rule = model === null || routing.rules.length === 0 ? null : ruleFor(routing, model, facts())
  const route = rule ? routeOf(routing, rule) : model === null ? null : findRoute(routing.routes, model)
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
    (step) => ({
      provider: step.provider.name,
      keyId: pickKey(parts.live, routing.keys, keysOf(caller, step.provider))[0]!.id,
      model: step.model,
    }),
    (step) => parts.priceOf(step.provider.name, step.model),
  )
  return {
    stops: ordered.flatMap((step, index) => stopsOf(parts.live, routing.keys, caller, step, index)),
    route,
    rule: rule?.name ?? null,
    maxRetries: route.maxRetries ?? routing.retry.maxRetries,
    recovery: route.recovery ?? routing.stream.recovery,
  }
}

/** To the place that is known already, with the key that was chosen first. */
export function direct({ live }: Pick<Parts, 'live'>, routing: Routing, caller: Caller, target: Target): Itinerary {
  const { provider, model } = target
  const { keys, retry, stream } = routing
  const isOnlyKey = keysOf(caller, provider).length === 1
  const { timeouts } = routing
  const stops = isOnlyKey
    ? [{ ...target, timeouts, step: 0 }]
    : stopsOf(live, keys, caller, { provider, model, timeouts }, 0)
  return { stops, route: null, rule: null, maxRetries: retry.maxRetries, recovery: stream.recovery }
}

const ruleFor = ({ rules }: Routing, model: string, facts: RuleFacts) =>
  findRule(rules, { ...facts, model }, Math.random)

/** One that sends to a provider is a route with one target. */
function routeOf({ routes }: Routing, { name, route, provider, model }: Rule): Route | null {
  if (route !== null) return findRoute(routes, route)
  const targets = [{ provider: provider!, model, weight: 1, timeouts: null }]
  const rest = { timeouts: null, maxRetries: null, recovery: null, routesAroundRefusals: false }
  return { pattern: name, origin: 'file', id: null, strategy: 'fallback', targets, ...rest }
}

/** To this account and no other. */
export const alone = ({ retry, timeouts }: Routing, target: Target): Itinerary => ({
  stops: [{ ...target, timeouts, step: 0 }],
  route: null,
  rule: null,
  maxRetries: retry.maxRetries,
  recovery: 'off',
})

type Step = Pick<Target, 'provider' | 'model' | 'timeouts'>

/** One for each key, in the order of trying. */
const stopsOf = (live: Live, policy: KeyPolicy, caller: Caller, step: Step, index: number): Stop[] =>
  pickKey(live, policy, keysOf(caller, step.provider)).map(({ id, secret }) => ({
    ...step,
    key: secret,
    keyId: id,
    step: index,
  }))

function noKey({ pattern, targets }: Route, model: string): GatewayError {
  const names = [...new Set(targets.map(({ provider }) => provider))].join(', ')
  return new GatewayError('model_not_found', {
    message: `The model \`${model}\` cannot be served: the route \`${pattern}\` leads to ${names}, and there is no key for any of them.`,
    param: 'model',
  })
}
