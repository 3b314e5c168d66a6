import { randomBytes } from 'node:crypto'
import { closeSync, fchownSync, fsyncSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { encryptionKey } from '../config/parsers.ts'
import { CliError } from './failure.ts'
import { ENCRYPTION_KEY_FILE, readIfThere } from './local.ts'

/** The encryption key of a data folder, in three files. */
export const keyPaths = (dataDir: string) => ({
  current: join(dataDir, ENCRYPTION_KEY_FILE),
  /** Of a rotation that is under way, or was interrupted. */
  next: join(dataDir, `${ENCRYPTION_KEY_FILE}.new`),
  /** The one before, for backups of the database that are older than the rotation. */
  old: join(dataDir, `${ENCRYPTION_KEY_FILE}.old`),
})

/** The key in that file, null when there is no file. Throws `CliError` when it holds none. */
export function readKeyFile(path: string): Buffer | null {
  const text = readIfThere(path)
  if (text === null) return null
  const read = encryptionKey.safeParse(text)
  if (read.success) return read.data
  throw new CliError(`The file ${path} is damaged: restore it from a backup.`)
}

export const toKeyText = (key: Buffer) => `${key.toString('base64')}\n`

/** The file with this content (0600), whole or as it was before, also after a power cut. */
export function writeFileSafely(path: string, content: string): void {
  const draft = `${path}.${randomBytes(6).toString('hex')}`
  try {
    const file = openSync(draft, 'wx', 0o600)
    try {
      keepOwner(file, dirname(path))
      writeSync(file, content)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSafely(draft, path)
  } finally {
    rmSync(draft, { force: true })
  }
}

/** What root writes into the folder of the gateway's user has to be that user's: the gateway could not read it otherwise. */
function keepOwner(file: number, folder: string): void {
  if (process.getuid?.() !== 0) return
  const { uid, gid } = statSync(folder)
  fchownSync(file, uid, gid)
}

/** Puts the file in the other's place, in one step that outlives a power cut. */
export function renameSafely(from: string, to: string): void {
  renameSync(from, to)
  if (process.platform === 'win32') return
  const folder = openSync(dirname(to), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
