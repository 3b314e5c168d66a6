import { GatewayError } from '../errors.ts'
import { newId } from '../ids.ts'
import { registerSecret } from '../redact.ts'
import type { ProviderKey } from '../store/store.ts'
import { type Actor, audited, recordNoChange } from './audit.ts'
import { requireProject } from './find.ts'
import type { Parts } from './parts.ts'
import { providerKeyInput, replaceProviderKeyInput, updateProviderKeyInput } from './schemas.ts'
import { last4, type Sealer } from './secrets.ts'
import { parseInput } from './validate.ts'

/** Adds a key to a project. Throws `not_found`, `validation_failed`. */
export async function addProviderKey(
  { store, sealer, providerNames, now }: Pick<Parts, 'store' | 'sealer' | 'providerNames' | 'now'>,
  actor: Actor,
  projectId: string,
  input: unknown,
): Promise<ProviderKey> {
  return audited({ store, now }, actor, { action: 'provider_key.create', projectId }, async (stamp) => {
    await requireProject(store, projectId)
    const key = sealKey(sealer, projectId, parseInput(providerKeyInput(providerNames), input), stamp.at)
    await store.providerKeys.create(key, { ...stamp, targetId: key.id })
    return key
  })
}

/** Changes its weight. Throws `not_found`, `validation_failed`. */
export async function updateProviderKey(
  { store, now }: Pick<Parts, 'store' | 'now'>,
  actor: Actor,
  projectId: string,
  id: string,
  input: unknown,
): Promise<ProviderKey> {
  return audited({ store, now }, actor, { action: 'provider_key.update', targetId: id, projectId }, async (stamp) => {
    await requireProviderKey(store, projectId, id)
    const patch = parseInput(updateProviderKeyInput(), input)
    return (await store.providerKeys.update(projectId, id, patch, stamp)) ?? throwAbsent()
  })
}

/**
 * A new key of the same provider in place of an old one, in one step, so that no request finds neither. It has an id of its own: what was
 * learnt of the old one (that it rests, that it was refused) is not held against it. Throws `not_found`, `validation_failed`.
 */
export async function replaceProviderKey(
  { store, sealer, now }: Pick<Parts, 'store' | 'sealer' | 'now'>,
  actor: Actor,
  projectId: string,
  id: string,
  input: unknown,
): Promise<ProviderKey> {
  return audited({ store, now }, actor, { action: 'provider_key.replace', targetId: id, projectId }, async (stamp) => {
    const old = await requireProviderKey(store, projectId, id)
    const { key, weight = old.weight } = parseInput(replaceProviderKeyInput(), input)
    const made = sealKey(sealer, projectId, { provider: old.provider, key, weight }, stamp.at)
    return (await store.providerKeys.replace(id, made, stamp)) ? made : throwAbsent()
  })
}

/** Throws `not_found`. */
export async function requireProviderKey(
  { providerKeys }: Pick<Parts['store'], 'providerKeys'>,
  projectId: string,
  id: string,
): Promise<ProviderKey> {
  return (await providerKeys.listByProject(projectId)).find((key) => key.id === id) ?? throwAbsent()
}

function throwAbsent(): never {
  throw new GatewayError('not_found', { message: 'The project has no such provider key.' })
}

/** False when the project has no such key (any more). */
export async function deleteProviderKey(
  { store, now }: Pick<Parts, 'store' | 'now'>,
  actor: Actor,
  projectId: string,
  id: string,
): Promise<boolean> {
  return audited({ store, now }, actor, { action: 'provider_key.delete', targetId: id, projectId }, async (stamp) => {
    const deleted = await store.providerKeys.delete(projectId, id, stamp)
    if (!deleted) await recordNoChange({ store, now }, stamp)
    return deleted
  })
}

/** The row of a new key. From here on no log shows it. */
export function sealKey(
  sealer: Sealer,
  projectId: string,
  { provider, key, weight = 1 }: { provider: string; key: string; weight?: number | undefined },
  at: number,
): ProviderKey {
  registerSecret(key)
  // Of a short key the last four characters would tell too much.
  const tail = key.length < MIN_TELLABLE ? '' : last4(key)
  return { id: newId('key'), projectId, provider, sealed: sealer.seal(key), last4: tail, weight, createdAt: at }
}

const MIN_TELLABLE = 12
