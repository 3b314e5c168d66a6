import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { type LedgerBatch, StoreError } from '../../src/store/store.ts'
import { createLedger, type Ledger } from '../../src/usage/ledger.ts'
import { eventually } from '../helpers/http.ts'
import { row } from './rows.ts'

/** A database that keeps what it is given, and fails or answers late as it is told. */
let state: {
  batches: LedgerBatch[]
  broken: boolean
  late: PromiseWithResolvers<void>[] | null
  failures: number[]
  recoveries: number
  answerFailures: string[]
}
let ledger: Ledger

const append = (batch: LedgerBatch): boolean[] | Promise<boolean[]> => {
  const write = () => {
    if (state.broken) throw new StoreError('full', 'disk is full')
    state.batches.push(batch)
    return batch.takes.map((tokenId) => tokenId !== 'tok_used_up')
  }
  if (state.late === null) return write()
  const gate = Promise.withResolvers<void>()
  state.late.push(gate)
  return gate.promise.then(write)
}

beforeEach(() => {
  state = { batches: [], broken: false, late: null, failures: [], recoveries: 0, answerFailures: [] }
  ledger = createLedger({
    store: { append },
    now: () => 777,
    onFailure: (_error, pending) => state.failures.push(pending),
    onAnswerFailure: (requestId) => state.answerFailures.push(requestId),
    onLost: () => {},
    onRecovery: () => state.recoveries++,
  })
})
afterEach(() => void jest.useRealTimers())

const record = (id: string, countFor: string | null = null) =>
  new Promise<void>((resolve) => ledger.record(row(id), countFor, resolve))
const written = () => state.batches.flatMap(({ rows }) => rows.map(({ requestId }) => requestId))

describe('rows', () => {
  it('of one turn of the event loop are one transaction, in their order, with the counts of each token', async () => {
    await Promise.all([record('a', 'tok_1'), record('b', 'tok_2'), record('c', 'tok_1'), record('d')])
    expect(state.batches).toHaveLength(1)
    expect(written()).toEqual(['a', 'b', 'c', 'd'])
    expect(state.batches[0]).toMatchObject({
      takes: [],
      counts: new Map([
        ['tok_1', 2],
        ['tok_2', 1],
      ]),
      at: 777,
    })
  })

  it('are told to be done when they are written, not before', async () => {
    let done = false
    ledger.record(row('a'), null, () => {
      done = true
      expect(written()).toEqual(['a'])
    })
    expect(done).toBe(false)
    await eventually(() => done, 'the commit')
  })

  it('that come without end are few transactions, and none is lost', async () => {
    const all: Promise<void>[] = []
    for (let turn = 0; turn < 500; turn++) {
      for (let i = 0; i < 4; i++) all.push(record(`${turn}-${i}`))
      await new Promise((resolve) => setImmediate(resolve))
    }
    await Promise.all(all)
    expect(written()).toHaveLength(2_000)
    expect(new Set(written()).size).toBe(2_000)
    expect(state.batches.length).toBeLessThan(300)
  })

  it('of others are written and told though one answer throws', async () => {
    ledger.record(row('bad'), null, () => {
      throw new Error('socket')
    })
    await record('good')
    expect(written()).toEqual(['bad', 'good'])
    expect([state.answerFailures, ledger.failing()]).toEqual([['bad'], false])
  })
})

describe('a take', () => {
  it('says of each request in order whether it was counted, in the transaction of the rows', async () => {
    const [one, two, three] = await Promise.all([
      ledger.take('tok_1'),
      ledger.take('tok_used_up'),
      ledger.take('tok_1'),
      record('a'),
    ])
    expect([one, two, three]).toEqual([true, false, true])
    expect(state.batches).toMatchObject([{ takes: ['tok_1', 'tok_used_up', 'tok_1'], rows: [{ requestId: 'a' }] }])
  })

  it('that cannot be written throws, and is not tried again later', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'performance'] })
    state.broken = true
    await expect(ledger.take('tok_1')).rejects.toThrow('disk is full')
    state.broken = false
    await jest.advanceTimersByTimeAsync(5_000)
    expect(state.batches.flatMap(({ takes }) => takes)).toEqual([])
  })
})

describe('while the database cannot be written', () => {
  beforeEach(() => void jest.useFakeTimers({ doNotFake: ['setImmediate', 'performance'] }))

  it('answers still end, rows are kept and tried every second, and it is known', async () => {
    state.broken = true
    await record('a', 'tok_1')
    expect([ledger.failing(), written(), state.failures]).toEqual([true, [], [1]])
    await record('b')
    expect(state.failures).toEqual([1, 2])
    await jest.advanceTimersByTimeAsync(3_000)
    expect(state.failures).toEqual([1, 2, 2, 2, 2])
    state.broken = false
    await jest.advanceTimersByTimeAsync(1_000)
    expect([ledger.failing(), state.recoveries, written()]).toEqual([false, 1, ['a', 'b']])
    expect(state.batches[0]?.counts).toEqual(new Map([['tok_1', 1]]))
    await jest.advanceTimersByTimeAsync(10_000)
    expect(written()).toEqual(['a', 'b'])
  })

  it('it fails again later as it did first', async () => {
    for (const id of ['a', 'b']) {
      state.broken = true
      await record(id)
      state.broken = false
      await jest.advanceTimersByTimeAsync(1_000)
    }
    expect([written(), state.recoveries, ledger.failing()]).toEqual([['a', 'b'], 2, false])
  })
})

describe('closing', () => {
  it('writes what waits for its turn', async () => {
    ledger.record(row('a'), null, () => {})
    expect(await ledger.close()).toEqual([])
    expect(written()).toEqual(['a'])
  })

  it('tries once more what could not be written, and gives back what still cannot', async () => {
    state.broken = true
    await record('a')
    expect((await ledger.close()).map(({ requestId }) => requestId)).toEqual(['a'])
    state.broken = false
    expect(await ledger.close()).toEqual([])
    expect(written()).toEqual(['a'])
  })

  it('waits for what is being written', async () => {
    state.late = []
    ledger.record(row('a'), null, () => {})
    await eventually(() => state.late!.length === 1, 'the append')
    ledger.record(row('b'), null, () => {})
    const closed = ledger.close()
    state.late[0]!.resolve()
    await eventually(() => state.late!.length === 2, 'the second append')
    state.late[1]!.resolve()
    await closed
    expect(written()).toEqual(['a', 'b'])
  })

  it('leaves no timer behind that tries again on a database that is closed', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'performance'] })
    state.broken = true
    ledger.record(row('a'), null, () => {})
    await ledger.close()
    expect(jest.getTimerCount()).toBe(0)
  })
})
