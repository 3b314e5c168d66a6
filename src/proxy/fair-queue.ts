/** Who waits, by owner: the owners take turns, and each one's come in their order. */
export type FairQueue<T> = {
  readonly size: number
  sizeOf(owner: string): number
  push(owner: string, item: T): void
  /** The next one; undefined when nobody waits. */
  shift(): T | undefined
  /** False: it did not wait (any more). */
  remove(owner: string, item: T): boolean
  /** Takes the newest out of the longest line, if that has more than `most`. */
  dropFromLongest(most: number): T | undefined
}

export function createFairQueue<T>(): FairQueue<T> {
  /** In the order of their turns; none of them is empty. */
  const lines = new Map<string, Set<T>>()
  let size = 0

  const take = (owner: string, line: Set<T>, item: T) => {
    line.delete(item)
    size--
    if (line.size === 0) lines.delete(owner)
    return item
  }

  return {
    get size() {
      return size
    },
    sizeOf: (owner) => lines.get(owner)?.size ?? 0,

    push(owner, item) {
      const line = lines.get(owner) ?? new Set()
      lines.set(owner, line.add(item))
      size++
    },

    shift() {
      for (const [owner, line] of lines) {
        const [first] = line
        take(owner, line, first!)
        if (line.size === 0) return first
        // To the end of the round.
        lines.delete(owner)
        lines.set(owner, line)
        return first
      }
      return undefined
    },

    remove(owner, item) {
      const line = lines.get(owner)
      if (!line?.has(item)) return false
      take(owner, line, item)
      return true
    },

    dropFromLongest(most) {
      let longest: [owner: string, line: Set<T>] | null = null
      for (const one of lines) if (one[1].size > (longest?.[1].size ?? most)) longest = one
      if (longest === null) return undefined
      const [owner, line] = longest
      return take(owner, line, [...line].at(-1)!)
    },
  }
}
