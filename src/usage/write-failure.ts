import { StoreError } from '../store/store.ts'

/**
 * What is wrong when rows cannot be written: `all`, the disk or the database, for a time; `file`, of a month, until somebody mends it;
 * `row`, something that no database will ever take.
 */
export type WriteFailure = 'all' | 'file' | 'row'

export function writeFailureOf(error: unknown): WriteFailure {
  if (!(error instanceof StoreError)) return 'row'
  switch (error.kind) {
    case 'full':
    case 'busy':
    case 'unavailable':
      return 'all'
    case 'corrupt':
    case 'read_only':
    case 'newer_version':
      return 'file'
    default:
      return 'row'
  }
}

/** Rows of one month share a file. */
export const isOfSameMonth = (a: number, b: number): boolean => monthOf(a) === monthOf(b)

const monthOf = (at: number) => {
  const date = new Date(at)
  return date.getUTCFullYear() * 12 + date.getUTCMonth()
}
