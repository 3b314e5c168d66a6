import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'

/** What `read` finds in every month of the ledger in the folder, oldest first; by SQLite alone, without our reader. */
export function ledgerOf<T>(dataDir: string, read: (month: Sqlite.Database) => T[]): T[] {
  const files = readdirSync(dataDir).filter((name) => /^ledger-.*\.db$/.test(name))
  return files.sort().flatMap((name) => {
    const month = new Sqlite(join(dataDir, name), { readonly: true })
    try {
      return read(month)
    } finally {
      month.close()
    }
  })
}
