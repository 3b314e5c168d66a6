import type { AttemptRecord, LedgerRow } from '../../store/store.ts'

/** A bar on a scale of 1,000 units, which stand for the time of the whole request. */
export type Bar = { from: number; width: number }
export type Step = { attempt: AttemptRecord; startsMs: number; bar: Bar }
export type Waterfall = { steps: Step[]; totalMs: number; firstToken: number | null; restMs: number }

const UNITS = 1_000
/** Less would not be seen. */
const THINNEST = 4

/**
 * The tries of a request along its time. The ledger has their durations: tries follow one another, so each is drawn where the one
 * before ended. What is left of the time (`restMs`) was the gateway's own, pauses between tries among it.
 */
export function waterfallOf({ attempts, latencyMs, firstTokenMs }: LedgerRow): Waterfall {
  const busyMs = attempts.reduce((sum, { durationMs }) => sum + durationMs, 0)
  const totalMs = Math.max(latencyMs, busyMs, 1)
  const scale = (ms: number) => Math.round((ms / totalMs) * UNITS)
  let startsMs = 0
  const steps = attempts.map((attempt) => {
    const width = Math.max(THINNEST, scale(attempt.durationMs))
    const step = { attempt, startsMs, bar: { from: Math.min(scale(startsMs), UNITS - width), width } }
    startsMs += attempt.durationMs
    return step
  })
  return {
    steps,
    totalMs,
    firstToken: firstTokenMs === null ? null : Math.min(scale(firstTokenMs), UNITS),
    restMs: Math.max(0, latencyMs - busyMs),
  }
}
