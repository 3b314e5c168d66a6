const MAX_KEPT = 50

type Kept<T> = { at: number; value: Promise<T> }

/** What many look at is read once, and kept for `keptMs`; of each gateway apart, and by who may see what (`key`). */
export function createSharedReads<T>(keptMs: number) {
  const byGateway = new WeakMap<object, Map<string, Kept<T>>>()
  return (gateway: object, key: unknown[], now: number, read: () => Promise<T>): Promise<T> => {
    const kept = byGateway.get(gateway) ?? new Map<string, Kept<T>>()
    byGateway.set(gateway, kept)
    const name = JSON.stringify(key)
    const found = kept.get(name)
    if (found && Math.abs(now - found.at) < keptMs) return found.value
    if (kept.size >= MAX_KEPT) kept.clear()
    const value = read()
    kept.set(name, { at: now, value })
    value.catch(() => kept.delete(name))
    return value
  }
}
