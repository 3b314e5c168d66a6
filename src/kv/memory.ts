import type { Grant, Kv, LimitCheck, LimitState, Refusal } from './kv.ts'
import { RateWindow } from './rate-window.ts'

/** So many keys at most; idle ones are dropped first, and busy ones only exist while requests run. */
const MAX_KEYS = 200_000

type Entry = { running: number; window: RateWindow | null }
type Held = { entry: Entry; check: LimitCheck; slot: number }[]

/**
 * Limits of one process. `monotonicMs` must never run backwards, whatever the wall clock does.
 * Bounded: past `maxKeys` distinct keys the idle ones are dropped; if none is idle, new keys are refused.
 */
export function createMemoryKv(monotonicMs: () => number = () => performance.now(), maxKeys = MAX_KEYS): Kv {
  const entries = new Map<string, Entry>()
  let sweepAt = 1024

  const entryOf = (check: LimitCheck): Entry | null => {
    const found = entries.get(check.key)
    if (found) return found
    if (entries.size >= sweepAt) sweep()
    if (entries.size >= maxKeys) return null
    const entry: Entry = { running: 0, window: check.kind === 'rate' ? new RateWindow(check.windowMs) : null }
    entries.set(check.key, entry)
    return entry
  }

  const sweep = () => {
    const now = monotonicMs()
    for (const [key, entry] of entries) {
      if (entry.running === 0 && (entry.window?.total(now) ?? 0) === 0) entries.delete(key)
    }
    // The next sweep is due when the number has doubled: its cost is spread over as many insertions.
    sweepAt = Math.min(Math.max(1024, entries.size * 2), maxKeys)
  }

  return {
    acquire(checks) {
      const now = monotonicMs()
      const held: Held = []
      for (const check of checks) {
        const entry = entryOf(check)
        if (entry === null) return refuse(check, checks, entries, now, 1000)
        if (usedOf(entry, now) + amountOf(check) > check.limit) {
          const wait = check.kind === 'rate' ? entry.window!.waitMs(check.amount, check.limit, now) : 1000
          return refuse(check, checks, entries, now, wait)
        }
        held.push({ entry, check, slot: 0 })
      }
      // Nothing above waits, so nobody can have come between the checks and this.
      for (const hold of held) {
        if (hold.check.kind === 'rate') hold.slot = hold.entry.window!.add(hold.check.amount, now)
        else hold.entry.running++
      }
      return { ok: true, states: statesOf(checks, entries, now), held }
    },

    release(grant: Grant, used) {
      const held = grant.held as Held
      for (const { entry, check, slot } of held) {
        if (check.kind === 'concurrency') entry.running--
        else if (used && check.what === 'tokens') entry.window!.correct(slot, used.tokens - check.amount, monotonicMs())
      }
      held.length = 0
    },
  }
}

const amountOf = (check: LimitCheck) => (check.kind === 'rate' ? check.amount : 1)
const usedOf = (entry: Entry, now: number) => entry.window?.total(now) ?? entry.running

function statesOf(checks: readonly LimitCheck[], entries: Map<string, Entry>, now: number): LimitState[] {
  return checks.map((check) => {
    const entry = entries.get(check.key)
    const used = entry ? usedOf(entry, now) : 0
    const resetMs = entry?.window?.resetMs(now) ?? 0
    return { what: check.what, limit: check.limit, remaining: Math.max(0, check.limit - used), resetMs }
  })
}

function refuse(
  refused: LimitCheck,
  checks: readonly LimitCheck[],
  entries: Map<string, Entry>,
  now: number,
  retryAfterMs: number | null,
): Refusal {
  return { ok: false, refused, states: statesOf(checks, entries, now), retryAfterMs }
}
