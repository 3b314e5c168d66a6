import { isIP } from 'node:net'
import { LRUCache } from 'lru-cache'

const FIRST_DELAY_MS = 1_000
const MAX_DELAY_MS = 15 * 60_000
/** So long without a failure forgives one. */
const FORGIVEN_EVERY_MS = 30 * 60_000
/** From here on the delay is the longest. */
const MAX_STEPS = Math.ceil(Math.log2(MAX_DELAY_MS / FIRST_DELAY_MS))
/** Failures without a delay: people mistype, and many of them may share an address. */
const FREE = { person: 3, address: 10 }
const MAX_KEYS = 10_000

type Kind = keyof typeof FREE
/** Who tries, as far as that is known; a person is named by what was typed. */
export type Tried = { person?: string; address: string | null }

/** A try under way. It counts as a failure from its beginning, unless one of these is said. */
export type Attempt = {
  /** It was none: nothing was guessed. */
  undo(): void
  /** It was right: forgives all failures of the person. */
  succeed(): void
}

export type Throttle = { begin(tried: Tried): { waitMs: number } | { waitMs: 0; attempt: Attempt } }

/** `at`: when the last try began. `forgivenAt`: up to when time has forgiven failures. */
type Entry = { failures: number; at: number; forgivenAt: number; version: number }

/**
 * Slows guessing down: after a few failures a second's pause, then twice as long each time up to 15 minutes, for the person and for
 * the address. A try counts when it begins, so that many at once are no way past. In memory, for the last 10,000 that failed.
 */
export function createThrottle({ now, maxKeys = MAX_KEYS }: { now(): number; maxKeys?: number }): Throttle {
  const entries = new LRUCache<string, Entry>({ max: maxKeys })

  const look = (key: string): Entry => {
    const entry = entries.get(key) ?? { failures: 0, at: now(), forgivenAt: now(), version: 0 }
    // The clock was put back.
    if (entry.at > now()) entry.at = entry.forgivenAt = now()
    const forgiven = Math.floor((now() - entry.forgivenAt) / FORGIVEN_EVERY_MS)
    if (forgiven > 0) {
      entry.failures = Math.max(0, entry.failures - forgiven)
      entry.forgivenAt += forgiven * FORGIVEN_EVERY_MS
    }
    return entry
  }

  const waitMs = (kind: Kind, { failures, at }: Entry) => {
    const steps = failures - FREE[kind]
    return steps < 0 ? 0 : Math.max(0, at + Math.min(FIRST_DELAY_MS * 2 ** steps, MAX_DELAY_MS) - now())
  }

  const count = (kind: Kind, key: string): Attempt => {
    const before = { ...look(key) }
    const version = before.version + 1
    const failures = Math.min(before.failures + 1, FREE[kind] + MAX_STEPS)
    entries.set(key, { failures, at: now(), forgivenAt: now(), version })
    return {
      undo() {
        const entry = entries.get(key)
        if (!entry) return
        if (entry.version === version) entries.set(key, { ...before, version })
        // Others have begun since: theirs stays as it is.
        else entry.failures = Math.max(0, entry.failures - 1)
      },
      succeed: () => void entries.delete(key),
    }
  }

  return {
    begin({ person, address }) {
      const keys: [Kind, string][] = [['address', `address ${networkOf(address)}`]]
      if (person !== undefined) keys.push(['person', `person ${comparable(person)}`])
      const longest = Math.max(...keys.map(([kind, key]) => waitMs(kind, look(key))))
      if (longest > 0) return { waitMs: longest }
      const counted = keys.map(([kind, key]) => ({ kind, ...count(kind, key) }))
      return {
        waitMs: 0,
        attempt: {
          undo: () => counted.forEach(({ undo }) => void undo()),
          // Somebody else at this address may still be guessing.
          succeed: () => counted.forEach(({ kind, succeed, undo }) => void (kind === 'person' ? succeed() : undo())),
        },
      }
    },
  }
}

/** As the store compares names; what is longer is no name. */
const comparable = (name: string) => name.slice(0, 400).normalize('NFKC').toLowerCase().slice(0, 400)

/** One house has 2^64 addresses of IPv6: those of its network are one. */
function networkOf(address: string | null): string {
  if (address === null) return 'unknown'
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped) return mapped
  if (isIP(address) !== 6) return address
  const [head = '', tail] = address.split('%')[0]!.split('::')
  const groups = (text: string) => (text === '' ? [] : text.split(':'))
  const [left, right] = [groups(head), groups(tail ?? '')]
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length)
  const all = [...left, ...Array<string>(zeros).fill('0'), ...right]
  return all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')
}
