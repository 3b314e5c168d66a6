import { ConfigError } from './config/config-error.ts'
import { loadProcessConfig } from './config/load.ts'
import { resolveSecrets } from './config/secrets.ts'
import { watchFile } from './config/watch.ts'
import { type AppContext, openContext } from './context.ts'
import { createLogger } from './logger.ts'
import { startGateway } from './server.ts'
import { StoreError } from './store/store.ts'
import { findSetup, welcome } from './welcome.ts'

const GRACE_MS = 30_000

/** env → config → context → listen → drain on SIGTERM. Whatever stands in the way is told in a line, and the process ends. */
export const start = () => run().catch(exitWith)

async function run(): Promise<void> {
  const loaded = loadProcessConfig()
  const { config, warnings } = loaded
  const log = createLogger(config.log)
  // Whoever read the log has gone; the gateway goes on.
  process.stdout.on('error', () => {})
  const secrets = resolveSecrets(config)
  for (const warning of [...warnings, ...secrets.warnings]) log.warn(warning)
  const ctx = await openContext({ loaded, load: loadProcessConfig, log, ...secrets })
  const gateway = await startGateway(ctx)
  log.info('ready', { url: gateway.url, management_token_file: secrets.managementTokenFile })
  const setup = await findSetup(ctx, gateway.url)
  if (setup && !process.stdout.isTTY)
    log.info(
      'there is no admin user yet: make one with "llm-proxy admin create", or by the link of "llm-proxy admin setup-link"',
      {
        code_file: setup.codeFile,
      },
    )
  // The start does not wait for half a megabyte of prices, and no request should.
  setImmediate(() => ctx.prices.warm())
  let stopping = false
  const stop = (signal: string) => {
    if (stopping) {
      log.warn('ended at once', { signal })
      log.flush()
      process.exit(1)
    }
    stopping = true
    log.info('draining', { signal })
    gateway.close(GRACE_MS).then(
      () => process.exit(0),
      (error) => exitWith(error),
    )
  }
  process.on('SIGTERM', () => stop('SIGTERM')).on('SIGINT', () => stop('SIGINT'))
  // On a terminal it says that the terminal is gone.
  process.on('SIGHUP', () => (process.stdout.isTTY ? stop('SIGHUP') : void ctx.reload.bySystem('SIGHUP')))
  if (config.configFile !== null) watchConfiguration(ctx, config.configFile)
  // One request's failure is not the process's: it is logged, and the request ends by its own limits.
  process.on('uncaughtException', (cause) => log.error('uncaught exception', { cause }))
  process.on('unhandledRejection', (cause) => log.error('unhandled rejection', { cause }))

  if (process.stdout.isTTY) {
    log.flush()
    process.stdout.write(
      await welcome({
        ctx,
        url: gateway.url,
        projectId: gateway.projectId,
        managementTokenFile: secrets.managementTokenFile,
        setup,
      }),
    )
  }
}

/** Until the process ends. */
function watchConfiguration({ reload, log }: AppContext, path: string): void {
  watchFile(
    path,
    () => void reload.bySystem('the file changed'),
    (cause) => log.warn('changes of the configuration file are not noticed; send SIGHUP after one', { path, cause }),
  )
}

function exitWith(error: unknown): never {
  process.stderr.write(`${explain(error)}\n`)
  process.exit(1)
}

function explain(error: unknown): string {
  if (error instanceof ConfigError) return error.message
  if (error instanceof StoreError) return error.message
  const { code, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number }
  if (code === 'EADDRINUSE')
    return `Port ${port} on ${address} is in use. Set PORT to a free one, or stop the program that has it.`
  if (code === 'EACCES') return `Port ${port} may not be opened by this user. Set PORT to one above 1023.`
  if (code === 'EADDRNOTAVAIL')
    return `${address} is no address of this machine. Set HOST to one that is (127.0.0.1, 0.0.0.0).`
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
