import type { Caller } from '../domain/token-index.ts'
import type { Budget, Drift, LedgerRow } from '../store/store.ts'
import { type BudgetWindow, windowAt } from './budget-window.ts'

export type Amount = { nanoUsd: bigint; tokens: number }
export type BudgetOwner = { kind: 'token' | 'project'; id: string }

/** Where a budget stands. */
export type BudgetState = {
  owner: BudgetOwner
  budget: Budget
  window: BudgetWindow
  used: Amount
  /** Held back for requests under way. */
  reserved: Amount
}

export type Reservation = { readonly accounts: Account[]; readonly amount: Amount; open: boolean }
export type Reserved = { ok: true; reservation: Reservation } | { ok: false; refused: BudgetState; amount: Amount }

type Account = {
  owner: BudgetOwner
  window: BudgetWindow
  used: Amount
  reserved: Amount
  /** Until what was spent before is known; then null. */
  loading: Promise<void> | null
  /** Something was spent while it was being counted. */
  stale: boolean
  lastUsedAt: number
}

export type Budgets = {
  /**
   * Holds `amount` back in every budget of token and project, or in none of them. Nothing waits between the look at a budget and
   * the taking, so no two requests take the last of it. Throws `StoreError` when what was spent so far cannot be read.
   */
  reserve(caller: Caller, amount: Amount, at: number): Promise<Reserved>
  /** Gives back what was held. A second call does nothing. */
  release(reservation: Reservation): void
  /** Takes the row's cost and tokens from every budget that covers it. Call when it is committed, in the same turn as `release`. */
  spent(row: LedgerRow): void
  /** The same, at once and without those that nobody has asked about yet. */
  known(caller: Caller, at: number): BudgetState[]
  /** Costs of the past were changed: all that was spent is counted anew. What cannot be counted stays as it was; throws `StoreError`. */
  recount(): Promise<void>
  /** Invariant: none holds back less than nothing. */
  reservedBelowZero(): Drift[]
  /** Where these budgets stand now. */
  states(owner: BudgetOwner, budgets: readonly Budget[], at: number): Promise<BudgetState[]>
  /** The same of many owners: what they have spent so far is asked for together. */
  statesOfAll(
    entries: readonly { owner: BudgetOwner; budgets: readonly Budget[] }[],
    at: number,
  ): Promise<BudgetState[]>
}

type Options = {
  /** Committed spending of an owner, `from` inclusive, `to` exclusive. */
  spend(owner: BudgetOwner, from: number, to: number | null): Promise<Amount>
  /** The same of all owners of a kind that have spent something, by their ids. */
  spendOfAll(kind: BudgetOwner['kind'], from: number, to: number | null): Promise<Map<string, Amount>>
  maxIdle?: number
}

/** Idle accounts beyond this number are forgotten; their spending is counted again when they are asked for. */
const MAX_IDLE = 10_000
const MAX_COUNTS = 5
/** From as many owners on, one report of all is quicker than asking for each. */
const MANY = 3

/**
 * The budgets of one process, in memory: what was spent is counted from the ledger when an owner first needs it, and kept from then
 * on. A request belongs to the window in which it came in, however late it ends.
 */
