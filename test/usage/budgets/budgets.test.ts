import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { Budget, LedgerRow } from '../../../src/store/store.ts'
import { type Amount, type Budgets, createBudgets, type Reservation } from '../../../src/usage/budgets.ts'
import { NO_USAGE } from '../../../src/usage/read-usage.ts'
import { caller } from '../../proxy/unit/caller.ts'
import { row } from '../rows.ts'

const DAY = 86_400_000
const NOON = Date.UTC(2026, 10, 21, 12)
const budget = (limitNanoUsd: number | null, fields: Partial<Budget> = {}): Budget => ({
  period: 'day',
  limitNanoUsd,
  limitTokens: null,
  resetAt: null,
  ...fields,
})
const usd = (nanoUsd: number, tokens = 0): Amount => ({ nanoUsd: BigInt(nanoUsd), tokens })

/** Budgets over a ledger that is a list: what is committed is counted. */
function given(spentBefore: LedgerRow[] = []) {
  const committed = [...spentBefore]
  let counts = 0
  let reports = 0
  /** Runs while spending is being counted. */
  let meanwhile: (() => void) | null = null
  const sumsOf = (kind: 'token' | 'project', from: number, to: number | null) => {
    const sums = new Map<string, Amount>()
    for (const { tokenId, projectId, at, costNanoUsd, usage } of committed) {
      const id = kind === 'token' ? tokenId : projectId
      if (id === null || at < from || (to !== null && at >= to)) continue
      const sum = sums.get(id) ?? usd(0)
      sums.set(id, sum)
      sum.nanoUsd += costNanoUsd ?? 0n
      sum.tokens += usage.inputTokens + usage.outputTokens
    }
    return sums
  }
  const afterwards = async () => {
    await new Promise((resolve) => setImmediate(resolve))
    const act = meanwhile
    meanwhile = null
    act?.()
  }
  const budgets: Budgets = createBudgets({
    async spend(owner, from, to) {
      counts++
      const sum = sumsOf(owner.kind, from, to).get(owner.id) ?? usd(0)
      await afterwards()
      return sum
    },
    async spendOfAll(kind, from, to) {
      reports++
      const sums = sumsOf(kind, from, to)
      await afterwards()
      return sums
    },
  })
  const commit = (one: LedgerRow, reservation: Reservation | null = null) => {
    committed.push(one)
    if (reservation) budgets.release(reservation)
    budgets.spent(one)
  }
  const whileCounting = (act: () => void) => {
    meanwhile = act
  }
  return { budgets, commit, counts: () => counts, reports: () => reports, whileCounting }
}
const ended = (nanoUsd: number | null, at = NOON, tokens = 0, fields: Partial<LedgerRow> = {}): LedgerRow => ({
  ...row('req_1'),
  at,
  tokenId: 'tok_a',
  projectId: 'proj_a',
  costNanoUsd: nanoUsd === null ? null : BigInt(nanoUsd),
  usage: { ...NO_USAGE, inputTokens: tokens, source: 'reported' },
  ...fields,
})
const asking = (token: Budget[] | null, project: Budget[] | null = null) =>
  caller({ token: { id: 'tok_a', budgets: token }, project: { id: 'proj_a', budgets: project } })
const TOKEN = { kind: 'token', id: 'tok_a' } as const
const PROJECT = { kind: 'project', id: 'proj_a' } as const

