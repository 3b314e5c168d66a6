import type { Live } from '../routing/live.ts'
import { type Actor, audited } from './audit.ts'
import type { Parts } from './parts.ts'
import { requireProviderKey } from './provider-keys.ts'

const REST_MS = 60 * 60_000

type RestParts = Pick<Parts, 'store' | 'now'> & { live: Pick<Live, 'benchKey' | 'unbenchKey'> }

/**
 * Lets a key rest for an hour in this process: it is tried last, after all others of its provider, also when it serves meanwhile. Gives
 * when it is over, in milliseconds. Throws `not_found`.
 */
export async function restProviderKey(
  { store, now, live }: RestParts,
  actor: Actor,
  projectId: string,
  id: string,
): Promise<number> {
  return audited({ store, now }, actor, { action: 'provider_key.rest', targetId: id, projectId }, async (stamp) => {
    const { provider } = await requireProviderKey(store, projectId, id)
    const until = stamp.at + REST_MS
    live.benchKey(provider, id, until, 'by_hand')
    await store.audit.append({ ...stamp, before: null, after: { provider, restsUntil: until } })
    return until
  })
}

/** Ends the rest of a key, whatever it was for. Throws `not_found`. */
export async function wakeProviderKey(
  { store, now, live }: RestParts,
  actor: Actor,
  projectId: string,
  id: string,
): Promise<void> {
  await audited({ store, now }, actor, { action: 'provider_key.wake', targetId: id, projectId }, async (stamp) => {
    const { provider } = await requireProviderKey(store, projectId, id)
    live.unbenchKey(provider, id)
    await store.audit.append({ ...stamp, before: null, after: { provider } })
  })
}
