import { type FSWatcher, readFileSync, realpathSync, watch } from 'node:fs'
import { basename, dirname } from 'node:path'

const SETTLED_MS = 100

/**
 * Calls `onChange` when the text of the file is another. The folder is watched, not the file: editors and Kubernetes put a new file in
 * its place. `onFailure`: it cannot be watched (any more). Never keeps the process running.
 */
export function watchFile(
  path: string,
  onChange: () => void,
  onFailure: (cause: unknown) => void,
  settledMs = SETTLED_MS,
): { close(): void } {
  let text = readText(path)
  let timer: NodeJS.Timeout | undefined
  const look = () => {
    const now = readText(path)
    // Between the old file and the new one there is none; it will be heard of again.
    if (now === null || now === text) return
    text = now
    onChange()
  }
  const heard = (name: string | null) => {
    // Kubernetes changes a link beside it, named ..data.
    if (name !== null && !names.has(name) && !name.startsWith('..')) return
    clearTimeout(timer)
    timer = setTimeout(look, settledMs).unref()
  }
  const { folders, names } = placesOf(path)
  const watchers: FSWatcher[] = []
  const close = () => {
    clearTimeout(timer)
    for (const watcher of watchers) watcher.close()
  }
  try {
    for (const folder of folders)
      watchers.push(
        watch(folder, { persistent: false }, (_event, name) => heard(name)).on('error', (cause) => {
          close()
          onFailure(cause)
        }),
      )
    // It may have changed before the watch began.
    look()
  } catch (cause) {
    close()
    onFailure(cause)
  }
  return { close }
}

/** Where the file stands, and where it really is when that is a link. */
function placesOf(path: string): { folders: Set<string>; names: Set<string> } {
  const paths = [path]
  try {
    paths.push(realpathSync(path))
  } catch {
    // It is gone; the folder tells when it is back.
  }
  return { folders: new Set(paths.map((one) => dirname(one))), names: new Set(paths.map((one) => basename(one))) }
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}