describe('a budget', () => {
  it('gives room until it is used up, to the last nano-dollar', async () => {
    const { budgets } = given()
    const who = asking([budget(100)])
    expect((await budgets.reserve(who, usd(60), NOON)).ok).toBe(true)
    expect((await budgets.reserve(who, usd(41), NOON)).ok).toBe(false)
    expect((await budgets.reserve(who, usd(40), NOON)).ok).toBe(true)
    expect((await budgets.reserve(who, usd(1), NOON)).ok).toBe(false)
  })

  it('says what is in the way', async () => {
    const { budgets } = given([ended(70)])
    const who = asking([budget(100)])
    await budgets.reserve(who, usd(20), NOON)
    expect(await budgets.reserve(who, usd(11), NOON)).toEqual({
      ok: false,
      amount: usd(11),
      refused: {
        owner: TOKEN,
        budget: budget(100),
        window: { from: NOON - DAY / 2, to: NOON + DAY / 2 },
        used: usd(70),
        reserved: usd(20),
      },
    })
  })

  it('gives back what was held and takes what it came to, more or less', async () => {
    const { budgets, commit } = given()
    const who = asking([budget(100)])
    for (const cost of [10, 80]) {
      const reserved = await budgets.reserve(who, usd(50), NOON)
      if (!reserved.ok) throw new Error('refused')
      commit(ended(cost), reserved.reservation)
    }
    expect(await budgets.states(TOKEN, [budget(100)], NOON)).toMatchObject([{ used: usd(90), reserved: usd(0) }])
  })

  it('gives back once, however often it is told', async () => {
    const { budgets } = given()
    const who = asking([budget(100)])
    const kept = await budgets.reserve(who, usd(50), NOON)
    const gone = await budgets.reserve(who, usd(50), NOON)
    if (!kept.ok || !gone.ok) throw new Error('refused')
    budgets.release(gone.reservation)
    budgets.release(gone.reservation)
    expect((await budgets.states(TOKEN, [budget(100)], NOON))[0]!.reserved).toEqual(usd(50))
  })

  it('of tokens counts input and output together', async () => {
    const { budgets } = given([ended(null, NOON, 90)])
    const who = asking([budget(null, { limitTokens: 100 })])
    expect((await budgets.reserve(who, usd(0, 11), NOON)).ok).toBe(false)
    expect((await budgets.reserve(who, usd(5_000_000, 10), NOON)).ok).toBe(true)
  })

  it('of the project is one for all of its tokens, and takes nothing when the token’s has no room', async () => {
    const { budgets } = given([ended(30, NOON, 0, { tokenId: 'tok_other' })])
    const who = asking([budget(10)], [budget(100)])
    expect((await budgets.reserve(who, usd(11), NOON)).ok).toBe(false)
    expect(await budgets.states(PROJECT, [budget(100)], NOON)).toMatchObject([{ used: usd(30), reserved: usd(0) }])
    expect((await budgets.reserve(asking(null, [budget(100)]), usd(71), NOON)).ok).toBe(false)
    expect((await budgets.reserve(asking(null, [budget(100)]), usd(70), NOON)).ok).toBe(true)
  })

  it('of a day begins anew with the day, and an answer that ends after midnight belongs to the day before', async () => {
    const { budgets, commit } = given()
    const who = asking([budget(100)])
    const late = await budgets.reserve(who, usd(90), NOON)
    expect((await budgets.reserve(who, usd(90), NOON + DAY)).ok).toBe(true)
    if (!late.ok) throw new Error('refused')
    commit(ended(90, NOON), late.reservation)
    expect(await budgets.states(TOKEN, [budget(100)], NOON + DAY)).toMatchObject([{ used: usd(0), reserved: usd(90) }])
    expect(await budgets.states(TOKEN, [budget(100)], NOON)).toMatchObject([{ used: usd(90), reserved: usd(0) }])
  })

  it('knows what was spent although the clock jumped back into another month', async () => {
    const { budgets } = given([ended(60, NOON - 40 * DAY)])
    const monthly = [budget(100, { period: 'month' })]
    expect((await budgets.reserve(asking(monthly), usd(100), NOON)).ok).toBe(true)
    expect((await budgets.reserve(asking(monthly), usd(41), NOON - 40 * DAY)).ok).toBe(false)
  })

  it('that is reset forgets what was spent before', async () => {
    const { budgets } = given([ended(100, NOON - 1)])
    expect((await budgets.reserve(asking([budget(100)]), usd(1), NOON)).ok).toBe(false)
    expect((await budgets.reserve(asking([budget(100, { resetAt: NOON })]), usd(100), NOON)).ok).toBe(true)
  })
})

describe('what was spent before', () => {
  it('is counted once, and kept from then on', async () => {
    const { budgets, commit, counts } = given([ended(10)])
    await Promise.all([1, 2, 3].map(() => budgets.states(TOKEN, [budget(100)], NOON)))
    commit(ended(5))
    expect(await budgets.states(TOKEN, [budget(100)], NOON)).toMatchObject([{ used: usd(15) }])
    expect(counts()).toBe(1)
  })

  it('is counted again when something was spent meanwhile, and nothing twice', async () => {
    const { budgets, commit, counts, whileCounting } = given([ended(10)])
    whileCounting(() => commit(ended(7)))
    expect(await budgets.states(TOKEN, [budget(100)], NOON)).toMatchObject([{ used: usd(17) }])
    expect(counts()).toBe(2)
  })

  it('of many owners is asked for in one report for each period, and counted on from there', async () => {
    const many = Array.from({ length: 50 }, (_, i) => ended(i, NOON, i, { tokenId: `tok_${i}` }))
    const { budgets, commit, counts, reports } = given(many)
    const entries = many.map((_, i) => ({
      owner: { kind: 'token' as const, id: `tok_${i}` },
      budgets: [budget(100), budget(500, { period: 'month' })],
    }))
    const idle = { owner: { kind: 'token' as const, id: 'tok_idle' }, budgets: [budget(100)] }
    const states = await budgets.statesOfAll([...entries, idle], NOON)
    expect([reports(), counts()]).toEqual([2, 0])
    expect(states).toHaveLength(101)
    expect(states.find(({ owner }) => owner.id === 'tok_7')).toMatchObject({ used: usd(7, 7) })
    expect(states.at(-1)).toMatchObject({ owner: { id: 'tok_idle' }, used: usd(0) })
    commit(ended(5, NOON, 0, { tokenId: 'tok_7' }))
    expect(await budgets.states(entries[7]!.owner, [budget(100)], NOON)).toMatchObject([{ used: usd(12, 7) }])
    await budgets.statesOfAll(entries, NOON)
    expect([reports(), counts()]).toEqual([2, 0])
  })

  it('of many owners, too, is exact when something is spent while it is counted', async () => {
    const { budgets, commit, counts, whileCounting } = given([ended(10)])
    const entries = ['tok_a', 'tok_b', 'tok_c'].map((id) => ({
      owner: { kind: 'token' as const, id },
      budgets: [budget(100)],
    }))
    whileCounting(() => commit(ended(7)))
    const states = await budgets.statesOfAll(entries, NOON)
    expect(states.map(({ used }) => used.nanoUsd)).toEqual([17n, 0n, 0n])
    // The one that was spent on, by itself.
    expect(counts()).toBe(1)
  })

  it('that cannot be counted refuses the request, and is tried again for the next', async () => {
    let broken = true
    const budgets = createBudgets({
      async spend() {
        if (broken) throw new Error('disk')
        return usd(0)
      },
      spendOfAll: async () => new Map(),
    })
    await expect(budgets.reserve(asking([budget(100)]), usd(1), NOON)).rejects.toThrow('disk')
    broken = false
    expect((await budgets.reserve(asking([budget(100)]), usd(1), NOON)).ok).toBe(true)
  })
})

