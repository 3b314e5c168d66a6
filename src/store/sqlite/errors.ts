import { StoreError } from '../store.ts'

/**
 * Says in an operator's words what SQLite or the file system met at `path`. Errors of neither (a caller's own) come back as they
 * are. Codes: https://www.sqlite.org/rescode.html
 */
export function toStoreError(error: unknown, path: string): unknown {
  if (error instanceof StoreError) return error
  const code = codeOf(error)
  const kind = code && kindOf(code)
  return kind ? new StoreError(kind, describe(kind, path, code, error), { cause: error }) : error
}

export function isBusy(error: unknown): boolean {
  return codeOf(error)?.startsWith('SQLITE_BUSY') ?? false
}

// Read by shape: the native module's errors may be of another realm, where instanceof says no.
function codeOf(error: unknown): string | null {
  const { code, cause, message } = Object(error) as { code?: unknown; cause?: unknown; message?: unknown }
  if (typeof code === 'string') return code
  if (message === CLOSED) return 'SQLITE_MISUSE'
  return cause ? codeOf(cause) : null
}

const CLOSED = 'The database connection is not open'

const KINDS: [RegExp, StoreError['kind']][] = [
  [/^SQLITE_(CORRUPT|NOTADB)/, 'corrupt'],
  [/^(SQLITE_(READONLY|CANTOPEN|PERM|AUTH)|EACCES|EPERM|EROFS|ENOTDIR|EISDIR|EEXIST)/, 'read_only'],
  [/^(SQLITE_(FULL|IOERR_SHMSIZE)|ENOSPC|EDQUOT)/, 'full'],
  [/^SQLITE_(BUSY|LOCKED)/, 'busy'],
  [/^SQLITE_CONSTRAINT_(UNIQUE|PRIMARYKEY)/, 'conflict'],
  [/^SQLITE_CONSTRAINT_FOREIGNKEY/, 'not_found'],
  [/^SQLITE_(CONSTRAINT|MISMATCH|TOOBIG|RANGE)/, 'invalid'],
  [/^(SQLITE_|E[A-Z]+$)/, 'unavailable'],
]

function kindOf(code: string) {
  return KINDS.find(([pattern]) => pattern.test(code))?.[1]
}

function describe(kind: StoreError['kind'], path: string, code: string | null, error: unknown): string {
  switch (kind) {
    case 'corrupt':
      return (
        `The database ${path} is damaged: stop the gateway, move the file away, and restore a backup of it in its place.` +
        (/ledger-[\d-]+\.db$/.test(path)
          ? ' Try "llm-proxy ledger verify --repair" before: it mends what is not a row.'
          : '')
      )
    case 'read_only':
      return `The database ${path} cannot be opened for writing by ${user()}: the file and its folder must exist and be writable.`
    case 'full':
      return `The disk that holds the database ${path} is full: free some space; nothing was written.`
    case 'busy':
      return `The database ${path} is held by another process for too long: try again, or look for a process that hangs.`
    case 'conflict':
      return `There is already one with the same ${columns(error)}.`
    case 'not_found':
      return 'The project does not exist (any more).'
    case 'invalid':
      return `The database ${path} does not take a value (${code}); nothing was written.`
    default:
      return `The database ${path} cannot be used (${code}).`
  }
}

/** `UNIQUE constraint failed: projects.name` → `projects.name`. */
function columns(error: unknown): string {
  const { message } = Object(error) as { message?: unknown }
  return /failed: (.+)$/.exec(String(message))?.[1] ?? 'id'
}

function user(): string {
  return process.getuid ? `this user (uid ${process.getuid()})` : 'this user'
}
