import { existsSync, renameSync, rmSync } from 'node:fs'
import Sqlite from 'better-sqlite3'
import { type LedgerRow, type OpenRequest, StoreError } from '../../store.ts'
import { type Connection, connect } from '../connect.ts'
import { isBusy, toStoreError } from '../errors.ts'
import {
  bindOpen,
  bindRow,
  COLUMNS,
  OPEN_COLUMNS,
  type RawRow,
  SELECTED,
  SELECTED_OPEN,
  toOpen,
  toRow,
} from './columns.ts'
import { fileOf, type Month } from './month.ts'
import { createSchema } from './month-schema.ts'
import { createRollups } from './rollup.ts'
import { createSeriesIndex } from './series.ts'
import { IS_ODD_OPEN } from './verify-rows.ts'

const BATCH = 5_000

/**
 * Makes a month's file anew from the rows of a damaged one, and puts it in its place; the damaged one stays beside it under another
 * name. Throws `StoreError`: `corrupt` when not all of its rows can be read, `busy` when somebody has it open; nothing is changed then.
 */
export function rebuild(folder: string, month: Month): void {
  const path = fileOf(folder, month)
  const fresh = `${path}.rebuilt`
  remove(fresh)
  let from: Connection | undefined
  let to: Connection | undefined
  try {
    from = new Sqlite(path, { fileMustExist: true, timeout: 1_000 })
    takeAlone(from, path)
    to = connect(fresh)
    createSchema(to)
    copy(from, to, month)
    to.close()
    from.close()
  } catch (error) {
    from?.close()
    to?.close()
    remove(fresh)
    throw toStoreError(error, path)
  }
  const aside = `${path}.damaged-${new Date().toISOString().replace(/[:.]/g, '-')}`
  for (const end of ['-wal', '-shm', '']) if (existsSync(`${path}${end}`)) renameSync(`${path}${end}`, `${aside}${end}`)
  renameSync(fresh, path)
}

/** Out of WAL mode SQLite lets only the last connection go. */
function takeAlone(connection: Connection, path: string): void {
  try {
    connection.pragma('journal_mode = DELETE')
  } catch (error) {
    if (isBusy(error))
      throw new StoreError('busy', `The ledger ${path} is in use: stop the gateway first.`, { cause: error })
    // It may be too damaged even for that; then nobody else gets anywhere with it either.
  }
}

function copy(from: Connection, to: Connection, month: Month): void {
  const rows = from.prepare<[after: number], RawRow>(
    `SELECT seq, counts, ${SELECTED} FROM requests WHERE seq > ? ORDER BY seq LIMIT ${BATCH}`,
  )
  const insert = to.prepare(`INSERT INTO requests (seq, ${COLUMNS}) VALUES (?, ${COLUMNS.map(() => '?')})`)
  const rollups = createRollups(to, month)
  const series = createSeriesIndex(to)
  const write = to.transaction((batch: RawRow[]) => {
    for (const raw of batch) {
      const row: LedgerRow = toRow(raw)
      const seq = Number(raw.seq)
      const id = series.idOf(row)
      insert.run(seq, ...bindRow(row, id, Number(raw.counts)))
      rollups.add(row, id, seq)
    }
    rollups.write()
  })
  for (let last = 0; ; ) {
    const batch = rows.all(last)
    if (batch.length === 0) break
    write(batch)
    last = Number(batch.at(-1)!.seq)
  }
  const open = to.prepare(`INSERT INTO open_requests (${OPEN_COLUMNS}) VALUES (${OPEN_COLUMNS.map(() => '?')})`)
  for (const request of readable(() => openOf(from))) open.run(bindOpen(request))
  const note = to.prepare('INSERT INTO meta VALUES (?, ?)')
  const notes = () =>
    from.prepare<[], [string, number]>("SELECT name, value FROM meta WHERE name = 'moved'").raw().all()
  for (const one of readable(notes)) note.run(one)
}

const openOf = (from: Connection): OpenRequest[] =>
  from.prepare<[], RawRow>(`SELECT ${SELECTED_OPEN} FROM open_requests WHERE NOT (${IS_ODD_OPEN})`).all().map(toOpen)

/** What is not made of rows, and may be what is damaged. */
function readable<T>(read: () => T[]): T[] {
  try {
    return read()
  } catch {
    return []
  }
}

function remove(path: string): void {
  for (const end of ['-wal', '-shm', '']) rmSync(`${path}${end}`, { force: true })
}