it('many owners do not fill the memory, and nobody who has a request under way is forgotten', async () => {
  let counts = 0
  const budgets = createBudgets({
    async spend() {
      counts++
      return usd(0)
    },
    spendOfAll: async () => new Map(),
    maxIdle: 50,
  })
  const who = (id: number) => caller({ token: { id: `tok_${id}`, budgets: [budget(100)] }, project: { budgets: null } })
  await budgets.reserve(who(0), usd(60), NOON)
  for (let id = 1; id < 500; id++) {
    const one = await budgets.reserve(who(id), usd(60), NOON + id)
    if (one.ok) budgets.release(one.reservation)
  }
  expect((await budgets.reserve(who(0), usd(60), NOON)).ok).toBe(false)
  expect(counts).toBe(500)
})

it('a look at more owners than there is room for forgets none that requests use', async () => {
  let counts = 0
  const budgets = createBudgets({
    async spend() {
      counts++
      return usd(3)
    },
    spendOfAll: async () => new Map([['tok_7', usd(7)]]),
    maxIdle: 50,
  })
  const busy = asking([budget(100)])
  const before = await budgets.reserve(busy, usd(1), NOON)
  if (before.ok) budgets.release(before.reservation)
  const entries = Array.from({ length: 500 }, (_, i) => ({
    owner: { kind: 'token' as const, id: `tok_${i}` },
    budgets: [budget(100)],
  }))
  const states = await budgets.statesOfAll([{ owner: TOKEN, budgets: [budget(100)] }, ...entries], NOON + 1)
  expect(states.map(({ used }) => used.nanoUsd).slice(0, 9)).toEqual([3n, 0n, 0n, 0n, 0n, 0n, 0n, 0n, 7n])
  await budgets.reserve(busy, usd(1), NOON + 2)
  expect(counts).toBe(1)
})

it('no interleaving of requests, ends, and crashes of the account passes a budget', async () => {
  const step = fc.record({
    what: fc.constantFrom('ask', 'end', 'abort'),
    amount: fc.integer({ min: 0, max: 40 }),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.integer({ min: 0, max: 100 }), async (steps, limit) => {
      const { budgets, commit } = given()
      const who = asking(limit === 0 ? null : [budget(limit)], [budget(80), budget(500, { period: 'month' })])
      const open: { reservation: Reservation; amount: number }[] = []
      let spent = 0
      for (const { what, amount, share } of steps) {
        if (what === 'ask') {
          const asked = await budgets.reserve(who, usd(amount), NOON)
          if (asked.ok) open.push({ reservation: asked.reservation, amount })
        } else if (open.length > 0) {
          const one = open.splice(Math.floor(share * (open.length - 1)), 1)[0]!
          const cost = what === 'abort' ? 0 : Math.floor(one.amount * share)
          spent += cost
          commit(ended(cost), one.reservation)
        }
        const held = open.reduce((sum, { amount: held }) => sum + held, 0)
        expect(spent + held).toBeLessThanOrEqual(limit === 0 ? 80 : Math.min(80, limit))
        const [state] = await budgets.states(PROJECT, [budget(80)], NOON)
        expect([state!.used.nanoUsd, state!.reserved.nanoUsd]).toEqual([BigInt(spent), BigInt(held)])
      }
    }),
    { numRuns: 60 },
  )
})
