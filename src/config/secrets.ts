import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Config } from './config.ts'
import { ConfigError } from './config-error.ts'
import { fileErrorText } from './environment.ts'
import { encryptionKey, KEY_BYTES, token } from './parsers.ts'

export type Secrets = {
  managementToken: string
  encryptionKey: Buffer
  /** Where the management token can be read; null when it was configured. */
  managementTokenFile: string | null
  warnings: string[]
}

/**
 * The secrets that the gateway itself needs: as configured, else from `dataDir`, where they are generated on first start.
 * Throws `ConfigError` with all that is wrong with their files.
 */
export function resolveSecrets(config: Pick<Config, 'dataDir' | 'managementToken' | 'encryptionKey'>): Secrets {
  const problems: string[] = []
  const warnings: string[] = []
  const token = config.managementToken ?? readOrReport(config.dataDir, MANAGEMENT_TOKEN, problems, warnings)
  const key = config.encryptionKey ?? readOrReport(config.dataDir, ENCRYPTION_KEY, problems, warnings)
  if (token === null || key === null) throw new ConfigError([...new Set(problems)])
  return {
    managementToken: token,
    encryptionKey: typeof key === 'string' ? encryptionKey.parse(key) : key,
    managementTokenFile: config.managementToken === null ? join(config.dataDir, MANAGEMENT_TOKEN.fileName) : null,
    warnings,
  }
}

/** How to make a secret, and how to tell a good one. `option` is the name that would replace the file. */
export type SecretKind = {
  option: string
  fileName: string
  generate: () => string
  accepts: (value: string) => boolean
}

const MANAGEMENT_TOKEN: SecretKind = {
  option: 'MANAGEMENT_TOKEN',
  fileName: 'management-token',
  generate: () => randomBytes(32).toString('base64url'),
  accepts: (value) => value.length >= 16 && token.safeParse(value).success,
}

const ENCRYPTION_KEY: SecretKind = {
  option: 'ENCRYPTION_KEY',
  fileName: 'encryption-key',
  generate: () => randomBytes(KEY_BYTES).toString('base64'),
  accepts: (value) => encryptionKey.safeParse(value).success,
}

const SETUP_CODE: SecretKind = {
  option: 'admin-setup-code',
  fileName: 'admin-setup-code',
  generate: () => randomBytes(32).toString('base64url'),
  accepts: (value) => /^[\w-]{43}$/.test(value),
}

/** What is made at the first start where it is not configured: the option, and its file in `DATA_DIR`. */
export const GENERATED: Readonly<Record<string, string>> = Object.fromEntries(
  [MANAGEMENT_TOKEN, ENCRYPTION_KEY].map(({ option, fileName }) => [option, fileName]),
)

/** The file of the code that lets the first admin user in. `ensure` throws `ConfigError` when it cannot be used. */
export function setupCodeFile(dataDir: string) {
  const path = join(dataDir, SETUP_CODE.fileName)
  return {
    path,
    ensure: () => ensureSecret(dataDir, SETUP_CODE).value,
    remove: () => rmSync(path, { force: true }),
  }
}

/**
 * Reads the secret in `dataDir`, or creates it (0600, the folder 0700). Processes that start at once agree on one value.
 * Throws `ConfigError` when the file cannot be used: a secret is never replaced.
 */
export function ensureSecret(
  dataDir: string,
  { option, fileName, generate, accepts }: SecretKind,
): { value: string; warning: string | null } {
  const path = join(dataDir, fileName)
  try {
    const value = readIfThere(path) ?? createOrRead(dataDir, path, generate)
    if (accepts(value)) return { value, warning: warnIfOpen(path) }
  } catch (error) {
    throw new ConfigError([`DATA_DIR: cannot use ${path}: ${fileErrorText(error)}`])
  }
  throw new ConfigError([`${option}: the file ${path} is damaged; restore it from a backup, or set ${option}`])
}

function readOrReport(dataDir: string, kind: SecretKind, problems: string[], warnings: string[]): string | null {
  try {
    const { value, warning } = ensureSecret(dataDir, kind)
    if (warning !== null) warnings.push(warning)
    return value
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    problems.push(...error.problems)
    return null
  }
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

/** Writes aside and then links: the name appears with its whole content or not at all, and only for the first who tries. */
function createOrRead(dataDir: string, path: string, generate: () => string): string {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const value = generate()
  const draft = `${path}.${randomBytes(6).toString('hex')}`
  try {
    writeDurably(draft, `${value}\n`)
    linkExclusively(draft, path)
    return value
  } catch (error) {
    const winner = (error as NodeJS.ErrnoException).code === 'EEXIST' ? readIfThere(path) : null
    if (winner === null) throw error
    return winner
  } finally {
    rmSync(draft, { force: true })
  }
}

function writeDurably(path: string, content: string): void {
  const file = openSync(path, 'wx', 0o600)
  try {
    writeSync(file, content)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

function linkExclusively(draft: string, path: string): void {
  try {
    linkSync(draft, path)
  } catch (error) {
    // Some file systems (FAT, SMB) know no links.
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    copyFileSync(draft, path, constants.COPYFILE_EXCL)
    chmodSync(path, 0o600)
  }
}

function warnIfOpen(path: string): string | null {
  const mode = statSync(path).mode & 0o777
  if (process.platform === 'win32' || (mode & 0o077) === 0) return null
  return `${path}: others can read it (mode ${mode.toString(8)}); chmod 600 it`
}
