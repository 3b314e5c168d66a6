import { existsSync, renameSync, rmSync } from 'node:fs'
import Sqlite from 'better-sqlite3'
import { type OpenRequest, StoreError } from '../../store.ts'
import { type Connection, connect } from '../connect.ts'
import { isBusy, toStoreError } from '../errors.ts'
import { type Bound, type RawRow, selected } from './columns.ts'
import { importRows } from './import.ts'
import { createInsert } from './insert.ts'
import { fileOf, type Month } from './month.ts'
import { createSchema } from './month-schema.ts'
import { bindOpen, IS_ODD_OPEN, OPEN_COLUMNS, toOpen } from './open-row.ts'
import { COLUMNS } from './row.ts'
import { DICTIONARY_NAMES, type Dictionary, readSpare, readTable, restore } from './spare.ts'
import { createWriter } from './write.ts'

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
    createSchema(to, () => {})
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
  if (hasForms(from)) {
    for (const name of DICTIONARY_NAMES) restore(to, name, new Map(namesOf(from, name)))
    copyRows(from, to)
  } else importRows(from, 'requests', to)
  const open = to.prepare(`INSERT INTO open_requests (${OPEN_COLUMNS}) VALUES (${OPEN_COLUMNS.map(() => '?')})`)
  for (const request of readable(() => openOf(from))) open.run(bindOpen(request))
  const note = to.prepare('INSERT INTO meta VALUES (?, ?)')
  const notes = () =>
    from.prepare<[], [string, number]>("SELECT name, value FROM meta WHERE name = 'moved'").raw().all()
  for (const one of readable(notes)) note.run(one)
  const writer = createWriter(to, month)
  writer.repair()
}

/** False in a file of version 1. */
const hasForms = (from: Connection) =>
  from.prepare("SELECT 1 FROM pragma_table_info('requests') WHERE name = 'form'").get() !== undefined

/** From both copies, as far as they can be read. */
const namesOf = (from: Connection, name: Dictionary): [number, string][] => [
  ...readable(() => [...readTable(from, name)]),
  ...readable(() => [...readSpare(from, name)]),
]

function copyRows(from: Connection, to: Connection): void {
  const rows = from
    .prepare<[after: number], Bound[]>(`SELECT seq, ${COLUMNS} FROM requests WHERE seq > ? ORDER BY seq LIMIT ${BATCH}`)
    .raw()
    .safeIntegers()
  const insert = createInsert(to, 'INSERT INTO requests', ['seq', ...COLUMNS])
  const write = to.transaction((batch: Bound[][]) => insert(batch.length, (i, values) => values.push(...batch[i]!)))
  for (let last = 0; ; ) {
    const batch = rows.all(last)
    if (batch.length === 0) return
    write(batch)
    last = Number(batch.at(-1)![0])
  }
}

const openOf = (from: Connection): OpenRequest[] =>
  from
    .prepare<[], RawRow>(`SELECT ${selected(OPEN_COLUMNS)} FROM open_requests WHERE NOT (${IS_ODD_OPEN})`)
    .all()
    .map(toOpen)

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
