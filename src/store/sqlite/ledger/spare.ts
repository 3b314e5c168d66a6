import { crc32 } from 'node:zlib'
import type { Connection } from '../connect.ts'
import type { Bound } from './columns.ts'

/** The tables in which the names of rows are, with their columns after the id. */
export const DICTIONARIES = {
  series: ['token_id', 'project_id', 'model', 'provider', 'endpoint', 'status', 'error'],
  forms: [
    ...['method', 'served_model', 'stream', 'usage_source', 'estimate_reason', 'price_source', 'cache'],
    ...['changes', 'attempts'],
  ],
}
export type Dictionary = keyof typeof DICTIONARIES
export const DICTIONARY_NAMES = Object.keys(DICTIONARIES) as Dictionary[]

/** Writes a second copy of a series or form. */
export function createKeep(connection: Connection, name: Dictionary): (id: number, values: Bound[]) => void {
  const insert = connection.prepare('INSERT OR REPLACE INTO spare (name, id, content, checksum) VALUES (?, ?, ?, ?)')
  return (id, values) => {
    const content = JSON.stringify(values)
    insert.run(name, id, content, crc32(content))
  }
}

/** Those in the table, by their ids: their values as text. */
export function readTable(connection: Connection, name: Dictionary): Map<number, string> {
  const rows = connection.prepare<[], [number, ...Bound[]]>(`SELECT id, ${DICTIONARIES[name]} FROM ${name}`).raw()
  return new Map(rows.all().map(([id, ...values]) => [id, JSON.stringify(values)]))
}

/** The same by their second copies, as far as these are whole. */
export function readSpare(connection: Connection, name: Dictionary): Map<number, string> {
  const rows = connection
    .prepare<[string], [number, string, number]>('SELECT id, content, checksum FROM spare WHERE name = ?')
    .raw()
  return new Map(
    rows.all(name).flatMap(([id, content, checksum]) => (crc32(String(content)) === checksum ? [[id, content]] : [])),
  )
}

/** Puts them into the table, in place of those with the same id, and into the second copy. */
export function restore(connection: Connection, name: Dictionary, all: Map<number, string>): void {
  const columns = DICTIONARIES[name]
  const insert = connection.prepare(`INSERT INTO ${name} (id, ${columns}) VALUES (?, ${columns.map(() => '?')})`)
  const keep = createKeep(connection, name)
  connection.exec(`DELETE FROM ${name}; DELETE FROM spare WHERE name = '${name}'`)
  for (const [id, content] of all) {
    const values: Bound[] = JSON.parse(content)
    insert.run(id, ...values)
    keep(id, values)
  }
}
