import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { type LedgerBatch, StoreError } from '../../src/store/store.ts'
import { createLedger, type Ledger } from '../../src/usage/ledger.ts'
import { eventually } from '../helpers/http.ts'
import { row } from './rows.ts'

/** An engine that answers later: each append waits to be let through, or refused. */
let waiting: { batch: LedgerBatch; write(): void; refuse(): void }[]
let batches: LedgerBatch[]
let ledger: Ledger

beforeEach(() => {
  waiting = []
  batches = []
  ledger = createLedger({
    store: {
      append: (batch) =>
        new Promise((resolve, reject) => {
          const write = () => {
            batches.push(batch)
            resolve(batch.takes.map(() => true))
          }
          waiting.push({ batch, write, refuse: () => reject(new StoreError('unavailable', 'gone')) })
        }),
    },
    now: () => 1,
    onFailure: () => {},
    onAnswerFailure: () => {},
    onLost: () => {},
    onRecovery: () => {},
  })
})
afterEach(() => void jest.useRealTimers())

const add = (id: string) => ledger.record(row(id), null, () => {})
const asked = (count: number) => eventually(() => waiting.length === count, `${count} appends`)
const written = () => batches.flatMap(({ rows }) => rows.map(({ requestId }) => requestId))
const turns = async (count: number) => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve))
}

describe('an engine that answers later', () => {
  it('gets one transaction at a time, with all that came meanwhile in the next', async () => {
    add('a')
    await asked(1)
    add('b')
    await turns(20)
    add('c')
    const taken = ledger.take('tok_1')
    await turns(20)
    expect(waiting).toHaveLength(1)
    waiting[0]!.write()
    await asked(2)
    expect(waiting[1]!.batch).toMatchObject({ rows: [{ requestId: 'b' }, { requestId: 'c' }], takes: ['tok_1'] })
    waiting[1]!.write()
    expect(await taken).toBe(true)
    expect(written()).toEqual(['a', 'b', 'c'])
  })

  it('that fails keeps its rows for another try, and refuses its takes', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'performance'] })
    add('a')
    const taken = ledger.take('tok_1')
    taken.catch(() => {})
    await asked(1)
    waiting[0]!.refuse()
    await expect(taken).rejects.toThrow('gone')
    expect(ledger.failing()).toBe(true)
    await jest.advanceTimersByTimeAsync(1_000)
    await asked(2)
    waiting[1]!.write()
    await eventually(() => !ledger.failing(), 'recovery')
    expect(written()).toEqual(['a'])
  })

  it('is not asked to write the same rows twice while it takes its time', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'performance'] })
    add('a')
    await asked(1)
    waiting[0]!.refuse()
    await eventually(() => ledger.failing(), 'failure')
    await jest.advanceTimersByTimeAsync(5_000)
    for (const one of waiting.slice(1)) one.write()
    await turns(5)
    expect(written()).toEqual(['a'])
  })

  it('loses no row that failed while others were tried again', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'performance'] })
    add('a')
    await asked(1)
    waiting[0]!.refuse()
    await eventually(() => ledger.failing(), 'failure')
    await jest.advanceTimersByTimeAsync(1_000)
    await asked(2)
    add('b')
    await asked(3)
    waiting[2]!.refuse()
    await turns(5)
    waiting[1]!.write()
    await turns(5)
    await jest.advanceTimersByTimeAsync(1_000)
    for (const one of waiting.slice(3)) one.write()
    await turns(5)
    expect(written().sort()).toEqual(['a', 'b'])
  })
})
