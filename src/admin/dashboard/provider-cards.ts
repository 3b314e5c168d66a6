import type { AppContext } from '../../context.ts'
import { NO_KEY } from '../../providers/index.ts'

/** `unused`: it has a key, and nothing was asked of it since the start. */
export type Health = 'up' | 'degraded' | 'down' | 'unused'
export type Card = {
  name: string
  health: Health
  /** Why it is not up, in a few words. */
  reason: string | null
  inFlight: number
  firstEventMs: number | null
  errorRate: number | null
}

const DEGRADED_ERRORS = 0.05

/** Of each provider that can be asked: how it does, by what this process knows of its keys and models. */
export function providerCards({ providers, live }: Pick<AppContext, 'providers' | 'live'>): Card[] {
  const lanes = Map.groupBy(live.snapshot(), ({ provider }) => provider)
  const benches = Map.groupBy(live.benches(), ({ provider }) => provider)
  return providers
    .list()
    .filter(({ name, sharedKey }) => (sharedKey !== null && sharedKey !== NO_KEY) || lanes.has(name))
    .map(({ name }) => {
      const ofProvider = lanes.get(name) ?? []
      const open = ofProvider.filter(({ breaker }) => breaker !== 'closed')
      const resting = benches.get(name) ?? []
      const measured = ofProvider.flatMap(({ firstEventMs }) => firstEventMs ?? [])
      const rates = ofProvider.flatMap(({ errorRate }) => errorRate ?? [])
      const errorRate = rates.length === 0 ? null : Math.max(...rates)
      const [health, reason] = judge({
        lanes: ofProvider.length,
        open: open.length,
        resting: resting.length,
        errorRate,
      })
      return {
        name,
        health,
        reason,
        inFlight: ofProvider.reduce((sum, { inFlight }) => sum + inFlight, 0),
        firstEventMs: measured.length === 0 ? null : Math.min(...measured),
        errorRate,
      }
    })
}

type Signs = { lanes: number; open: number; resting: number; errorRate: number | null }

function judge({ lanes, open, resting, errorRate }: Signs): [Health, string | null] {
  if (lanes === 0) return ['unused', null]
  if (open === lanes) return ['down', 'breaker open']
  if (open > 0) return ['degraded', `breaker open for ${open} of ${lanes} models`]
  if (resting > 0) return ['degraded', `${resting} of its keys rest`]
  if (errorRate !== null && errorRate > DEGRADED_ERRORS) return ['degraded', 'tries fail']
  return ['up', null]
}
