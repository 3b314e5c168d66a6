import { GatewayError } from '../errors.ts'
import { type Actor, audited, recordNoChange } from './audit.ts'
import type { Parts } from './parts.ts'
import type { Sealer } from './secrets.ts'

/**
 * Seals every provider key, and what admin users' second factors are made of, anew with another encryption key, all or none; how
 * many there are. What is sealed with the new one already stays, so that a rotation can be repeated. Throws `conflict` when one
 * opens with neither.
 */
export async function rotateEncryptionKey(
  { store, now }: Pick<Parts, 'store' | 'now'>,
  actor: Actor,
  from: Sealer,
  to: Sealer,
): Promise<number> {
  return audited({ store, now }, actor, { action: 'encryption_key.rotate' }, async (stamp) => {
    const count = await store.providerKeys.resealAll((sealed) => reseal(sealed, from, to), stamp)
    if (count === 0) await recordNoChange({ store, now }, stamp, { resealed: 0 })
    return count
  })
}

function reseal(sealed: string, from: Sealer, to: Sealer): string {
  // The envelope names the key that made it; see secrets.ts.
  const madeWith = sealed.split('.')[1]
  try {
    if (madeWith !== to.keyId) return to.seal(from.open(sealed))
    to.open(sealed)
    return sealed
  } catch (cause) {
    throw new GatewayError('conflict', {
      message: `A secret in the database does not open with the encryption key ${from.keyId}: nothing was changed.`,
      cause,
    })
  }
}
