import { readdirSync } from 'node:fs'
import { join } from 'node:path'

/** A UTC month, `2026-11`. Text order is time order. */
export type Month = string

export const HOUR_MS = 3_600_000
export const DAY_MS = 24 * HOUR_MS

const FILE = /^ledger-(\d{4,6}-\d{2})\.db$/

/** The month of a moment in milliseconds. */
export function monthOf(at: number): Month {
  const date = new Date(at)
  return `${date.getUTCFullYear()}-${String(date.getUTCMonth() + 1).padStart(2, '0')}`
}

/** First millisecond of the month, and of the one after it. */
export function bounds(month: Month): { start: number; end: number } {
  const [year = 0, number = 1] = month.split('-').map(Number)
  return { start: Date.UTC(year, number - 1), end: Date.UTC(year, number) }
}

export const fileOf = (folder: string, month: Month): string => join(folder, `ledger-${month}.db`)

/** The months that have a file in the folder, oldest first. */
export function monthsIn(folder: string): Month[] {
  return readdirSync(folder)
    .flatMap((name) => FILE.exec(name)?.[1] ?? [])
    .sort()
}

/** Those of them that the time from `from` to `to` touches. */
export const monthsBetween = (folder: string, from: number, to: number): Month[] =>
  monthsIn(folder).filter((month) => bounds(month).end > from && bounds(month).start < to)
