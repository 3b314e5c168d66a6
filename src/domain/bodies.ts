import type { Config } from '../config/config.ts'
import { GatewayError } from '../errors.ts'
import type { KeptBodies, LedgerRow, Store } from '../store/store.ts'
import type { BodyLog } from '../usage/body-log.ts'
import { type Actor, makeStamp, recordNoChange } from './audit.ts'
import { isoTime } from './present.ts'

/** What reading bodies works with. `bodies`: null while none are kept. */
export type BodyParts = {
  store: Pick<Store, 'bodies' | 'audit'>
  bodies: Pick<BodyLog, 'flush'> | null
  config: Pick<Config, 'bodyLog'>
  now(): number
}

export type NotKept = 'deleted' | 'off' | 'not_kept'

type Row = Pick<LedgerRow, 'requestId' | 'at' | 'projectId'>

/**
 * What was kept of that request. Each reading is in the audit log, as `request.read_bodies`. Throws `not_found`, with a `NotKept` as
 * `reason` in its details.
 */
export async function readBodies(parts: BodyParts, actor: Actor, row: Row): Promise<KeptBodies> {
  // What is on its way to the disk just now counts as kept.
  await parts.bodies?.flush()
  const kept = await parts.store.bodies.get(row)
  if (kept === null) throw notKept(row, parts.config.bodyLog, parts.now())
  const subject = { action: 'request.read_bodies', targetId: row.requestId, projectId: row.projectId }
  await recordNoChange(parts, makeStamp(parts, actor, subject))
  return kept
}

const DAY_MS = 86_400_000

function notKept({ at }: Row, { request, response, days }: Config['bodyLog'], now: number): GatewayError {
  const say = (reason: NotKept, message: string) => new GatewayError('not_found', { message, details: { reason } })
  if (days !== null && at < now - days * DAY_MS)
    return say('deleted', `Bodies are kept for ${days} days; this request is of ${isoTime(at)}.`)
  if (!request && !response) return say('off', 'Bodies are not kept: REQUEST_LOGGING and RESPONSE_LOGGING are off.')
  return say(
    'not_kept',
    'Nothing was kept of this request: bodies were not to be kept when it came, it was a WebSocket, or they were dropped (llmproxy_body_log_total tells how many).',
  )
}
