import { rm } from 'node:fs/promises'
import { bounds, fileOf, type Month, monthOf, monthsIn } from './month.ts'
import type { MonthFiles } from './month-file.ts'

/**
 * Deletes the files of months that end at or before `before`. A month that was written to a moment ago stays, and so does the one that
 * the clock is in. The file itself goes last: a leftover beside it would be taken for part of a new file of that name.
 */
export async function deleteMonths(months: MonthFiles, before: number, now: number): Promise<Month[]> {
  const old = monthsIn(months.folder).filter((month) => bounds(month).end <= before && month < monthOf(now))
  const deleted: Month[] = []
  for (const month of old) {
    if (!months.release(month)) continue
    const path = fileOf(months.folder, month)
    for (const end of ['-wal', '-shm', '']) await rm(`${path}${end}`, { force: true })
    deleted.push(month)
  }
  return deleted
}
