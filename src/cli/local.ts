import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config/config.ts'
import type { LoadedConfig } from '../config/load.ts'
import type { Sealer } from '../domain/secrets.ts'
import type { ProviderKey, Store } from '../store/store.ts'
import { CliError } from './failure.ts'
import type { Io } from './io.ts'

/** As config/secrets.ts names them; a test holds the two together. */
export const MANAGEMENT_TOKEN_FILE = 'management-token'
export const ENCRYPTION_KEY_FILE = 'encryption-key'

/** The configuration that a gateway started here would have. Throws `ConfigError`. */
export async function loadConfiguration({ env, cwd, stdout }: Io): Promise<LoadedConfig> {
  const { loadConfig } = await import('../config/load.ts')
  // These two are this program's own, and no misspelling of the gateway's.
  const { LLM_PROXY_URL, LLM_PROXY_TOKEN, ...gatewayEnv } = env
  return loadConfig({ env: gatewayEnv, cwd, terminal: stdout.isTTY === true })
}

/** Where a gateway with this configuration is reached from here; null when its port is left to chance. */
export function gatewayUrl({ host, port }: Pick<Config, 'host' | 'port'>): string | null {
  if (port === 0) return null
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`
}

/**
 * The store in DATA_DIR. It never migrates what is there, since a gateway may be running on it; only with `create` does it make a
 * new one. Throws `CliError`, `StoreError`.
 */
export async function openLocalStore({ dataDir }: Pick<Config, 'dataDir'>, { create = false } = {}): Promise<Store> {
  const { migrationStatus, openStore } = await import('../store/open.ts')
  const { location, version, latest, unknown } = await migrationStatus({ dataDir })
  if (version === 0 && !create) {
    throw new CliError(
      `There is no database at ${location} yet: start the gateway, or set DATA_DIR to where its data is.`,
    )
  }
  if (version > 0 && version < latest && unknown === 0) {
    throw new CliError(
      `The database ${location} has schema ${version}, and this version needs ${latest}: stop the gateway and run "llm-proxy migrate up".`,
    )
  }
  return openStore({ dataDir })
}

/** Every provider key there is, with its project's name. */
export async function* storedKeys(store: Store): AsyncGenerator<{ key: ProviderKey; project: string }> {
  for (let after: string | undefined; ; ) {
    const { data, hasMore } = await store.projects.list({ limit: 200, after })
    for (const { id, name } of data) {
      for (const key of await store.providerKeys.listByProject(id)) yield { key, project: name }
    }
    if (!hasMore) return
    after = data.at(-1)!.id
  }
}

/**
 * What seals new provider keys. A shell often lacks the ENCRYPTION_KEY of the gateway's service: rather than seal with another key,
 * which that gateway could not open, this refuses. Throws `CliError`, `ConfigError`.
 */
export async function openSealer(config: Config, store: Store): Promise<Sealer> {
  const there = await storedKeys(store).next()
  const known = there.done ? null : there.value.key
  const mustBeGenerated = config.encryptionKey === null && !existsSync(join(config.dataDir, ENCRYPTION_KEY_FILE))
  if (known && mustBeGenerated) {
    throw new CliError(
      `The database holds provider keys, but there is no encryption key here: set ENCRYPTION_KEY as the gateway has it, or restore the file ${ENCRYPTION_KEY_FILE} in ${config.dataDir}.`,
    )
  }
  const { resolveSecrets } = await import('../config/secrets.ts')
  const { createSealer } = await import('../domain/secrets.ts')
  const sealer = createSealer(resolveSecrets(config).encryptionKey)
  if (known && !opens(sealer, known.sealed)) {
    throw new CliError(
      'The encryption key here does not open the provider keys in the database: set ENCRYPTION_KEY as the gateway has it ("llm-proxy doctor" says more).',
    )
  }
  return sealer
}

export function opens(sealer: Sealer, sealed: string): boolean {
  try {
    sealer.open(sealed)
    return true
  } catch {
    return false
  }
}

/** A small file's text without its line end, null when there is none. */
export function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
