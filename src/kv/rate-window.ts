const SLOTS = 60

/**
 * Counts what happened in the last `windowMs`, in 60 slots of time. The slot that the window's far edge cuts through still counts
 * in full, so no window of that length, wherever it is laid, ever holds more than was granted. Fixed memory; times must not run
 * backwards (use a monotonic clock).
 */
export class RateWindow {
  readonly #slotMs: number
  readonly #slots = new Float64Array(SLOTS + 1)
  #newest = 0
  #total = 0

  constructor(windowMs: number) {
    this.#slotMs = windowMs / SLOTS
  }

  total(nowMs: number): number {
    this.#advance(nowMs)
    return this.#total
  }

  /** Adds and returns the slot's number, for a later `correct`. */
  add(amount: number, nowMs: number): number {
    this.#advance(nowMs)
    this.#slots[this.#newest % this.#slots.length]! += amount
    this.#total += amount
    return this.#newest
  }

  /** Changes what was added in `slot`; nothing to do once that slot has left the window. */
  correct(slot: number, difference: number, nowMs: number): void {
    this.#advance(nowMs)
    if (slot <= this.#newest - this.#slots.length) return
    this.#slots[slot % this.#slots.length]! += difference
    this.#total += difference
  }

  /** Milliseconds until `amount` more fits under `limit`; null when it never will. */
  waitMs(amount: number, limit: number, nowMs: number): number | null {
    if (amount > limit) return null
    this.#advance(nowMs)
    let left = this.#total
    for (let slot = this.#newest - SLOTS; slot <= this.#newest; slot++) {
      if (left + amount <= limit) return Math.max(0, this.#leavesAt(slot - 1) - nowMs)
      left -= this.#slotAt(slot)
    }
    return Math.max(0, this.#leavesAt(this.#newest) - nowMs)
  }

  /** Milliseconds until nothing is left in the window. */
  resetMs(nowMs: number): number {
    this.#advance(nowMs)
    for (let slot = this.#newest; slot >= this.#newest - SLOTS; slot--) {
      if (this.#slotAt(slot) > 0) return Math.max(0, this.#leavesAt(slot) - nowMs)
    }
    return 0
  }

  #slotAt(slot: number): number {
    return slot < 0 ? 0 : this.#slots[slot % this.#slots.length]!
  }

  #leavesAt(slot: number): number {
    return (slot + this.#slots.length) * this.#slotMs
  }

  #advance(nowMs: number): void {
    const current = Math.max(this.#newest, Math.floor(nowMs / this.#slotMs))
    const steps = Math.min(current - this.#newest, this.#slots.length)
    for (let step = 1; step <= steps; step++) {
      const index = (current - steps + step) % this.#slots.length
      this.#total -= this.#slots[index]!
      this.#slots[index] = 0
    }
    // Sums of fractions would drift; whole numbers do not, and an empty window is exactly empty.
    if (steps === this.#slots.length) this.#total = 0
    this.#newest = current
  }
}
