import { basename } from 'node:path'
import { laterChanges, liveChanges } from './config/changes.ts'
import type { Config } from './config/config.ts'
import { ConfigError } from './config/config-error.ts'
import type { LoadedConfig } from './config/load.ts'
import { describeSettings, type Setting } from './config/settings.ts'
import { type Actor, audited, recordNoChange, SYSTEM } from './domain/audit.ts'
import { GatewayError } from './errors.ts'
import type { Logger } from './logger.ts'
import { providerNamesOf } from './providers/index.ts'
import type { CurrentRouting } from './routing/current.ts'
import type { Store } from './store/store.ts'
import type { Alerts } from './usage/alerts/alerts.ts'
import type { Prices } from './usage/prices/prices.ts'

export type Reload = {
  /**
   * Reads the configuration again, all of it before anything changes, and takes over what can change while the gateway runs. Throws
   * `invalid_request` with all `problems` when something is wrong; then everything is as it was.
   */
  now(actor: Actor, why: string): Promise<Reloaded>
  /** The same by itself: what is wrong is logged. Never rejects. */
  bySystem(why: string): Promise<void>
  state(): ReloadState
  /** Every option as it is in force, without what is secret. */
  settings(): Setting[]
}

/** Names of what has changed. `needsRestart`: what holds from the next start on. */
export type Reloaded = { at: number; changed: string[]; needsRestart: string[]; warnings: readonly string[] }

export type ReloadState = {
  /** When the configuration in force was read. */
  loadedAt: number
  /** What has changed since the start and waits for the next one. */
  needsRestart: string[]
  /** Why the last reload was refused; empty: it was not. */
  problems: readonly string[]
}

type Options = {
  loaded: LoadedConfig
  load(): LoadedConfig
  routing: CurrentRouting
  prices: Prices
  alerts: Alerts
  store: Pick<Store, 'audit'>
  log: Logger
  now(): number
}

export function createReload(options: Options): Reload {
  const { loaded, load, routing, prices, alerts, store, log, now } = options
  let inForce = loaded
  let state: ReloadState = { loadedAt: now(), needsRestart: [], problems: [] }

  /** In one go: no request sees half of it. */
  const swap = (): Reloaded => {
    const next = load()
    refuseNewProviders(next.config, loaded.config)
    const changed = liveChanges(inForce, next)
    const needsRestart = laterChanges(loaded, next)
    routing.replace(next.config.routing)
    prices.replace(next.config.prices)
    alerts.replace(next.config.alerts)
    inForce = next
    state = { loadedAt: now(), needsRestart, problems: [] }
    return { at: state.loadedAt, changed, needsRestart, warnings: next.warnings }
  }

  const reload = (actor: Actor, why: string) =>
    audited({ store, now }, actor, { action: 'config.reload' }, async (stamp) => {
      const reloaded = explaining(swap, (problems) => {
        state = { ...state, problems }
        log.error('the configuration has problems; the one before stays in force', { why, problems })
      })
      const { changed, needsRestart, warnings } = reloaded
      log.info('the configuration was read again', { why, changed, needs_restart: needsRestart })
      for (const warning of warnings) log.warn(warning)
      await recordNoChange({ store, now }, stamp, { why, changed, needs_restart: needsRestart })
      return reloaded
    })

  return {
    now: reload,
    async bySystem(why) {
      await reload(SYSTEM, why).catch((cause) => {
        // What is wrong with the file has been told.
        if (cause instanceof GatewayError && cause.code === 'invalid_request') return
        log.error('the configuration could not be read again', { why, cause })
      })
    },
    state: () => state,
    settings: () => describeSettings(loaded, inForce),
  }
}

function explaining(swap: () => Reloaded, tell: (problems: readonly string[]) => void): Reloaded {
  try {
    return swap()
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause
    const { problems } = cause
    tell(problems)
    const more = problems.length > 3 ? `; and ${problems.length - 3} more` : ''
    throw new GatewayError('invalid_request', {
      message: `The configuration has problems, and the one before stays in force: ${problems.slice(0, 3).join('; ')}${more}.`,
      details: { problems },
      cause,
    })
  }
}

/** Providers come and go with a restart: a route to one that is not there yet would lead nowhere. */
function refuseNewProviders({ routing, configFile }: Config, running: Config): void {
  const known = new Set(providerNamesOf(running))
  const label = basename(configFile ?? '')
  const problems = [
    ...routing.routes.flatMap(({ pattern, targets }) =>
      targets.map(({ provider }, index) => [`routes.${pattern}.targets[${index}]`, provider] as const),
    ),
    ...routing.rules.map(({ provider }, index) => [`rules[${index}]`, provider] as const),
  ].flatMap(([place, provider]) =>
    provider === null || known.has(provider)
      ? []
      : `${label}: ${place}.provider: ${provider} is new, and new providers need a restart`,
  )
  if (problems.length > 0) throw new ConfigError(problems)
}
