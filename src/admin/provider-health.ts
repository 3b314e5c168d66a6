import type { LaneState } from '../routing/live.ts'

/** `unused`: nothing was asked of it since the start. */
export type Health = 'up' | 'degraded' | 'down' | 'unused'
export type Doing = {
  health: Health
  /** Why it is not up, in a few words. */
  reason: string | null
  inFlight: number
  firstEventMs: number | null
  errorRate: number | null
}

const DEGRADED_ERRORS = 0.05

/** How a provider, or a part of it, does: by what this process knows of these lanes of it; `resting`: how many of its keys rest. */
export function healthOf(lanes: readonly LaneState[], resting: number): Doing {
  const measured = lanes.flatMap(({ firstEventMs }) => firstEventMs ?? [])
  const rates = lanes.flatMap(({ errorRate }) => errorRate ?? [])
  const errorRate = rates.length === 0 ? null : Math.max(...rates)
  const open = lanes.filter(({ breaker }) => breaker !== 'closed').length
  const [health, reason] = judge({ lanes: lanes.length, open, resting, errorRate })
  return {
    health,
    reason,
    inFlight: lanes.reduce((sum, { inFlight }) => sum + inFlight, 0),
    firstEventMs: measured.length === 0 ? null : Math.min(...measured),
    errorRate,
  }
}

type Signs = { lanes: number; open: number; resting: number; errorRate: number | null }

function judge({ lanes, open, resting, errorRate }: Signs): [Health, string | null] {
  if (lanes === 0) return ['unused', null]
  if (open === lanes) return ['down', 'breaker open']
  if (open > 0) return ['degraded', `breaker open for ${open} of ${lanes} models`]
  if (resting > 0) return ['degraded', resting === 1 ? 'one of its keys rests' : `${resting} of its keys rest`]
  if (errorRate !== null && errorRate > DEGRADED_ERRORS) return ['degraded', 'tries fail']
  return ['up', null]
}