export function createBudgets({ spend, spendOfAll, maxIdle = MAX_IDLE }: Options): Budgets {
  const accounts = new Map<string, Account>()
  /** How many there may be before idle ones are looked for: not again with each one more, where none can be forgotten. */
  let looksAt = maxIdle
  const byOwner = new Map<string, Set<Account>>()

  /** `asked`: what was spent, where it has been asked for just now. */
  const accountOf = (owner: BudgetOwner, budget: Budget, at: number, asked?: () => Promise<Amount>): Account => {
    const window = windowAt(budget, at)
    const key = keyOf(owner, window)
    let account = accounts.get(key)
    if (!account) {
      if (accounts.size >= looksAt) forgetIdle()
      account = { owner, window, used: none(), reserved: none(), loading: null, stale: false, lastUsedAt: at }
      load(account, key, asked)
      accounts.set(key, account)
      const siblings = byOwner.get(owner.id) ?? new Set()
      byOwner.set(owner.id, siblings.add(account))
    }
    account.lastUsedAt = at
    return account
  }

  /** Counts again while something is spent meanwhile: it may be in the sum or not. In the end rather twice than not at all. */
  const count = async (account: Account, asked?: () => Promise<Amount>) => {
    const { from, to } = account.window
    for (let tries = 1; ; tries++) {
      account.stale = false
      const before = { ...account.used }
      const sum = tries === 1 && asked ? await asked() : await spend(account.owner, from, to)
      if (account.stale && tries < MAX_COUNTS) continue
      subtract(account.used, before)
      add(account.used, sum)
      return
    }
  }

  const load = (account: Account, key: string, asked?: () => Promise<Amount>) => {
    account.loading = count(account, asked).then(
      () => {
        account.loading = null
      },
      (error) => {
        forget(key, account)
        throw error
      },
    )
    // Whoever waits for it hears of a failure; nobody else has to.
    account.loading.catch(() => {})
  }

  const forget = (key: string, account: Account) => {
    accounts.delete(key)
    const siblings = byOwner.get(account.owner.id)
    siblings?.delete(account)
    if (siblings?.size === 0) byOwner.delete(account.owner.id)
  }

  const forgetIdle = () => {
    const idle = [...accounts].filter(
      ([, { loading, reserved }]) => loading === null && reserved.tokens === 0 && reserved.nanoUsd === 0n,
    )
    idle.sort(([, a], [, b]) => a.lastUsedAt - b.lastUsedAt)
    for (const [key, account] of idle.slice(0, Math.max(0, idle.length - Math.floor(maxIdle / 2)))) forget(key, account)
    looksAt = Math.max(maxIdle, accounts.size + Math.ceil(maxIdle / 10))
  }

  const ready = async (found: readonly Account[]): Promise<void> => {
    for (const account of found) if (account.loading) await account.loading
  }

  /** What each window of a kind of owner that is not counted yet, of many, is counted by: one report for all of them. */
  const reportsFor = (watched: readonly { owner: BudgetOwner; budget: Budget }[], at: number) => {
    const missing = watched
      .map(({ owner, budget }) => ({ owner, window: windowAt(budget, at) }))
      .filter(({ owner, window }) => !accounts.has(keyOf(owner, window)))
    const groups = Map.groupBy(missing, ({ owner: { kind }, window }) => reportKey(kind, window))
    const reports = new Map<string, () => Promise<Map<string, Amount>>>()
    for (const [key, group] of groups) {
      if (group.length < MANY) continue
      const { owner, window } = group[0]!
      let report: Promise<Map<string, Amount>> | undefined
      // Not before the accounts are there: what is spent from then on they hear of themselves.
      reports.set(key, () => (report ??= spendOfAll(owner.kind, window.from, window.to)))
    }
    return { reports, missing: missing.length }
  }

  return {
    async reserve(caller, amount, at) {
      const watched = budgetsOf(caller).map(({ owner, budget }) => ({
        owner,
        budget,
        account: accountOf(owner, budget, at),
      }))
      await ready(watched.map(({ account }) => account))
      for (const { owner, budget, account } of watched) {
        if (!hasRoom(budget, account, amount)) return { ok: false, refused: stateOf(owner, budget, account), amount }
      }
      // Two budgets of one period share an account.
      const held = [...new Set(watched.map(({ account }) => account))]
      for (const account of held) add(account.reserved, amount)
      return { ok: true, reservation: { accounts: held, amount, open: true } }
    },

    release(reservation) {
      if (!reservation.open) return
      reservation.open = false
      for (const { reserved } of reservation.accounts) subtract(reserved, reservation.amount)
    },

    spent(row) {
      for (const id of [row.tokenId, row.projectId]) {
        const watched = id === null ? undefined : byOwner.get(id)
        if (!watched) continue
        const amount = { nanoUsd: row.costNanoUsd ?? 0n, tokens: row.usage.inputTokens + row.usage.outputTokens }
        for (const account of watched) {
          const { from, to } = account.window
          if (row.at < from || (to !== null && row.at >= to)) continue
          account.stale = true
          add(account.used, amount)
        }
      }
    },

    known(caller, at) {
      if (!caller.token.budgets && !caller.project.budgets) return NO_STATES
      return budgetsOf(caller).flatMap(({ owner, budget }) => {
        const account = accounts.get(keyOf(owner, windowAt(budget, at)))
        return account && account.loading === null ? [stateOf(owner, budget, account)] : []
      })
    },

    async recount() {
      // One that is being counted begins again when it is through.
      for (const account of accounts.values()) account.stale = true
      const settled = await Promise.allSettled(
        [...accounts.values()].filter(({ loading }) => loading === null).map((account) => count(account)),
      )
      const failed = settled.find(({ status }) => status === 'rejected')
      if (failed) throw (failed as PromiseRejectedResult).reason
    },

    reservedBelowZero: () =>
      [...accounts].flatMap(([key, { reserved }]): Drift[] => {
        if (reserved.nanoUsd >= 0n && reserved.tokens >= 0) return []
        const found = `${reserved.nanoUsd} nano-dollars, ${reserved.tokens} tokens`
        return [{ month: null, table: 'budgets', key, field: 'reserved', expected: '>= 0', found }]
      }),

    async statesOfAll(entries, at) {
      const watched = entries.flatMap(({ owner, budgets }) => withOwner(owner, budgets))
      const { reports, missing } = reportsFor(watched, at)
      // Who looks at more than there is room for must not push out those that requests need.
      const isRoomy = accounts.size + missing <= maxIdle
      const found = watched.map(({ owner, budget }) => {
        const window = windowAt(budget, at)
        const report = reports.get(reportKey(owner.kind, window))
        if (report && !isRoomy && !accounts.has(keyOf(owner, window))) return { owner, budget, window, report }
        const asked = report && (async () => (await report()).get(owner.id) ?? none())
        return { owner, budget, account: accountOf(owner, budget, at, asked) }
      })
      await ready(found.flatMap(({ account }) => account ?? []))
      const states: BudgetState[] = []
      for (const { owner, budget, account, window, report } of found)
        states.push(
          stateOf(
            owner,
            budget,
            account ?? { window, used: (await report()).get(owner.id) ?? none(), reserved: none() },
          ),
        )
      return states
    },

    async states(owner, budgets, at) {
      const found = budgets.map((budget) => ({ budget, account: accountOf(owner, budget, at) }))
      await ready(found.map(({ account }) => account))
      return found.map(({ budget, account }) => stateOf(owner, budget, account))
    },
  }
}

