import { GatewayError } from '../errors.ts'
import { newId } from '../ids.ts'
import { redact } from '../redact.ts'
import type { AdminUser, AuditEntry, AuditStamp } from '../store/store.ts'
import type { Parts } from './parts.ts'
import { fromStoreError } from './store-errors.ts'

/** Who acts, and from where. `name`: `management_token`, `cli`, `system`, `admin:<name>`, or `anonymous` for the denied. */
export type Actor = { name: string; ip: string | null; userAgent: string | null }

/** The gateway by itself. */
export const SYSTEM: Actor = { name: 'system', ip: null, userAgent: null }

/** Somebody who is signed in to the admin console. */
export const adminActor = (
  { name }: Pick<AdminUser, 'name'>,
  { ip, userAgent }: { ip: string | null; userAgent: string | null },
): Actor => ({ name: `admin:${name}`, ip, userAgent })

/** What is acted on: `token.revoke`, which token, in which project. */
export type Subject = { action: string; targetId?: string | null; projectId?: string | null }

type AuditParts = { store: Pick<Parts['store'], 'audit'>; now: Parts['now'] }

/**
 * Runs a management action with the stamp for its audit row, which the store writes together with the change. When `work` throws,
 * the row of the failure is written here. `work` may complete `targetId` and `projectId` of the stamp as it learns them.
 * Throws what `work` throws, a `StoreError` as the `GatewayError` for it.
 */
export async function audited<T>(
  parts: AuditParts,
  actor: Actor,
  subject: Subject,
  work: (stamp: AuditStamp) => Promise<T>,
): Promise<T> {
  const stamp = makeStamp(parts, actor, subject)
  try {
    return await work(stamp)
  } catch (thrown) {
    const error = fromStoreError(thrown)
    await recordFailure(parts, actor, stamp, error)
    throw error
  }
}

/** The row of an action that failed before anything could be changed. Never throws: the action's own error is the one to tell. */
export async function recordFailure(parts: AuditParts, actor: Actor, subject: Subject, error: unknown): Promise<void> {
  const stamp = makeStamp(parts, actor, subject)
  const reason = error instanceof GatewayError ? error.code : 'internal_error'
  await parts.store.audit.append({ ...stamp, outcome: 'failure', reason, before: null, after: null }).catch(() => {})
}

/** The row of an action that found nothing to do, for which the store writes none. Throws `StoreError`. */
export async function recordNoChange(
  { store }: AuditParts,
  stamp: AuditStamp,
  after: AuditEntry['after'] = null,
): Promise<void> {
  await store.audit.append({ ...stamp, before: null, after })
}

/** The row of a call that was not let in; `asked` says what it wanted. Throws `StoreError`. */
export async function recordDenial(
  parts: AuditParts,
  actor: Actor,
  subject: Subject,
  reason: string,
  asked: Record<string, string>,
): Promise<void> {
  const stamp = makeStamp(parts, actor, subject)
  const after = Object.fromEntries(Object.entries(asked).map(([name, text]) => [name, cleanText(text)]))
  await parts.store.audit.append({ ...stamp, outcome: 'denied', reason, before: null, after })
}

/** The stamp of something that happens now; `audited` makes it for actions of management. */
export function makeStamp(
  { now }: Pick<AuditParts, 'now'>,
  actor: Actor,
  { action, targetId, projectId }: Subject,
): AuditStamp {
  return {
    id: newId('aud'),
    at: now(),
    actor: actor.name,
    ip: actor.ip,
    userAgent: actor.userAgent === null ? null : cleanText(actor.userAgent),
    action,
    targetId: targetId ?? null,
    projectId: projectId ?? null,
    outcome: 'success',
    reason: null,
  }
}

const MAX_TEXT = 200

/** What strangers may write into the log: bounded, and without a secret that they put in the wrong place. */
export const cleanText = (text: string) => redact(text.slice(0, 4 * MAX_TEXT)).slice(0, MAX_TEXT)
