import { ConfigError } from './config/config-error.ts'
import { loadProcessConfig } from './config/load.ts'
import { resolveSecrets } from './config/secrets.ts'
import { openContext } from './context.ts'
import { createLogger } from './logger.ts'
import { startGateway } from './server.ts'
import { StoreError } from './store/store.ts'

const GRACE_MS = 30_000

/** env → config → context → listen → drain on SIGTERM. */
async function main(): Promise<void> {
  const { config, warnings } = loadProcessConfig()
  const log = createLogger(config.log)
  const secrets = resolveSecrets(config)
  for (const warning of [...warnings, ...secrets.warnings]) log.warn(warning)
  const ctx = await openContext({ config, log, ...secrets })
  const gateway = await startGateway(ctx)
  log.info('ready', { url: gateway.url })

  let stopping = false
  const stop = (signal: string) => {
    if (stopping) process.exit(1)
    stopping = true
    log.info('draining', { signal })
    gateway.close(GRACE_MS).then(
      () => process.exit(0),
      (error) => exitWith(error),
    )
  }
  process.on('SIGTERM', () => stop('SIGTERM')).on('SIGINT', () => stop('SIGINT'))
  // One request's failure is not the process's: it is logged, and the request ends by its own limits.
  process.on('uncaughtException', (cause) => log.error('uncaught exception', { cause }))
  process.on('unhandledRejection', (cause) => log.error('unhandled rejection', { cause }))
}

function exitWith(error: unknown): never {
  const lines =
    error instanceof ConfigError
      ? ['The configuration has problems:', ...error.problems.map((problem) => `  - ${problem}`)]
      : [
          error instanceof StoreError
            ? error.message
            : error instanceof Error
              ? (error.stack ?? error.message)
              : String(error),
        ]
  process.stderr.write(`${lines.join('\n')}\n`)
  process.exit(1)
}

main().catch(exitWith)
