/** A copy of one of the database's files, for as long as its reader needs it. `name`: as it stands in the data folder. */
export type BackupCopy = { name: string; path: string; sizeBytes: number }

export interface BackupStore {
  /** What a backup would copy, and how large it is now. Throws `StoreError`. */
  files(options: BackupOptions): Promise<{ name: string; sizeBytes: number }[]>
  /**
   * Consistent copies of all files, one after the other, made while everything goes on. A copy is deleted when the next is asked for, and
   * all is when the reader stops early. The main file comes first: what a month has more than it was counted in it, is counted at the
   * next start. Throws `StoreError` (`full`: there is no room for the largest copy; `busy`: another backup is under way).
   */
  copies(options: BackupOptions): AsyncGenerator<BackupCopy, void>
}

/** `bodies`: also what clients sent and were sent. */
export type BackupOptions = { bodies: boolean }
