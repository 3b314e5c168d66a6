import { mkdtempSync, readdirSync, rmSync, statfsSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { BackupOptions, BackupStore } from '../backup.ts'
import { StoreError } from '../store.ts'
import type { BackupCalls } from './backup-worker.ts'
import { bodyFileOf, bodyMonthsIn } from './bodies/body-files.ts'
import { toStoreError } from './errors.ts'
import { fileOf, monthsIn } from './ledger/month.ts'
import { createThread } from './thread.ts'

/** Ten million requests are copied in a minute or two. */
const LIMIT_MS = 30 * 60_000
/** What has to stay free, so that the ledger can go on. */
const RESERVE_BYTES = 200 * 1024 * 1024
const FOLDER = 'backup-tmp-'
/** What a process that died in the middle has left behind. */
const STALE_MS = 24 * 3_600_000

/** `path`: of the main file. */
export function createBackups(path: string, { reserveBytes = RESERVE_BYTES } = {}): BackupStore {
  const folder = dirname(path)
  let isRunning = false

  const sources = ({ bodies }: BackupOptions) => [
    path,
    ...monthsIn(folder).map((month) => fileOf(folder, month)),
    ...(bodies ? bodyMonthsIn(folder).map((month) => bodyFileOf(folder, month)) : []),
  ]

  const files = (options: BackupOptions) =>
    guard(path, () =>
      sources(options).map((source) => ({
        name: basename(source),
        sizeBytes: sizeOf(source) + sizeOf(`${source}-wal`),
      })),
    )

  return {
    files: async (options) => files(options),

    async *copies(options) {
      if (isRunning) throw new StoreError('busy', 'Another backup is under way: wait for it to end.')
      isRunning = true
      let place: string | undefined
      const thread = createThread<BackupCalls>({
        script: new URL('./backup-worker.ts', import.meta.url),
        name: 'maker of backups',
        workerData: () => null,
        limitMs: LIMIT_MS,
        maxWaiting: 1,
      })
      try {
        removeStale(folder)
        requireRoom(folder, Math.max(...files(options).map(({ sizeBytes }) => sizeBytes)) + reserveBytes)
        place = guard(path, () => mkdtempSync(join(folder, FOLDER)))
        for (const source of sources(options)) {
          // A month may have grown too old meanwhile.
          if (source !== path && sizeOf(source) === 0) continue
          const target = join(place, basename(source))
          await thread.ask('copy', [source, target])
          yield { name: basename(source), path: target, sizeBytes: sizeOf(target) }
          rmSync(target, { force: true })
        }
      } finally {
        await thread.close()
        if (place !== undefined) rmSync(place, { recursive: true, force: true })
        isRunning = false
      }
    },
  }
}

function requireRoom(folder: string, neededBytes: number): void {
  const { bavail, bsize } = guard(folder, () => statfsSync(folder))
  if (bavail * bsize >= neededBytes) return
  const mb = Math.ceil(neededBytes / 1024 / 1024)
  throw new StoreError('full', `The copies need ${mb} MB of room for a moment in ${folder}, and there is less.`)
}

function removeStale(folder: string): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name)
    if (name.startsWith(FOLDER) && Date.now() - statSync(path).mtimeMs > STALE_MS)
      rmSync(path, { recursive: true, force: true })
  }
}

function guard<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw toStoreError(error, path)
  }
}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0
