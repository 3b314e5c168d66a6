import { open } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { GatewayError } from '../errors.ts'
import { type BackupCopy, type BackupOptions, type Store, StoreError } from '../store/store.ts'
import { type TarFile, tarEnd, tarHeader, tarPadding } from '../tar.ts'
import { type Actor, audited, recordFailure, recordNoChange } from './audit.ts'

type BackupParts = { store: Pick<Store, 'audit' | 'backups'>; now(): number }

/** `stream`: the archive. To be read to its end or destroyed: then copies are deleted. */
export type Backup = { name: string; stream: Readable }

/**
 * A tar archive of all databases, made while everything goes on; without the encryption key, which belongs to another place. The
 * first copy is made before this resolves, so that most of what can go wrong is said in time. What goes wrong later has an audit row
 * of its own. Throws `conflict` (no room, or another backup is under way), `storage_unavailable`.
 */
export async function startBackup(parts: BackupParts, actor: Actor, options: BackupOptions): Promise<Backup> {
  const subject = { action: 'backup.download' }
  return audited(parts, actor, subject, async (stamp) => {
    const copies = parts.store.backups.copies(options)
    const first = await copies.next().catch(explain)
    try {
      await recordNoChange(parts, stamp, { bodies: options.bodies })
    } catch (error) {
      await copies.return()
      throw error
    }
    const at = parts.now()
    const name = `llm-proxy-backup-${new Date(at).toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-')}.tar`
    const stream = Readable.from(archive(copies, first, at), { objectMode: false })
    stream.once('close', async () => {
      const failure = stream.readableEnded ? null : toFailure(stream.errored)
      const unclean = await copies.return().then(
        () => null,
        (error: unknown) => error,
      )
      if (failure ?? unclean) await recordFailure(parts, actor, subject, failure ?? unclean)
    })
    return { name, stream }
  })
}

/** What an operator can do something about is said in the store's words. */
function explain(error: unknown): never {
  const isTold = error instanceof StoreError && (error.kind === 'full' || error.kind === 'busy')
  throw isTold ? new GatewayError('conflict', { message: error.message, cause: error }) : error
}

/** An archive that nobody has whole: the one who wanted it has gone, unless a file could not be copied. */
const toFailure = (error: Error | null) =>
  error instanceof StoreError
    ? new GatewayError('storage_unavailable', { cause: error })
    : new GatewayError('client_closed', { cause: error })

async function* archive(
  copies: AsyncGenerator<BackupCopy, void>,
  first: IteratorResult<BackupCopy, void>,
  at: number,
): AsyncGenerator<Buffer, void> {
  yield* entry({ name: 'RESTORE.txt', sizeBytes: Buffer.byteLength(RESTORE), modifiedAt: at }, [Buffer.from(RESTORE)])
  for (let next = first; !next.done; next = await copies.next()) {
    const { name, path, sizeBytes } = next.value
    yield* entry({ name, sizeBytes, modifiedAt: at }, contentOf(path))
  }
  yield tarEnd()
}

/** Opened when it is wanted, and closed before anybody deletes it, also where its reader goes meanwhile. */
async function* contentOf(path: string): AsyncGenerator<Buffer, void> {
  const file = await open(path)
  try {
    yield* file.createReadStream({ highWaterMark: 256 * 1024, autoClose: false })
  } finally {
    await file.close()
  }
}

async function* entry(file: TarFile, content: Iterable<Buffer> | AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
  yield tarHeader(file)
  yield* content
  const padding = tarPadding(file.sizeBytes)
  if (padding.length > 0) yield padding
}

const RESTORE = `A backup of LLM Proxy.

To restore it: stop the gateway. In its DATA_DIR, move away llm-proxy.db and all ledger-*.db and bodies-*.db, with the -wal and -shm
of the same name. Unpack this archive there. Start the gateway.

It needs the encryption key that the gateway had when this was made: ENCRYPTION_KEY, or the file encryption-key in DATA_DIR, which is
not in here. Without it everything works but the provider keys of projects and the second factors of users, which have to be made anew.
`
