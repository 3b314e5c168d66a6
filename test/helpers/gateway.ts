import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Config } from '../../src/config/config.ts'
import { loadConfig } from '../../src/config/load.ts'
import { type AppContext, openContext } from '../../src/context.ts'
import { generateToken, hashToken, last4 } from '../../src/domain/secrets.ts'
import { newId } from '../../src/ids.ts'
import { createLogger } from '../../src/logger.ts'
import { type Gateway, startGateway } from '../../src/server.ts'
import type { LedgerRow, Project, Token } from '../../src/store/store.ts'

export const MANAGEMENT_TOKEN = 'test-management-token-0123456789'
export const ENCRYPTION_KEY = Buffer.alloc(32, 7)
export const PROVIDER_KEY = 'sk-provider-secret-key-0000000000000000'

export type TestGateway = Gateway & {
  /** `<url>/v1` */
  baseUrl: string
  dataDir: string
  /** Everything that was logged, redacted as it would be on the console. */
  logs(): string
  token(
    fields?: Partial<Token>,
    project?: Partial<Project>,
  ): Promise<{ secret: string; token: Token; project: Project }>
  /** All ledger rows, oldest first. */
  rows(): Promise<LedgerRow[]>
  stop(): Promise<void>
}

type Options = {
  upstream?: string
  /** On top of the defaults; deep parts are replaced whole. */
  config?: Partial<Config>
  now?: () => number
  dataDir?: string
}

/** The real gateway on a free port, in this process, with a data folder of its own. */
export async function startTestGateway({
  upstream,
  config: own = {},
  now = Date.now,
  dataDir: given,
}: Options = {}): Promise<TestGateway> {
  const dataDir = given ?? mkdtempSync(join(tmpdir(), 'llm-proxy-test-'))
  const load = () => {
    const loaded = loadConfig({ env: {}, cwd: dataDir })
    return { ...loaded, config: withOwn(loaded.config, dataDir, upstream, own) }
  }

  let logged = ''
  const write = (text: string) => {
    logged += text
  }
  const log = createLogger({ level: 'debug', format: 'json', write })
  const ctx = await openContext({
    loaded: load(),
    load,
    managementToken: MANAGEMENT_TOKEN,
    encryptionKey: ENCRYPTION_KEY,
    log,
    now,
  })
  const gateway = await startGateway(ctx)
  return {
    ...gateway,
    baseUrl: `${gateway.url}/v1`,
    dataDir,
    logs: () => {
      log.flush()
      return logged
    },
    token: (fields, project) => makeToken(ctx, fields, project),
    rows: async () => (await ctx.store.ledger.list({}, { limit: 1000 })).data.reverse(),
    stop: async () => {
      await gateway.close(0)
      if (!given) rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

function withOwn(defaults: Config, dataDir: string, upstream: string | undefined, own: Partial<Config>): Config {
  const retry = own.retry ?? { ...defaults.retry, maxRetries: 0 }
  const timeouts = own.timeouts ?? defaults.timeouts
  return {
    ...defaults,
    port: 0,
    dataDir,
    providers: upstream
      ? { ...defaults.providers, openai: { apiKey: PROVIDER_KEY, baseUrl: upstream } }
      : defaults.providers,
    retry,
    routing: { ...defaults.routing, retry: { ...defaults.routing.retry, ...retry }, timeouts },
    ...own,
  }
}

async function makeToken(
  { store }: AppContext,
  fields: Partial<Token> = {},
  projectFields: Partial<Project> | undefined = undefined,
) {
  const at = Date.now()
  const stamp = {
    id: newId('aud'),
    at,
    actor: 'system',
    ip: null,
    userAgent: null,
    action: 'test',
    targetId: null,
    projectId: null,
    outcome: 'success' as const,
    reason: null,
  }
  let project = await store.projects.findByName('default')
  if (projectFields) {
    const id = newId('proj')
    const made: Project = {
      id,
      name: id,
      isActive: true,
      allowedModels: null,
      rateLimit: null,
      budgets: null,
      metadata: {},
      createdAt: at,
      updatedAt: at,
      ...projectFields,
    }
    await store.projects.create(made, [], stamp)
    project = made
  }
  const secret = generateToken()
  const token: Token = {
    id: newId('tok'),
    projectId: project!.id,
    name: null,
    hash: hashToken(secret),
    last4: last4(secret),
    expiresAt: null,
    maxRequests: null,
    rateLimit: null,
    budgets: null,
    allowedModels: null,
    allowedEndpoints: null,
    allowedIps: null,
    metadata: {},
    requestCount: 0,
    lastUsedAt: null,
    isActive: true,
    revokedAt: null,
    createdAt: at,
    updatedAt: at,
    ...fields,
  }
  await store.tokens.create(token, { ...stamp, id: newId('aud') })
  return { secret, token, project: project! }
}
