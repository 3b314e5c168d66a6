import type { Grant, Kv, LimitCheck, LimitState, Refusal } from './kv.ts'
import { RateWindow } from './rate-window.ts'

/** So many keys at most; idle ones are dropped first, and busy ones only exist while requests run. */
const MAX_KEYS = 200_000
/** Fewer are not worth looking through. */
const SWEEP_FROM = 1_024
/** With all of them busy, looking through them for every new key would help nobody. */
const SWEEP_GAP_MS = 1_000

/** `holds`: grants under way that will come back to this entry; until then it is not idle, whatever it has counted. */
type Entry = { running: number; holds: number; window: RateWindow | null }
type Held = { entry: Entry; check: LimitCheck; slot: number }[]

/**
 * Limits of one process. `monotonicMs` must never run backwards, whatever the wall clock does.
 * Bounded: past `maxKeys` distinct keys the idle ones are dropped; if none is idle, new keys are refused.
 */
export function createMemoryKv(monotonicMs: () => number = () => performance.now(), maxKeys = MAX_KEYS): Kv {
  const entries = new Map<string, Entry>()
  let sweepAt = Math.min(SWEEP_FROM, maxKeys)
  let sweptMs = Number.NEGATIVE_INFINITY

  const entryOf = (check: LimitCheck): Entry | null => {
    const key = keyOf(check)
    const found = entries.get(key)
    if (found) return found
    if (entries.size >= maxKeys) return null
    const entry: Entry = { running: 0, holds: 0, window: check.kind === 'rate' ? new RateWindow(check.windowMs) : null }
    entries.set(key, entry)
    return entry
  }

  /** Drops what is idle. Due when the number has doubled: its cost is spread over as many insertions. */
  const sweep = (now: number) => {
    for (const [key, entry] of entries) {
      if (entry.holds === 0 && (entry.window?.total(now) ?? 0) === 0) entries.delete(key)
    }
    sweptMs = now
    sweepAt = Math.min(Math.max(SWEEP_FROM, entries.size * 2), maxKeys)
  }

  return {
    acquire(checks) {
      const now = monotonicMs()
      const held: Held = []
      // Before anything is taken, so that no entry goes which this request has just been given.
      if (entries.size >= sweepAt && now - sweptMs >= SWEEP_GAP_MS) sweep(now)
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
        if (comesBack(hold.check)) hold.entry.holds++
        if (hold.check.kind === 'rate') hold.slot = hold.entry.window!.add(hold.check.amount, now)
        else hold.entry.running++
      }
      return { ok: true, states: statesOf(checks, entries, now), held }
    },

    release(grant: Grant, used) {
      const held = grant.held as Held
      for (const { entry, check, slot } of held) {
        if (comesBack(check)) entry.holds--
        if (check.kind === 'concurrency') entry.running--
        else if (used && check.what === 'tokens') entry.window!.correct(slot, used.tokens - check.amount, monotonicMs())
      }
      held.length = 0
    },

    peek: (checks) => statesOf(checks, entries, monotonicMs()),
  }
}

/** A window of another length is another window, also of the same owner. */
const keyOf = (check: LimitCheck) => (check.kind === 'rate' ? `${check.key} ${check.windowMs}` : check.key)

/** Whether the end of the request changes the entry again. */
const comesBack = (check: LimitCheck) => check.what !== 'requests'

const amountOf = (check: LimitCheck) => (check.kind === 'rate' ? check.amount : 1)
const usedOf = (entry: Entry, now: number) => entry.window?.total(now) ?? entry.running

function statesOf(checks: readonly LimitCheck[], entries: Map<string, Entry>, now: number): LimitState[] {
  return checks.map((check) => {
    const entry = entries.get(keyOf(check))
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
