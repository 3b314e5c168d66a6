import { OutcomeWindow } from './outcome-window.ts'
import type { BreakerPolicy } from './types.ts'

export type BreakerState = 'closed' | 'open' | 'half_open'

/** A try that the breaker has an eye on. */
export type Watched = { epoch: number; readonly startedAt: number }

/** A probe that has brought nothing for so long counts as failed; what it brings later is still heard. */
export const PROBE_LIMIT_MS = 10_000
/** From one probe to the next, unless the policy's own cooldown is longer: a provider that is back is found within half a minute. */
const MAX_GAP_MS = 25_000
const MAX_GROWTH = 8

/**
 * Closed: everything passes. It opens after so many failures in a row, or so many in the window when they are the majority. After the
 * cooldown, which doubles from one opening to the next, it is half open: a few requests pass as probes. One that succeeds closes it, one that
 * fails opens it again. Pure but for its own state; times are milliseconds on the caller's clock.
 */
export class Breaker {
  readonly #policy: () => BreakerPolicy
  readonly #onChange: (state: BreakerState) => void
  readonly #outcomes = new OutcomeWindow()
  readonly #probes = new Set<Watched>()
  #isOpen = false
  #retryAt = 0
  /** Openings since an answer came whole. */
  #openings = 0
  #failuresInARow = 0
  /** Goes up with each opening and closing: what was begun before tells of a time that is over. */
  #epoch = 0

  constructor(policy: () => BreakerPolicy, onChange: (state: BreakerState) => void = () => {}) {
    this.#policy = policy
    this.#onChange = onChange
  }

  state(now: number): BreakerState {
    this.#expireProbes(now)
    if (!this.#isOpen) return 'closed'
    return now < this.#retryAt ? 'open' : 'half_open'
  }

  /** When it lets a request through again, null while it is closed. */
  retryAt(now: number): number | null {
    this.#expireProbes(now)
    if (!this.#isOpen) return null
    const [oldest] = this.#probes
    return oldest === undefined || this.#hasRoom() ? this.#retryAt : oldest.startedAt + PROBE_LIMIT_MS
  }

  admits(now: number): boolean {
    this.#expireProbes(now)
    return !this.#isOpen || (now >= this.#retryAt && this.#hasRoom())
  }

  /** Also of a request that was not let through and goes all the same, for want of a better place. */
  begin(now: number): Watched {
    const watched = { epoch: this.#epoch, startedAt: now }
    if (this.#isOpen && this.admits(now)) {
      this.#probes.add(watched)
      if (this.#probes.size === 1) this.#onChange('half_open')
    }
    return watched
  }

  /** The answer has begun. A long stream need not end before others may pass, but until one does, a single failure opens it again. */
  heard(watched: Watched): void {
    this.#probes.delete(watched)
    if (!this.#isOpen || watched.epoch !== this.#epoch) return
    this.#close(watched)
    this.#failuresInARow = this.#policy().failures - 1
  }

  answered(watched: Watched, now: number): void {
    this.#probes.delete(watched)
    if (watched.epoch !== this.#epoch) return
    if (this.#isOpen) this.#close(watched)
    this.#failuresInARow = 0
    this.#openings = 0
    this.#outcomes.add('answered', this.#policy().windowMs, now)
  }

  failed(watched: Watched, now: number): void {
    this.#expireProbes(now)
    const wasProbe = this.#probes.delete(watched)
    if (watched.epoch !== this.#epoch) return
    if (this.#isOpen) {
      if (wasProbe) this.#open(watched.startedAt, now)
      return
    }
    const { failures, windowMs } = this.#policy()
    this.#failuresInARow++
    this.#outcomes.add('failed', windowMs, now)
    const seen = this.#outcomes.count(windowMs, now)
    if (this.#failuresInARow >= failures || (seen.failed >= failures && seen.failed > seen.answered))
      this.#open(now, now)
  }

  /** It ended in a way that says nothing of the provider's health. */
  forget(watched: Watched): void {
    this.#probes.delete(watched)
  }

  /** Somebody has seen the provider alive: no need to sit out the cooldown. */
  retryFrom(now: number): void {
    if (this.#isOpen) this.#retryAt = Math.min(this.#retryAt, now)
  }

  #hasRoom(): boolean {
    return this.#probes.size < this.#policy().halfOpenRequests
  }

  #expireProbes(now: number): void {
    const [oldest] = this.#probes
    if (oldest === undefined || now < oldest.startedAt + PROBE_LIMIT_MS) return
    this.#open(oldest.startedAt, oldest.startedAt + PROBE_LIMIT_MS)
  }

  #open(startedAt: number, failedAt: number): void {
    const { cooldownMs } = this.#policy()
    const grownMs = cooldownMs * Math.min(MAX_GROWTH, 2 ** this.#openings)
    this.#retryAt = Math.min(failedAt + grownMs, startedAt + Math.max(cooldownMs, MAX_GAP_MS))
    this.#openings++
    this.#probes.clear()
    // A probe that was given up may still succeed: it stays in the epoch of this outage.
    if (!this.#isOpen) this.#epoch++
    this.#isOpen = true
    this.#onChange('open')
  }

  #close(watched: Watched): void {
    this.#isOpen = false
    this.#probes.clear()
    this.#outcomes.clear()
    this.#epoch++
    watched.epoch = this.#epoch
    this.#onChange('closed')
  }
}
