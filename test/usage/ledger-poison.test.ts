import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { type LedgerBatch, type LedgerRow, type OpenRequest, StoreError } from '../../src/store/store.ts'
import { createLedger, type Ledger } from '../../src/usage/ledger.ts'
import { row } from './rows.ts'

const NOVEMBER = Date.UTC(2026, 10, 30)
const DECEMBER = Date.UTC(2026, 11, 1)

/** A database that takes a batch whole or not at all, as `refuses` has it for one of its rows. */
let written: string[]
let opened: string[]
let lost: string[]
let failures: { pending: number; refusing: boolean }[]
let recoveries: number
let refuses: (row: LedgerRow) => Error | null
let isLate: boolean
let ledger: Ledger

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'performance'] })
  written = []
  opened = []
  lost = []
  failures = []
  recoveries = 0
  refuses = () => null
  isLate = false
  const append = ({ rows, opens, takes }: LedgerBatch): boolean[] => {
    for (const one of rows) {
      const error = refuses(one)
      if (error) throw error
    }
    written.push(...rows.map(({ requestId }) => requestId))
    opened.push(...opens.map(({ requestId }) => requestId))
    return takes.map(() => true)
  }
  ledger = createLedger({
    store: { append: (batch) => (isLate ? Promise.resolve().then(() => append(batch)) : append(batch)) },
    now: () => DECEMBER,
    onFailure: (_error, pending, refusing) => failures.push({ pending, refusing }),
    onLost: ({ requestId }) => lost.push(requestId),
    onAnswerFailure: () => {},
    onRecovery: () => recoveries++,
  })
})
afterEach(() => void jest.useRealTimers())

const record = (id: string, at = DECEMBER) =>
  new Promise<void>((resolve) => ledger.record({ ...row(id), at }, 'tok_1', resolve))
const bad = (error: Error) => (one: LedgerRow) => (one.requestId.startsWith('bad') ? error : null)
const TOO_BIG = new RangeError('The bound bigint is too big')

describe.each([
  ['an embedded engine', false],
  ['an engine that answers later', true],
])('a row that no database takes, with %s', (_engine, late) => {
  beforeEach(() => {
    isLate = late
    refuses = bad(TOO_BIG)
  })

  it('is told of, and its answer ends; the rows beside it are written at once, and nobody is refused', async () => {
    await Promise.all([record('a'), record('bad'), record('b')])
    expect([written, lost, ledger.failing(), failures]).toEqual([['a', 'b'], ['bad'], false, []])
    expect(await ledger.close()).toEqual([])
  })

  it('does not keep requests beside it from leaving', async () => {
    const open = ledger.open({ requestId: 'o' } as OpenRequest)
    const [taken] = await Promise.all([ledger.take('tok_1'), open, record('bad'), record('o')])
    expect([taken, opened, written, lost]).toEqual([true, ['o'], ['o'], ['bad']])
  })

  it('among rows that wait for room is told of when there is room, and the others are written', async () => {
    refuses = () => new StoreError('full', 'disk is full')
    await Promise.all([record('a'), record('bad'), record('b')])
    expect([ledger.failing(), lost]).toEqual([true, []])
    refuses = bad(TOO_BIG)
    await jest.advanceTimersByTimeAsync(1_000)
    expect([written, lost, ledger.failing(), recoveries]).toEqual([['a', 'b'], ['bad'], false, 1])
  })
})

it('when nothing can be written for a reason nobody knows, it is not the rows: they wait, and new requests are refused', async () => {
  refuses = () => new TypeError('undefined is not a function')
  for (let i = 0; i < 30; i++) await record(`${i}`)
  expect(lost).toHaveLength(20)
  expect(ledger.failing()).toBe(true)
  refuses = () => null
  await jest.advanceTimersByTimeAsync(1_000)
  expect([written.length, ledger.failing(), recoveries]).toEqual([10, false, 1])
})

describe('rows of a month whose file is damaged', () => {
  const DAMAGED = new StoreError('corrupt', 'ledger-2026-11.db is damaged')
  beforeEach(() => {
    refuses = ({ at }) => (at < DECEMBER ? DAMAGED : null)
  })

  it('that is over wait, and keep neither other rows nor new requests out', async () => {
    await Promise.all([record('a'), record('old', NOVEMBER), record('b')])
    expect([written, lost, ledger.failing()]).toEqual([['a', 'b'], [], false])
    expect(failures).toEqual([{ pending: 1, refusing: false }])
    await record('c')
    await jest.advanceTimersByTimeAsync(5_000)
    expect([written, failures.length]).toEqual([['a', 'b', 'c'], 1])
    refuses = () => null
    await jest.advanceTimersByTimeAsync(1_000)
    expect([written, recoveries]).toEqual([['a', 'b', 'c', 'old'], 1])
  })

  it('are given back at the end', async () => {
    await record('old', NOVEMBER)
    expect((await ledger.close()).map(({ requestId }) => requestId)).toEqual(['old'])
  })

  it('that is this one keep new requests out until it is mended', async () => {
    refuses = () => DAMAGED
    await record('a')
    await jest.advanceTimersByTimeAsync(2_000)
    expect([ledger.failing(), lost, failures.at(-1)]).toEqual([true, [], { pending: 1, refusing: true }])
    refuses = () => null
    await jest.advanceTimersByTimeAsync(1_000)
    expect([ledger.failing(), written]).toEqual([false, ['a']])
  })
})
