import { ConfigError } from '../../config/config-error.ts'
import type { LoadedConfig } from '../../config/load.ts'
import { probeGateway } from '../gateway-probe.ts'
import type { Io } from '../io.ts'
import { gatewayUrl, loadConfiguration } from '../local.ts'
import { type Check, failure, ok, skipped, warning } from './check.ts'
import { checkDataFolder } from './data-folder.ts'
import { checkDatabase } from './database.ts'
import { checkProviders } from './providers.ts'

/** Looks at everything that a gateway started here needs. Changes nothing. */
export async function examine(io: Io): Promise<Check[]> {
  let loaded: LoadedConfig
  try {
    loaded = await loadConfiguration(io)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map((problem) => failure('configuration', problem))
  }
  const { config } = loaded
  const folder = checkDataFolder(config.dataDir)
  const { checks: database, keys } = await checkDatabase(config)
  const [providers, gateway] = await Promise.all([
    checkProviders(config, keys, io.now),
    checkGateway(gatewayUrl(config)),
  ])
  return [...checkConfig(loaded), ...folder, ...database, ...providers, gateway]
}

function checkConfig({ config, warnings }: LoadedConfig): Check[] {
  const from = config.configFile === null ? 'environment and defaults' : config.configFile
  return [ok('configuration', `read from ${from}`), ...warnings.map((text) => warning('configuration', text))]
}

async function checkGateway(url: string | null): Promise<Check> {
  if (url === null) return skipped('gateway', 'PORT is 0: its address is known only when it runs')
  const probe = await probeGateway(url)
  if (probe.found === 'nothing') return skipped('gateway', `none is running at ${url} (${probe.reason})`)
  if (probe.found === 'something else') {
    return failure('gateway', `another program answers at ${url}`, 'Stop it, or set PORT to a free port.')
  }
  if (probe.ready) return ok('gateway', `ready at ${url}`)
  const wrong = Object.entries(probe.checks).filter(([, state]) => state !== 'ok')
  return warning('gateway', `running at ${url}, not ready: ${wrong.map((entry) => entry.join(': ')).join('; ')}`)
}
