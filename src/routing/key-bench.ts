import { LRUCache } from 'lru-cache'
import type { KeyBench } from './live.ts'

const MAX_KEYS = 10_000
/** Whatever a provider says: a key that rests is worth a try now and then. */
const MAX_REST_MS = 60 * 60_000

type Entry = KeyBench & { at: number }

/** Keys that rest, because their limit is used up or because the provider refused them. */
export class KeyBenches {
  readonly #entries: LRUCache<string, Entry>

  constructor(max: number = MAX_KEYS) {
    this.#entries = new LRUCache({ max })
  }

  /** Of two reasons the one that lasts longer holds. */
  bench(provider: string, keyId: string, untilMs: number, why: KeyBench['why'], now: number): void {
    const until = Math.min(untilMs, now + MAX_REST_MS)
    const entry = this.#entryOf(provider, keyId, now)
    if (until <= now) return
    if (entry !== null && entry.untilMs >= until) entry.at = now
    else this.#entries.set(nameOf(provider, keyId), { provider, keyId, untilMs: until, why, at: now })
  }

  /** It was good for a request that began at this time. Who put it here by hand knows better. */
  served(provider: string, keyId: string, startedAt: number): void {
    if (this.#entries.size === 0) return
    const name = nameOf(provider, keyId)
    const entry = this.#entries.get(name)
    if (entry !== undefined && entry.why !== 'by_hand' && entry.at <= startedAt) this.#entries.delete(name)
  }

  /** It may work again, whatever it rested for. False: it did not rest. */
  release(provider: string, keyId: string, now: number): boolean {
    if (this.#entryOf(provider, keyId, now) === null) return false
    return this.#entries.delete(nameOf(provider, keyId))
  }

  until(provider: string, keyId: string, now: number): number | null {
    return this.#entryOf(provider, keyId, now)?.untilMs ?? null
  }

  list(now: number): KeyBench[] {
    return [...this.#entries.values()].flatMap(({ provider, keyId, untilMs, why }) =>
      untilMs > now ? { provider, keyId, untilMs, why } : [],
    )
  }

  #entryOf(provider: string, keyId: string, now: number): Entry | null {
    if (this.#entries.size === 0) return null
    const name = nameOf(provider, keyId)
    const entry = this.#entries.get(name)
    if (entry === undefined) return null
    if (entry.untilMs > now) return entry
    this.#entries.delete(name)
    return null
  }
}

const nameOf = (provider: string, keyId: string) => `${provider}\n${keyId}`
