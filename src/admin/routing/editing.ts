import type { PresentedRoute } from '../../domain/routes.ts'
import { RECOVERIES, STRATEGIES, type Timeouts } from '../../routing/types.ts'
import type { Visit } from '../frame/visit.ts'
import { rowsOf, TIME_LIMITS, valuesOf } from './route-form.ts'
import { RECOVERY_WORDS, STRATEGY_WORDS } from './words.ts'

type Choice = [value: string, label: string]

/** What the form for a route shows. */
export type Editing = {
  route: PresentedRoute | null
  /** By the names of fields. */
  values: Record<string, string>
  rows: number[]
  providers: Choice[]
  strategies: Choice[]
  recoveries: Choice[]
  timeLimits: { field: string; label: string; usual: number }[]
  usualRetries: number
}

/** What domain functions for routes work with. */
export const placeOf = ({ ctx, parts }: Visit) => ({ ...parts, fileRoutes: () => ctx.routing.ofFile().routes })

export function edit({ ctx, parts, query, failure }: Visit, route: PresentedRoute | null): Editing {
  const { retry, stream, timeouts } = ctx.routing.ofFile()
  const usual = (name: keyof Timeouts) => timeouts[name]
  const withKey = new Set(ctx.providers.list().flatMap(({ name, sharedKey }) => (sharedKey === null ? [] : name)))
  return {
    route,
    values: route === null ? { pattern: query.text('pattern').slice(0, 200) } : valuesOf(route),
    rows: rowsOf(route, failure),
    providers: [
      ['', 'none'],
      ...parts.providerNames.map(
        (name): Choice => [name, withKey.has(name) ? name : `${name} (no key of the operator)`],
      ),
    ],
    strategies: STRATEGIES.map((name) => [name, `${name}: ${STRATEGY_WORDS[name]}`]),
    recoveries: [
      ['', `as usual (${stream.recovery})`],
      ...RECOVERIES.map((name): Choice => [name, `${name}: it ${RECOVERY_WORDS[name]}`]),
    ],
    timeLimits: TIME_LIMITS.map(([field, name, label]) => ({ field, label, usual: usual(name) })),
    usualRetries: retry.maxRetries,
  }
}
