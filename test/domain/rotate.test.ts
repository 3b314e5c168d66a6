import { describe, expect, it } from '@jest/globals'
import { addProviderKey } from '../../src/domain/provider-keys.ts'
import { rotateEncryptionKey } from '../../src/domain/rotate.ts'
import { createSealer } from '../../src/domain/secrets.ts'
import { actor, given } from './given.ts'

const next = createSealer(Buffer.alloc(32, 2))
const lost = createSealer(Buffer.alloc(32, 3))

describe('a new encryption key', () => {
  it('opens every provider key after the rotation, which may be repeated', async () => {
    const { parts, store, sealer, project, audited } = await given()
    const { id } = await project()
    for (const key of ['one', 'two']) await addProviderKey(parts, actor, id, { provider: 'openai', key })
    const opened = async () => (await store.providerKeys.listByProject(id)).map(({ sealed }) => next.open(sealed))

    expect(await rotateEncryptionKey(parts, actor, sealer, next)).toBe(2)
    expect(await opened()).toEqual(['one', 'two'])
    await addProviderKey({ ...parts, sealer }, actor, id, { provider: 'openai', key: 'three' })
    expect(await rotateEncryptionKey(parts, actor, sealer, next)).toBe(3)
    expect(await opened()).toEqual(['one', 'two', 'three'])
    expect(await audited('encryption_key.rotate')).toHaveLength(2)
  })

  it('changes nothing when one provider key does not open', async () => {
    const { parts, store, sealer, project, audited } = await given()
    const { id } = await project()
    await addProviderKey(parts, actor, id, { provider: 'openai', key: 'one' })
    await addProviderKey({ ...parts, sealer: lost }, actor, id, { provider: 'openai', key: 'two' })
    const before = await store.providerKeys.listByProject(id)
    await expect(rotateEncryptionKey(parts, actor, sealer, next)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('nothing was changed'),
    })
    expect(await store.providerKeys.listByProject(id)).toEqual(before)
    expect(await audited('encryption_key.rotate')).toEqual([
      expect.objectContaining({ outcome: 'failure', reason: 'conflict' }),
    ])
  })

  it('is on record also where there was nothing to seal', async () => {
    const { parts, sealer, audited } = await given()
    expect(await rotateEncryptionKey(parts, actor, sealer, next)).toBe(0)
    expect(await audited('encryption_key.rotate')).toHaveLength(1)
  })
})
