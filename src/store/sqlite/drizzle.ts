import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

/**
 * Drizzle, by its CommonJS build: a tenth of a second at start where its hundreds of ES modules take most of one (measured with
 * Node 24 on two cores: 60 ms against 650 ms). One place, so that all of the store uses the same copy.
 */
const orm = require('drizzle-orm') as typeof import('drizzle-orm')
const core = require('drizzle-orm/sqlite-core') as typeof import('drizzle-orm/sqlite-core')

export const {
  and,
  asc,
  count,
  desc,
  eq,
  exists,
  getTableColumns,
  gt,
  gte,
  isNotNull,
  isNull,
  lt,
  lte,
  ne,
  not,
  or,
  sql,
} = orm
export const { index, integer, real, sqliteTable, text, uniqueIndex } = core
export const { drizzle } = require('drizzle-orm/better-sqlite3') as typeof import('drizzle-orm/better-sqlite3')
export const { readMigrationFiles } = require('drizzle-orm/migrator') as typeof import('drizzle-orm/migrator')

export type { AnyColumn, SQL } from 'drizzle-orm'
export type { BetterSQLite3Database } from 'drizzle-orm/better-sqlite3'
export type { AnySQLiteColumn, SQLiteSelect } from 'drizzle-orm/sqlite-core'
