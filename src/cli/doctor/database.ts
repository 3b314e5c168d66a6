import { existsSync } from 'node:fs'
import type { Config } from '../../config/config.ts'
import { createSealer, type Sealer } from '../../domain/secrets.ts'
import { migrationStatus, openStore } from '../../store/open.ts'
import { type ProviderKey, type Store, StoreError } from '../../store/store.ts'
import { keyPaths, readKeyFile } from '../key-file.ts'
import { opens, storedKeys } from '../local.ts'
import { type Check, failure, ok, skipped, warning } from './check.ts'

/** A provider key of a project, opened. */
export type StoredKey = { provider: string; secret: string; project: string }

/** The database, and whether the encryption key opens what is in it; with the keys that it opens. Changes nothing. */
export async function checkDatabase(config: Config): Promise<{ checks: Check[]; keys: StoredKey[] }> {
  const { check, usable } = await checkSchema(config.dataDir)
  if (!usable) return { checks: [check, checkKeyAlone(config)], keys: [] }
  let store: Store | null = null
  try {
    store = await openStore({ dataDir: config.dataDir })
    const { sizeBytes } = await store.status()
    const stored: Stored[] = []
    for await (const entry of storedKeys(store)) stored.push(entry)
    const sized = { ...check, detail: `${check.detail}, ${Math.ceil(sizeBytes / 1024)} KB` }
    const { found, keys } = checkKeys(config, stored)
    return { checks: [sized, found], keys }
  } catch (error) {
    return { checks: [fromError(error)], keys: [] }
  } finally {
    await store?.close().catch(() => {})
  }
}

async function checkSchema(dataDir: string): Promise<{ check: Check; usable: boolean }> {
  try {
    const { location, version, latest, unknown } = await migrationStatus({ dataDir })
    if (version === 0) {
      const advice = existsSync(location) ? undefined : 'The gateway makes it at its first start. Is DATA_DIR right?'
      return { check: warning('database', `there is none at ${location} yet`, advice), usable: false }
    }
    if (unknown > 0) {
      const advice = 'Use that version, or restore a backup from before the upgrade.'
      return {
        check: failure('database', `${location} was written by a newer version of LLM Proxy`, advice),
        usable: false,
      }
    }
    if (version < latest) {
      const advice = 'Stop the gateway and start this version, or run "llm-proxy migrate up".'
      return { check: warning('database', `${location} has schema ${version} of ${latest}`, advice), usable: false }
    }
    return { check: ok('database', `${location} opens, schema ${version}`), usable: true }
  } catch (error) {
    return { check: fromError(error), usable: false }
  }
}

/** The words of a `StoreError` say what to do. */
function fromError(error: unknown): Check {
  if (error instanceof StoreError) return failure('database', error.message)
  throw error
}

type Stored = { key: ProviderKey; project: string }

function checkKeys(config: Config, stored: Stored[]): { found: Check; keys: StoredKey[] } {
  const name = 'encryption key'
  const current = readCurrentKey(config)
  if (typeof current === 'string') return { found: failure(name, current, LOST), keys: [] }
  if (current === null) {
    if (stored.length === 0) return { found: skipped(name, NOT_YET), keys: [] }
    return { found: failure(name, `there is none for ${count(stored)} in the database`, LOST), keys: [] }
  }
  const closed = stored.filter(({ key }) => !opens(current, key.sealed))
  const keys = stored
    .filter((entry) => !closed.includes(entry))
    .map(({ key, project }) => ({ provider: key.provider, secret: current.open(key.sealed), project }))
  if (closed.length > 0) return { found: explainClosed(config, closed, stored.length), keys }
  const unfinished = existsSync(keyPaths(config.dataDir).next)
  if (unfinished) return { found: warning(name, 'a rotation was interrupted', FINISH), keys }
  return { found: ok(name, stored.length === 0 ? 'no provider keys to open' : `opens ${count(stored)}`), keys }
}

const LOST =
  'Set ENCRYPTION_KEY as it was, or restore the file encryption-key; a lost key means that provider keys have to be entered again.'
const FINISH = 'Stop the gateway and run "llm-proxy rotate-encryption-key": it goes on where it was.'

/** A key is not always lost: a rotation keeps the others beside it. */
function explainClosed({ dataDir, encryptionKey }: Config, closed: Stored[], total: number): Check {
  const paths = keyPaths(dataDir)
  const named = closed.slice(0, 3).map(({ key, project }) => `${key.id} of "${project}"`)
  const detail = `does not open ${closed.length} of ${total} provider keys: ${named.join(', ')}${closed.length > 3 ? ' …' : ''}`
  const opensAll = (path: string) => {
    const sealer = readSealer(path)
    return sealer instanceof Object && closed.every(({ key }) => opens(sealer, key.sealed))
  }
  if (opensAll(paths.next)) return failure('encryption key', detail, FINISH)
  if (encryptionKey === null && closed.length === total && opensAll(paths.old)) {
    return failure('encryption key', detail, `The one before opens them: mv ${paths.old} ${paths.current}`)
  }
  return failure('encryption key', detail, LOST)
}

/** Text: why it cannot be used. */
function readCurrentKey({ encryptionKey, dataDir }: Config): Sealer | string | null {
  return encryptionKey === null ? readSealer(keyPaths(dataDir).current) : createSealer(encryptionKey)
}

function readSealer(path: string): Sealer | string | null {
  try {
    const key = readKeyFile(path)
    return key && createSealer(key)
  } catch (error) {
    return (error as Error).message
  }
}

function checkKeyAlone(config: Config): Check {
  const current = readCurrentKey(config)
  if (typeof current === 'string') return failure('encryption key', current, LOST)
  return skipped('encryption key', current === null ? NOT_YET : 'there, with nothing to open')
}

const NOT_YET = 'none yet; the gateway makes one at its start'

const count = (keys: unknown[]) => (keys.length === 1 ? '1 provider key' : `all ${keys.length} provider keys`)
