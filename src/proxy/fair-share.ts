import { GatewayError } from '../errors.ts'

/** The places for all requests at once, shared by the projects. */
export type FairShare = {
  /** Takes a place for the project; `leave` gives it back. Throws `overloaded`. */
  enter(projectId: string): void
  leave(projectId: string): void
}

/** While less than this part of the places is taken, everybody may take what he wants. */
const CROWDED = 0.8
/** So long after it was refused a project counts as one that wants in: SDKs try again within some seconds. */
const WANTED_MS = 10_000

type Standing = { held: number; wantedUntil: number }

/**
 * All places may be one project's as long as nobody else wants one. When more than four fifths are taken, a project that has its even
 * share or more (all places, divided by the projects that have or want some) gets no further one; nothing that runs is stopped.
 */
export function createFairShare({ places, now }: { places: number; now(): number }): FairShare {
  const standings = new Map<string, Standing>()
  let taken = 0

  const isActive = ({ held, wantedUntil }: Standing) => held > 0 || wantedUntil > now()

  /** Only asked in a crowd; forgets who neither has nor wants. */
  const countActive = () => {
    for (const [projectId, standing] of standings) if (!isActive(standing)) standings.delete(projectId)
    return standings.size
  }

  return {
    enter(projectId) {
      const standing = standings.get(projectId) ?? { held: 0, wantedUntil: 0 }
      standings.set(projectId, standing)
      if (taken >= places) {
        standing.wantedUntil = now() + WANTED_MS
        throw new GatewayError('overloaded', { headers: RETRY })
      }
      if (taken + 1 > CROWDED * places && standing.held > 0) {
        const share = places / countActive()
        if (standing.held >= share) throw overShare(standing.held)
      }
      standing.held++
      taken++
    },

    leave(projectId) {
      const standing = standings.get(projectId)
      if (standing === undefined || standing.held === 0) throw new Error(`${projectId} holds no place.`)
      taken--
      standing.held--
      if (!isActive(standing)) standings.delete(projectId)
    },
  }
}

const RETRY = { 'retry-after': '1' }

const overShare = (held: number) =>
  new GatewayError('overloaded', {
    message: `The gateway is near its limit of concurrent requests, and this project has ${held} of them, its share while others want some. Try again shortly.`,
    headers: RETRY,
  })
