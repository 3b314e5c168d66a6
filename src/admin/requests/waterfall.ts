import type { AttemptRecord, LedgerRow } from '../../store/store.ts'

/** A bar on a scale of 1,000 units, which stand for the time of the whole request. */
export type Bar = { from: number; width: number }
export type Step = { attempt: AttemptRecord; startsMs: number; bar: Bar }
export type Waterfall = { steps: Step[]; totalMs: number; firstToken: number | null; restMs: number }

const UNITS = 1_000
/** Less would not be seen. */
const THINNEST = 4

/**
 * The tries of a request along its time. The ledger has their durations, the last of them up to the end of the answer. What is left
 * of the time (`restMs`) was the gateway's own: before a single try, and between several, where the pauses are drawn alike.
 */
export function waterfallOf({ attempts, latencyMs, firstTokenMs }: LedgerRow): Waterfall {
  const busyMs = attempts.reduce((sum, { durationMs }) => sum + durationMs, 0)
  const totalMs = Math.max(latencyMs, busyMs, 1)
  const restMs = totalMs - busyMs
  const pauseMs = attempts.length > 1 ? restMs / (attempts.length - 1) : 0
  const scale = (ms: number) => Math.round((ms / totalMs) * UNITS)
  let startsMs = attempts.length > 1 ? 0 : restMs
  const steps = attempts.map((attempt) => {
    const width = Math.max(THINNEST, scale(attempt.durationMs))
    const step = { attempt, startsMs, bar: { from: Math.min(scale(startsMs), UNITS - width), width } }
    startsMs += attempt.durationMs + pauseMs
    return step
  })
  return { steps, totalMs, firstToken: firstTokenMs === null ? null : Math.min(scale(firstTokenMs), UNITS), restMs }
}
