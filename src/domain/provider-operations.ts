import { GatewayError } from '../errors.ts'
import { registerSecret } from '../redact.ts'
import type { Live } from '../routing/live.ts'
import type { ProviderKey } from '../store/store.ts'
import { type Actor, audited, recordNoChange } from './audit.ts'
import type { Parts } from './parts.ts'
import { requireProviderKey } from './provider-keys.ts'

/*
 * What is done with provider keys while the gateway runs. It changes nothing in the database: the audit log alone keeps it.
 */

/** The id of the operator's own key of a provider. */
export const SHARED_KEY_ID = 'shared'

/** `key` null: the operator's own. */
type Subject = { provider: string; key: ProviderKey | null }

const REST_MS = 60 * 60_000

/**
 * Lets a key of a project rest for an hour, in this process: it is tried last, after all others of its provider, also when it serves
 * meanwhile. Gives when it is over, in milliseconds. Throws `not_found`.
 */
export async function benchProviderKey(
  { store, now, live }: Pick<Parts, 'store' | 'now'> & { live: Pick<Live, 'benchKey'> },
  actor: Actor,
  projectId: string,
  id: string,
): Promise<number> {
  return audited({ store, now }, actor, { action: 'provider_key.bench', targetId: id, projectId }, async (stamp) => {
    const { provider } = await requireProviderKey(store, projectId, id)
    const until = stamp.at + REST_MS
    live.benchKey(provider, id, until, 'by_hand')
    await recordNoChange({ store, now }, stamp, { provider, restsUntil: until })
    return until
  })
}

/** Lets a key that rests work again, in this process, whatever it rested for. False: it did not rest (any more). */
export async function unbenchProviderKey(
  { store, now, live }: Pick<Parts, 'store' | 'now'> & { live: Pick<Live, 'unbenchKey'> },
  actor: Actor,
  { provider, key }: Subject,
): Promise<boolean> {
  const id = key?.id ?? SHARED_KEY_ID
  const subject = { action: 'provider_key.unbench', targetId: id, projectId: key?.projectId ?? null }
  return audited({ store, now }, actor, subject, async (stamp) => {
    const rested = live.unbenchKey(provider, id)
    await recordNoChange({ store, now }, stamp, { provider, rested })
    return rested
  })
}

/**
 * Tries a provider out with a key: `ask` is given the key in clear. Throws `conflict` when there is no such key of the operator, or
 * this gateway's encryption key does not open it.
 */
export async function testProvider<T extends { verdict: string }>(
  { store, now, sealer }: Pick<Parts, 'store' | 'now' | 'sealer'>,
  actor: Actor,
  { provider, key, sharedKey }: Subject & { sharedKey: string | null },
  ask: (secret: string) => Promise<T>,
): Promise<T> {
  const subject = {
    action: 'provider.test',
    targetId: key?.id ?? SHARED_KEY_ID,
    projectId: key?.projectId ?? null,
  }
  return audited({ store, now }, actor, subject, async (stamp) => {
    const tested = await ask(key === null ? required(sharedKey) : openKey(sealer, key))
    await recordNoChange({ store, now }, stamp, { provider, verdict: tested.verdict })
    return tested
  })
}

function required(sharedKey: string | null): string {
  if (sharedKey !== null) return sharedKey
  throw new GatewayError('conflict', {
    message: 'The operator has no key for this provider: choose a key of a project.',
  })
}

/** The key in clear; from here on no log shows it. Throws `conflict`. */
export function openKey(sealer: Parts['sealer'], { sealed }: Pick<ProviderKey, 'sealed'>): string {
  try {
    const secret = sealer.open(sealed)
    registerSecret(secret)
    return secret
  } catch (cause) {
    throw new GatewayError('conflict', {
      message: "The gateway's encryption key does not open this key: restore ENCRYPTION_KEY, or enter the key again.",
      cause,
    })
  }
}
