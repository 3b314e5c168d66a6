import type { UsageFilter, UsageReportRow } from '../../store/store.ts'
import type { Reads } from '../frame/reads.ts'
import { dayOf, monthOf } from './period.ts'

const DAY_MS = 86_400_000
const BASIS_DAYS = 7

/** An estimate, and what it stands on. */
export type Forecast = {
  soFarNanoUsd: bigint
  /** Null: there is no full day with requests to go by. */
  expected: { nanoUsd: bigint; perDayNanoUsd: bigint; days: number } | null
}

/** Sums of each day of a time. */
export type Days = { from: number; to: number; rows: readonly UsageReportRow[] }

/**
 * What the month comes to if the rest of it is as the last full days were: seven, or as many as there are since the first request
 * among them. `known`: days that were read already, which may be all that is wanted.
 */
export async function readForecast(
  reads: Reads,
  { filter, now, known }: { filter: UsageFilter; now: number; known: Days | null },
): Promise<Forecast> {
  const month = monthOf(now)
  const today = dayOf(now)
  const [from, to] = [Math.min(month.from, today - BASIS_DAYS * DAY_MS), today + DAY_MS]
  const isKnown = known !== null && known.from <= from && known.to >= to
  const rows = isKnown
    ? known.rows
    : (await reads.usage({ groupBy: ['day'], filter: { ...filter, from, to }, times: false })).rows
  const between = (from: number, to: number) =>
    rows.filter(({ keys }) => Date.parse(keys[0]!) >= from && Date.parse(keys[0]!) < to)
  const soFarNanoUsd = spendOf(between(month.from, to))
  const recent = between(today - BASIS_DAYS * DAY_MS, today)
  if (recent.length === 0) return { soFarNanoUsd, expected: null }
  const days = Math.round((today - Date.parse(recent[0]!.keys[0]!)) / DAY_MS)
  const spent = spendOf(recent)
  const rest = (spent * BigInt(month.to - now)) / BigInt(days * DAY_MS)
  return { soFarNanoUsd, expected: { nanoUsd: soFarNanoUsd + rest, perDayNanoUsd: spent / BigInt(days), days } }
}

const spendOf = (rows: readonly UsageReportRow[]) => rows.reduce((sum, { costNanoUsd }) => sum + costNanoUsd, 0n)
