import type { Budget, BudgetPeriod } from '../store/store.ts'

const DAY_MS = 86_400_000
/** The epoch was a Thursday; weeks begin on Monday (ISO 8601). */
const FIRST_MONDAY_MS = 4 * DAY_MS

/** From when to when a budget counts: `from` inclusive, `to` exclusive, null without an end. Milliseconds, UTC. */
export type BudgetWindow = { from: number; to: number | null }

/** The window that `at` lies in. A reset within it moves its beginning; what was spent before no longer counts. */
export function windowAt({ period, resetAt }: Pick<Budget, 'period' | 'resetAt'>, at: number): BudgetWindow {
  const { from, to } = plainWindow(period, at)
  return { from: resetAt !== null && resetAt > from && resetAt <= at ? resetAt : from, to }
}

function plainWindow(period: BudgetPeriod, at: number): BudgetWindow {
  switch (period) {
    case 'day': {
      const from = at - mod(at, DAY_MS)
      return { from, to: from + DAY_MS }
    }
    case 'week': {
      const from = at - mod(at - FIRST_MONDAY_MS, 7 * DAY_MS)
      return { from, to: from + 7 * DAY_MS }
    }
    case 'month': {
      const day = new Date(at)
      const [year, month] = [day.getUTCFullYear(), day.getUTCMonth()]
      return { from: Date.UTC(year, month), to: Date.UTC(year, month + 1) }
    }
    case 'total':
      return { from: 0, to: null }
  }
}

const mod = (value: number, by: number) => ((value % by) + by) % by
