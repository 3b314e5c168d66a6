import type { UsageFilter } from '../../store/store.ts'
import type { Reads } from '../frame/reads.ts'
import { dayOf, monthOf } from './period.ts'

const DAY_MS = 86_400_000
const BASIS_DAYS = 7

/** An estimate, and what it stands on. */
export type Forecast = {
  soFarNanoUsd: bigint
  /** Null: there is no full day with requests to go by. */
  expected: { nanoUsd: bigint; perDayNanoUsd: bigint; days: number } | null
  endsAt: number
}

/**
 * What the month comes to if the rest of it is as the last full days were: seven, or as many as there are since the first request
 * among them.
 */
export async function readForecast(reads: Reads, filter: UsageFilter, now: number): Promise<Forecast> {
  const { from, to } = monthOf(now)
  const today = dayOf(now)
  const [month, recent] = await Promise.all([
    reads.usage({ groupBy: [], filter: { ...filter, from, to: today + DAY_MS } }),
    reads.usage({ groupBy: ['day'], filter: { ...filter, from: today - BASIS_DAYS * DAY_MS, to: today } }),
  ])
  const soFarNanoUsd = month.totals.costNanoUsd
  const first = recent.rows[0]?.keys[0]
  if (first == null) return { soFarNanoUsd, expected: null, endsAt: to }
  const days = Math.round((today - Date.parse(first)) / DAY_MS)
  const spent = recent.totals.costNanoUsd
  const rest = (spent * BigInt(to - now)) / BigInt(days * DAY_MS)
  return {
    soFarNanoUsd,
    expected: { nanoUsd: soFarNanoUsd + rest, perDayNanoUsd: spent / BigInt(days), days },
    endsAt: to,
  }
}
