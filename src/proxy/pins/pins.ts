import { LRUCache } from 'lru-cache'
import type { Pin, PinChange, PinStore } from '../../store/store.ts'

/** Which account has which object. */
export type Pins = {
  /** All that is known of these objects, of all projects. */
  find(objectIds: readonly string[]): Promise<Pin[]>
  /** Holds at once, and is committed with all others of this turn of the event loop. */
  note(change: PinChange): void
  /** Calls `then` once all that was noted is committed, or known to fail. */
  whenKept(then: () => void): void
  /** Writes what waits; how many changes could not be written. */
  close(): Promise<number>
}

type Options = {
  store: PinStore
  now(): number
  /** What could not be written holds in this process, and is tried again; beyond a bound the oldest are given up (`lost`). */
  onFailure(error: unknown, waiting: number, lost: number): void
  maxCached?: number
  maxWaiting?: number
}

const RETRY_MS = 1_000
const EXPIRE_EVERY_MS = 3_600_000
/** One transaction holds up others for some milliseconds at the most. */
const EXPIRE_AT_ONCE = 1_000

export function createPins({ store, now, onFailure, maxCached = 20_000, maxWaiting = 10_000 }: Options): Pins {
  /** What nobody owns is not kept: another process may be about to make it. */
  const cache = new LRUCache<string, Pin[]>({ max: maxCached })
  /** Not written yet, oldest first. */
  let waiting: PinChange[] = []
  let scheduled = false
  let writing: Promise<void> | null = null
  let failed = false
  let closed = false
  let toTell: (() => void)[] = []

  const schedule = () => {
    if (scheduled || writing !== null || failed) return
    scheduled = true
    setImmediate(() => void flush())
  }

  const flush = async (): Promise<void> => {
    scheduled = false
    if (writing !== null) return writing
    writing = write()
    await writing
    writing = null
    if (waiting.length > 0 || toTell.length > 0) schedule()
  }

  const write = async () => {
    const batch = [...waiting]
    const told = toTell
    toTell = []
    try {
      if (batch.length > 0) await store.apply(batch)
      waiting = waiting.slice(batch.length)
      // They are read again, so that what the transaction made of them is what holds.
      for (const { pin } of batch) cache.delete(pin.objectId)
    } catch (error) {
      giveUpOldest(error)
      retryLater()
    }
    // While nothing can be written nobody waits for it.
    if (failed) told.push(...toTell.splice(0))
    for (const tell of told) tell()
  }

  const giveUpOldest = (error: unknown) => {
    const lost = Math.max(0, waiting.length - maxWaiting)
    waiting = waiting.slice(lost)
    onFailure(error, waiting.length, lost)
  }

  const retryLater = () => {
    if (closed) return
    failed = true
    setTimeout(() => {
      failed = false
      schedule()
    }, RETRY_MS).unref()
  }

  const expire = async () => {
    try {
      while (!closed && (await store.deleteExpired(now(), EXPIRE_AT_ONCE)) === EXPIRE_AT_ONCE)
        await new Promise((resolve) => setImmediate(resolve))
    } catch (error) {
      onFailure(error, waiting.length, 0)
    }
  }
  const expiry = setInterval(expire, EXPIRE_EVERY_MS).unref()

  return {
    async find(objectIds) {
      const wanted = new Set(objectIds)
      const missing = [...wanted].filter((id) => !cache.has(id))
      if (missing.length > 0) {
        const begun = waiting
        const found = Map.groupBy(await store.find(missing), ({ objectId }) => objectId)
        const pins = [...wanted].flatMap((id) => found.get(id) ?? cache.get(id) ?? [])
        // A write meanwhile may have made this answer old.
        if (begun === waiting && writing === null) for (const [id, owners] of found) cache.set(id, owners)
        return withChanges(pins, waiting, wanted)
      }
      return withChanges(
        [...wanted].flatMap((id) => cache.get(id) ?? []),
        waiting,
        wanted,
      )
    },

    note(change) {
      waiting.push(change)
      schedule()
    },

    whenKept(then) {
      if (failed || (waiting.length === 0 && writing === null)) return then()
      toTell.push(then)
      schedule()
    },

    async close() {
      closed = true
      clearInterval(expiry)
      await writing
      failed = false
      if (waiting.length > 0) await flush()
      return waiting.length
    },
  }
}

/** As it will be when the changes are written. */
function withChanges(pins: Pin[], changes: readonly PinChange[], wanted: ReadonlySet<string>): Pin[] {
  let known = pins
  for (const { kind, pin } of changes) {
    if (!wanted.has(pin.objectId)) continue
    const isSame = (other: Pin) => other.objectId === pin.objectId
    const isOwn = (other: Pin) => isSame(other) && other.projectId === pin.projectId
    if (kind === 'forgotten') known = known.filter((other) => !isOwn(other))
    else if (kind === 'made' || !known.some((other) => isSame(other) && !isOwn(other)))
      known = [...known.filter((other) => !isOwn(other) && !isOfAccount(other, pin)), pin]
  }
  return known
}

const isOfAccount = (other: Pin, { objectId, provider, keyId }: Pin) =>
  other.objectId === objectId && other.provider === provider && other.keyId === keyId
