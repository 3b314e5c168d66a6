/** Shared counters of the gateway: in memory for one process (memory.ts), later in Redis for several. */
export interface Kv {
  /** All or nothing: takes every unit that `checks` ask for, or none and says which check refused. */
  acquire(checks: readonly LimitCheck[]): Grant | Refusal | Promise<Grant | Refusal>
  /** Gives concurrency slots back and corrects what a rate check reserved to what was used. Call once for every grant. */
  release(grant: Grant, used?: { tokens: number }): void
  /** How these limits stand, for who only looks: nothing is taken. */
  peek(checks: readonly LimitCheck[]): LimitState[] | Promise<LimitState[]>
}

export type LimitCheck =
  | { kind: 'concurrency'; key: string; limit: number; what: 'concurrent_requests' }
  | { kind: 'rate'; key: string; limit: number; what: 'requests' | 'tokens'; windowMs: number; amount: number }

export type LimitState = { what: LimitCheck['what']; limit: number; remaining: number; resetMs: number }

export type Grant = { ok: true; states: LimitState[]; held: unknown }
/** `retryAfterMs` null: it would not fit into an empty window either. */
export type Refusal = { ok: false; refused: LimitCheck; states: LimitState[]; retryAfterMs: number | null }
