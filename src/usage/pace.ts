/** Requests a second, of this process. */
export type Pace = {
  /** A request has ended. */
  count(projectId: string | null): void
  /** The mean of the last ten full seconds, of a project or (null) of all. */
  perSecond(projectId: string | null): number
}

const SECONDS = 10

type Second = { at: number; all: number; byProject: Map<string, number> }

/** A ring of seconds: as many projects are known as have asked for something in the last ten. */
export function createPace(now: () => number): Pace {
  const ring: Second[] = Array.from({ length: SECONDS + 1 }, () => ({ at: Number.NaN, all: 0, byProject: new Map() }))
  return {
    count(projectId) {
      const at = Math.floor(now() / 1000)
      // A clock may stand before 1970.
      const second = ring[Math.abs(at) % ring.length]!
      if (second.at !== at) {
        second.at = at
        second.all = 0
        second.byProject.clear()
      }
      second.all++
      if (projectId !== null) second.byProject.set(projectId, (second.byProject.get(projectId) ?? 0) + 1)
    },
    perSecond(projectId) {
      const at = Math.floor(now() / 1000)
      let sum = 0
      for (const second of ring) {
        if (!(second.at < at && second.at >= at - SECONDS)) continue
        sum += projectId === null ? second.all : (second.byProject.get(projectId) ?? 0)
      }
      return sum / SECONDS
    },
  }
}
