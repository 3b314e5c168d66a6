type Outcome = 'answered' | 'failed'
type Counts = Record<Outcome, number>

const SLICES = 10

/** How the tries of the last while ended, to a tenth of the window; as small under load as when idle. */
export class OutcomeWindow {
  #slices = new Map<number, Counts>()
  #sliceMs = 0

  add(outcome: Outcome, windowMs: number, now: number): void {
    this.#drop(windowMs, now)
    const index = Math.floor(now / this.#sliceMs)
    const slice = this.#slices.get(index) ?? { answered: 0, failed: 0 }
    slice[outcome]++
    this.#slices.set(index, slice)
  }

  count(windowMs: number, now: number): Counts {
    this.#drop(windowMs, now)
    const sum = { answered: 0, failed: 0 }
    for (const { answered, failed } of this.#slices.values()) {
      sum.answered += answered
      sum.failed += failed
    }
    return sum
  }

  clear(): void {
    this.#slices.clear()
  }

  #drop(windowMs: number, now: number): void {
    const sliceMs = Math.max(1, windowMs / SLICES)
    // Another policy: what was counted in slices of another length is let go.
    if (sliceMs !== this.#sliceMs) this.#slices.clear()
    this.#sliceMs = sliceMs
    const newest = Math.floor(now / sliceMs)
    for (const index of this.#slices.keys()) {
      if (index <= newest - SLICES || index > newest) this.#slices.delete(index)
    }
  }
}
