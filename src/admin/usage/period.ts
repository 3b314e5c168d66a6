import type { Form } from '../frame/form.ts'
import { slotsOf } from '../periods.ts'
import { shownTime, timeField } from '../time-field.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

export const PERIODS = [
  ['24h', '24 hours'],
  ['7d', '7 days'],
  ['30d', '30 days'],
  ['month', 'This month'],
  ['last-month', 'Last month'],
] as const
export type PeriodName = (typeof PERIODS)[number][0] | 'custom'

/** What a report is of: `from` inclusive, `to` exclusive, in milliseconds; cut into hours or days for a chart. */
export type ReportPeriod = { name: PeriodName; from: number; to: number; unit: 'hour' | 'day'; slots: string[] }
export type AskedPeriod = {
  /** Null: `problems` says why. */
  period: ReportPeriod | null
  problems: Record<string, string>
  /** As the fields show it. */
  values: { from: string; to: string }
}

const MAX_MS = 3 * 366 * DAY_MS
const MAX_HOURS_MS = 2 * DAY_MS
const USUAL = '30d'

/** `from` and `to` go before a named period; all named ones are of full hours or days of UTC, which the ledger has summed up. */
export function readPeriod(query: Form, now: number): AskedPeriod {
  const named = PERIODS.find(([name]) => name === query.text('period'))?.[0]
  const [from, to] = [query.text('from'), query.text('to')]
  if (from === '' && to === '') {
    const period = namedPeriod(named ?? USUAL, now)
    return { period, problems: {}, values: { from: '', to: '' } }
  }
  const [readFrom, readTo] = [from, to].map((text) => (text === '' ? null : timeField.safeParse(text)))
  const problems: Record<string, string> = {}
  if (readFrom && !readFrom.success) problems.from = readFrom.error.issues[0]!.message
  if (readTo && !readTo.success) problems.to = readTo.error.issues[0]!.message
  const values = { from: shownTime(from), to: shownTime(to) }
  if (Object.keys(problems).length > 0) return { period: null, problems, values }
  const end = readTo?.data ?? hourAfter(now)
  const start = readFrom?.data ?? dayOf(end - 30 * DAY_MS)
  if (start >= end) return { period: null, problems: { from: 'must be before the end' }, values }
  if (end - start > MAX_MS)
    return { period: null, problems: { from: 'must be at most three years before the end' }, values }
  return { period: cut('custom', start, end), problems: {}, values }
}

/** The first moments of this month and the next, in UTC. */
export function monthOf(now: number): { from: number; to: number } {
  const date = new Date(now)
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()]
  return { from: Date.UTC(year, month, 1), to: Date.UTC(year, month + 1, 1) }
}

export const dayOf = (at: number): number => Math.floor(at / DAY_MS) * DAY_MS

function namedPeriod(name: Exclude<PeriodName, 'custom'>, now: number): ReportPeriod {
  const tomorrow = dayOf(now) + DAY_MS
  switch (name) {
    case '24h':
      return cut(name, hourAfter(now) - DAY_MS, hourAfter(now))
    case '7d':
      return cut(name, tomorrow - 7 * DAY_MS, tomorrow)
    case '30d':
      return cut(name, tomorrow - 30 * DAY_MS, tomorrow)
    case 'month':
      return cut(name, monthOf(now).from, tomorrow)
    case 'last-month': {
      const { from } = monthOf(now)
      return cut(name, monthOf(from - 1).from, from)
    }
  }
}

function cut(name: PeriodName, from: number, to: number): ReportPeriod {
  const unit = to - from <= MAX_HOURS_MS ? 'hour' : 'day'
  return { name, from, to, unit, slots: slotsOf({ from, to, unit }) }
}

const hourAfter = (now: number) => (Math.floor(now / HOUR_MS) + 1) * HOUR_MS
