import { StoreError } from '../../store.ts'
import { toStoreError } from '../errors.ts'
import type { Month } from './month.ts'
import type { MonthFiles } from './month-file.ts'
import { rebuild } from './rebuild.ts'

/**
 * Builds what is made of a month's rows anew: in the file, or, where that is damaged, in a new one that takes its place. Writers wait
 * meanwhile. Throws `StoreError` when the rows themselves cannot be read.
 */
export function repair(months: MonthFiles, month: Month): void {
  try {
    months.writer(month).repair()
  } catch (error) {
    const known = toStoreError(error, month)
    if (!(known instanceof StoreError) || (known.kind !== 'corrupt' && known.kind !== 'unavailable')) throw known
    months.close()
    rebuild(months.folder, month)
  }
}
