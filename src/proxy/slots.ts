import type { ProviderConfig } from '../config/config.ts'
import { GatewayError } from '../errors.ts'
import { createFairQueue, type FairQueue } from './fair-queue.ts'

/** Gives the slot back; more than once does no harm. */
export type Release = () => void

type Client = { cancel: (() => void) | null }

/** How many requests a provider is asked at once, and who waits when it is as many. */
export type Slots = {
  /**
   * A slot at this provider, at once where there is one; else in the project's turn, and then `client.cancel` is what to call when the
   * client leaves. Rejects with `overloaded` when too many wait or it takes too long, with `client_closed` when the client left.
   */
  acquire(provider: string, projectId: string, client: Client): Release | Promise<Release>
}

export type SlotLimits = NonNullable<ProviderConfig['limits']>

type Options = {
  /** Asked anew for each request. Null: no limit. */
  limitsOf(provider: string): SlotLimits | null
  onWaiting(provider: string, waiting: number): void
}

type Waiter = { grant(): void; refuse(error: GatewayError): void }
type Lane = { running: number; queue: FairQueue<Waiter> }

const UNLIMITED: Release = () => {}

export function createSlots({ limitsOf, onWaiting }: Options): Slots {
  const lanes = new Map<string, Lane>()

  const laneOf = (provider: string): Lane => {
    const lane = lanes.get(provider) ?? { running: 0, queue: createFairQueue<Waiter>() }
    lanes.set(provider, lane)
    return lane
  }

  const occupy = (provider: string, lane: Lane): Release => {
    lane.running++
    let held = true
    return () => {
      if (!held) return
      held = false
      lane.running--
      // A limit may have been raised, or taken away, meanwhile.
      const most = limitsOf(provider)?.maxConcurrent ?? Number.POSITIVE_INFINITY
      while (lane.running < most && lane.queue.size > 0) lane.queue.shift()!.grant()
    }
  }

  const wait = (
    provider: string,
    projectId: string,
    lane: Lane,
    { queueTimeoutMs }: SlotLimits,
    client: Client,
  ): Promise<Release> =>
    new Promise((resolve, reject) => {
      const { queue } = lane
      const stop = () => {
        clearTimeout(timer)
        onWaiting(provider, queue.size)
      }
      const waiter: Waiter = {
        grant() {
          const release = occupy(provider, lane)
          stop()
          resolve(release)
        },
        refuse(error) {
          stop()
          reject(error)
        },
      }
      const leave = (error: GatewayError) => {
        if (queue.remove(projectId, waiter)) waiter.refuse(error)
      }
      const timer = setTimeout(() => leave(overloaded(provider, TOO_LONG)), queueTimeoutMs).unref()
      queue.push(projectId, waiter)
      onWaiting(provider, queue.size)
      client.cancel = () => leave(new GatewayError('client_closed'))
    })

  return {
    acquire(provider, projectId, client) {
      const limits = limitsOf(provider)
      if (limits === null) return UNLIMITED
      const lane = laneOf(provider)
      if (lane.running < limits.maxConcurrent && lane.queue.size === 0) return occupy(provider, lane)
      if (lane.queue.size >= limits.maxQueued) {
        // Who has many in a full line makes room for who has fewer.
        const fewest = lane.queue.sizeOf(projectId) + 1
        const dropped = limits.maxQueued === 0 ? undefined : lane.queue.dropFromLongest(fewest)
        if (dropped === undefined) return Promise.reject(overloaded(provider, TOO_MANY))
        dropped.refuse(overloaded(provider, TOO_MANY))
      }
      return wait(provider, projectId, lane, limits, client)
    },
  }
}

const TOO_MANY = 'and as many wait as may'
const TOO_LONG = 'and none ended in time'

const overloaded = (provider: string, why: string) =>
  new GatewayError('overloaded', {
    message: `As many requests are under way to \`${provider}\` as it is sent at once, ${why}. Try again shortly.`,
    details: { provider },
    headers: { 'retry-after': '1' },
  })
