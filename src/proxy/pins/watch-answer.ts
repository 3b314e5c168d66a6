import type { AppContext } from '../../context.ts'
import type { Pin } from '../../store/store.ts'
import type { Observer } from '../../usage/observer.ts'
import type { Exchange } from '../exchange.ts'
import type { Answer } from '../forward.ts'
import type { Target } from '../plan.ts'
import { MAX_ID_LENGTH } from './collections.ts'
import { readEventObjects, readJsonObjects } from './read-objects.ts'
import type { Pinning } from './seek.ts'
import type { ToldObjects } from './told-objects.ts'

type Parts = Pick<AppContext, 'pins'>

const DAY_MS = 86_400_000

/** The same observer, which besides remembers what the answer tells of objects. For answers that pass as the provider sent them. */
export function watchObjects(
  { pins }: Parts,
  exchange: Exchange,
  target: Target,
  answer: Answer,
  isEventStream: boolean,
  observer: Observer,
): Observer {
  const { pinning } = exchange
  if (pinning === null || answer.status >= 300) return observer
  const { tells, place, runsCode } = pinning
  const pinOf = (objectId: string, days: number | null): Pin => ({
    objectId,
    projectId: exchange.caller!.project.id,
    provider: target.provider.name,
    keyId: target.keyId,
    createdAt: exchange.at,
    expiresAt: days === null ? null : exchange.at + days * DAY_MS,
  })
  for (const { objectId, createdAt, expiresAt } of pinning.renews) {
    const days = expiresAt === null ? null : (expiresAt - createdAt) / DAY_MS
    pins.note({ kind: 'made', pin: pinOf(objectId, days) })
  }
  if (place === null) return observer
  if (tells === 'forgotten') pins.note({ kind: 'forgotten', pin: pinOf(place.objectId!, null) })
  if (tells !== 'made' && tells !== 'seen') return observer

  const tell = ({ id, others }: ToldObjects) => {
    if (tells === 'made' && id !== null && id.length <= MAX_ID_LENGTH)
      pins.note({ kind: 'made', pin: pinOf(id, place.collection.days) })
    for (const other of others) pins.note({ kind: 'seen', pin: pinOf(other, null) })
  }
  const read = isEventStream ? readEventObjects : readJsonObjects
  const reader = read(place, tells === 'seen' || runsCode, tell)
  return {
    ...observer,
    push(piece) {
      // First, for the observer may write into what it passes on.
      reader.push(piece)
      return observer.push(piece)
    },
    end() {
      reader.end()
      return observer.end()
    },
  }
}

/** Whether the answer has to be readable, whatever compression the client takes. */
export const isRead = (pinning: Pinning | null): boolean =>
  pinning !== null && pinning.tells !== null && pinning.tells !== 'forgotten'

/** Goes on once what the answer told is committed: a client who has an id whole finds its object, also through `kill -9`. */
export function whenKept({ pins }: Parts, { pinning }: Exchange, then: () => void): void {
  if (pinning === null || pinning.tells === null) then()
  else pins.whenKept(then)
}
