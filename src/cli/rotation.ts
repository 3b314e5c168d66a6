import { randomBytes } from 'node:crypto'
import type { Config } from '../config/config.ts'
import { encryptionKey, KEY_BYTES } from '../config/parsers.ts'
import { rotateEncryptionKey } from '../domain/rotate.ts'
import { createSealer } from '../domain/secrets.ts'
import { CliError, usageError } from './failure.ts'
import { probeGateway } from './gateway-probe.ts'
import { type Io, readSecret } from './io.ts'
import { keyPaths, readKeyFile, renameSafely, toKeyText, writeFileSafely } from './key-file.ts'
import { gatewayUrl, loadConfiguration, openLocalStore, readIfThere } from './local.ts'
import { cliActor } from './store-admin.ts'

type Wish = { newKey?: string; force?: boolean }
/** `keyFile` null: the key is not in a file of ours. */
type Rotation = { resealed: number; keyFile: string | null; oldKeyFile: string | null }

/** Gives the database in DATA_DIR a new encryption key. Throws `CliError`, `GatewayError`, `StoreError`. */
export async function rotateKey(io: Io, { newKey, force }: Wish): Promise<Rotation> {
  const { config } = await loadConfiguration(io)
  const given =
    newKey === undefined ? null : parseKey(newKey === '-' ? await readSecret(io, 'New encryption key') : newKey)
  if (config.encryptionKey !== null && given === null) {
    throw usageError(
      'ENCRYPTION_KEY is set from outside, and this command cannot change it there: say the new key with --new-key, then set ENCRYPTION_KEY to it.',
    )
  }
  if (!force) await refuseWhileRunning(config)
  if (config.encryptionKey === null) return rotateInFile(io, config, given)
  const resealed = await reseal(io, config, config.encryptionKey, given!)
  return { resealed, keyFile: null, oldKeyFile: null }
}

/**
 * At every moment each key that the database may need is in a file, on the disk and not just on its way there:
 *   1. `encryption-key.new`: the new key. Stopped here, nothing has changed.
 *   2. `encryption-key.old`: a copy of the current one.
 *   3. the database: all envelopes in one transaction. Closing it brings the log into the file and syncs it. Stopped here, the
 *      gateway finds keys that it cannot open, but the key that does is in `.new`.
 *   4. `.new` is renamed to `encryption-key`: one step, done or not.
 * The other way round (file first) a stop between the two would have to be undone with `.old`, and a new key that exists in memory
 * alone while the database is written could be lost for good. A rotation that finds `.new` goes on with it: what is sealed with
 * that key already stays as it is.
 */
async function rotateInFile(io: Io, config: Config, given: Buffer | null): Promise<Rotation> {
  const paths = keyPaths(config.dataDir)
  const current = readKeyFile(paths.current)
  if (current === null)
    throw new CliError(`There is no encryption key in ${paths.current}: the gateway makes one at its first start.`)
  const unfinished = readKeyFile(paths.next)
  if (unfinished !== null && given !== null && !unfinished.equals(given)) {
    throw new CliError(
      `An earlier rotation was interrupted, its key is in ${paths.next}: run this without --new-key to finish it first.`,
    )
  }
  const next = unfinished ?? given ?? randomBytes(KEY_BYTES)
  refuseSameKey(current, next)
  if (unfinished === null) writeFileSafely(paths.next, toKeyText(next))
  writeFileSafely(paths.old, `${readIfThere(paths.current)}\n`)
  const resealed = await reseal(io, config, current, next)
  try {
    renameSafely(paths.next, paths.current)
  } catch (cause) {
    throw new CliError(
      `The provider keys are sealed with the new key, but its file could not take the place of the old one (${(cause as NodeJS.ErrnoException).code}): move ${paths.next} to ${paths.current} before you start the gateway.`,
    )
  }
  return { resealed, keyFile: paths.current, oldKeyFile: paths.old }
}

async function reseal(io: Io, config: Config, from: Buffer, to: Buffer): Promise<number> {
  refuseSameKey(from, to)
  const store = await openLocalStore(config)
  try {
    return await rotateEncryptionKey({ store, now: io.now }, cliActor(), createSealer(from), createSealer(to))
  } finally {
    await store.close()
  }
}

/** A gateway keeps its key in memory: it could not open what is sealed here, and would seal what this no longer opens. */
async function refuseWhileRunning(config: Config): Promise<void> {
  const url = gatewayUrl(config)
  if (url === null || (await probeGateway(url)).found !== 'gateway') return
  throw new CliError(
    `A gateway is running at ${url}: stop it first, for it would go on with the old key (--force does it nevertheless).`,
  )
}

function refuseSameKey(current: Buffer, next: Buffer): void {
  if (current.equals(next)) throw usageError('The new encryption key is the one in use.')
}

function parseKey(text: string): Buffer {
  const read = encryptionKey.safeParse(text)
  if (read.success) return read.data
  throw usageError(`--new-key must be ${KEY_BYTES} bytes in base64 or hex (openssl rand -base64 32).`)
}