const NO_STATES: BudgetState[] = []
const keyOf = (owner: BudgetOwner, { from, to }: BudgetWindow) => `${owner.id} ${from} ${to}`
const reportKey = (kind: BudgetOwner['kind'], { from, to }: BudgetWindow) => `${kind} ${from} ${to}`
const none = (): Amount => ({ nanoUsd: 0n, tokens: 0 })

function add(to: Amount, amount: Amount): void {
  to.nanoUsd += amount.nanoUsd
  to.tokens += amount.tokens
}

function subtract(from: Amount, amount: Amount): void {
  from.nanoUsd -= amount.nanoUsd
  from.tokens -= amount.tokens
}

/** Of the token first, then of its project. */
const budgetsOf = ({ token, project }: Caller) => [
  ...withOwner({ kind: 'token', id: token.id }, token.budgets),
  ...withOwner({ kind: 'project', id: project.id }, project.budgets),
]

const withOwner = (owner: BudgetOwner, budgets: readonly Budget[] | null) =>
  (budgets ?? []).map((budget) => ({ owner, budget }))

function hasRoom({ limitNanoUsd, limitTokens }: Budget, { used, reserved }: Account, amount: Amount): boolean {
  if (limitNanoUsd !== null && used.nanoUsd + reserved.nanoUsd + amount.nanoUsd > BigInt(limitNanoUsd)) return false
  return limitTokens === null || used.tokens + reserved.tokens + amount.tokens <= limitTokens
}

type Standing = Pick<Account, 'window' | 'used' | 'reserved'>

const stateOf = (owner: BudgetOwner, budget: Budget, { window, used, reserved }: Standing): BudgetState => ({
  owner,
  budget,
  window,
  used: { ...used },
  reserved: { ...reserved },
})
