import { expect, it } from '@jest/globals'
import type { Pin } from '../../src/store/store.ts'
import type { Given } from './contract.ts'
import { NOON } from './samples.ts'

const aPin = (fields: Partial<Pin> = {}): Pin => ({
  objectId: 'file-1',
  projectId: 'proj_a',
  provider: 'openai',
  keyId: 'shared',
  createdAt: NOON,
  expiresAt: null,
  ...fields,
})

export function describePins(given: Given): void {
  it('finds the owners of the objects that are asked for, of all projects', async () => {
    const { pins } = given.store
    const mine = aPin()
    const namesake = aPin({ projectId: 'proj_b', provider: 'my-llm', keyId: 'key_b', expiresAt: NOON + 1 })
    const other = aPin({ objectId: "file-'2" })
    await pins.apply([mine, namesake, other, aPin({ objectId: 'file-3' })].map((pin) => ({ kind: 'made', pin })))
    expect(await pins.find(['file-1', "file-'2", 'file-none'])).toEqual(expect.arrayContaining([mine, namesake, other]))
    expect(await pins.find(['file-1', "file-'2", 'file-none'])).toHaveLength(3)
    expect(await pins.find([])).toEqual([])
  })

  it('takes an object that was made from who had one of that name in the same account, and from nobody else', async () => {
    const { pins } = given.store
    const before = aPin({ projectId: 'proj_b' })
    const elsewhere = aPin({ projectId: 'proj_c', keyId: 'key_c' })
    await pins.apply([before, elsewhere].map((pin) => ({ kind: 'made', pin })))
    await pins.apply([{ kind: 'made', pin: aPin() }])
    expect((await pins.find(['file-1'])).map(({ projectId }) => projectId).sort()).toEqual(['proj_a', 'proj_c'])
  })

  it('gives nobody an object that was only seen and is another project’s', async () => {
    const { pins } = given.store
    await pins.apply([{ kind: 'made', pin: aPin() }])
    await pins.apply([{ kind: 'seen', pin: aPin({ projectId: 'proj_b' }) }])
    await pins.apply([{ kind: 'seen', pin: aPin({ objectId: 'file-2', projectId: 'proj_b' }) }])
    expect(await pins.find(['file-1', 'file-2'])).toEqual([aPin(), aPin({ objectId: 'file-2', projectId: 'proj_b' })])
  })

  it('moves an object to another key of its project, and forgets it, in the order that it is told', async () => {
    const { pins } = given.store
    const moved = aPin({ keyId: 'key_new', expiresAt: NOON })
    await pins.apply([
      { kind: 'made', pin: aPin() },
      { kind: 'made', pin: moved },
    ])
    expect(await pins.find(['file-1'])).toEqual([moved])
    await pins.apply([
      { kind: 'forgotten', pin: { objectId: 'file-1', projectId: 'proj_b' } },
      { kind: 'forgotten', pin: moved },
    ])
    expect(await pins.find(['file-1'])).toEqual([])
  })

  it('deletes what has expired, no more at once than asked', async () => {
    const { pins } = given.store
    const dated = [-2, -1, 0, 1].map((ms) => aPin({ objectId: `dated${ms}`, expiresAt: NOON + ms }))
    await pins.apply([...dated, aPin()].map((pin) => ({ kind: 'made', pin })))
    expect(await pins.deleteExpired(NOON, 2)).toBe(2)
    expect(await pins.deleteExpired(NOON, 2)).toBe(1)
    expect(await pins.deleteExpired(NOON, 2)).toBe(0)
    expect(await pins.find([...dated.map(({ objectId }) => objectId), 'file-1'])).toHaveLength(2)
  })

  it('does not count an object as a change of who may ask', async () => {
    const before = given.store.revision()
    await given.store.pins.apply([{ kind: 'made', pin: aPin() }])
    expect(given.store.revision()).toBe(before)
  })
}
