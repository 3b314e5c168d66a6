import type { Config } from './config/config.ts'
import type { LoadedConfig } from './config/load.ts'
import { setupCodeFile } from './config/secrets.ts'
import { type AdminDoor, createAdminDoor } from './domain/admin-door.ts'
import { createIpList } from './domain/ip-list.ts'
import { createSealer, type Sealer } from './domain/secrets.ts'
import { createTokenIndex, type TokenIndex } from './domain/token-index.ts'
import type { Kv } from './kv/kv.ts'
import { createMemoryKv } from './kv/memory.ts'
import type { Logger } from './logger.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { createDemoSwitch, type DemoSwitch } from './providers/demo-switch.ts'
import { createProviders, hasSharedKey, NO_KEY, type Providers } from './providers/index.ts'
import { type Catalogue, createCatalogue } from './proxy/catalogue.ts'
import { createExplain, type Explain } from './proxy/explain.ts'
import { createFairShare, type FairShare } from './proxy/fair-share.ts'
import { createUpstreams, type Upstreams } from './proxy/forward.ts'
import { startHealthProbes } from './proxy/health-probes.ts'
import { createModelLists, type ModelLists } from './proxy/model-lists.ts'
import { createPins, type Pins } from './proxy/pins/pins.ts'
import { createSlots, type Slots } from './proxy/slots.ts'
import { createTestProvider, type TestProvider } from './proxy/test-provider.ts'
import { registerSecret } from './redact.ts'
import { createReload, type Reload } from './reload.ts'
import { createLive } from './routing/create-live.ts'
import { type CurrentRouting, createRouting } from './routing/current.ts'
import type { Live } from './routing/live.ts'
import { openStore } from './store/open.ts'
import type { LedgerRow, Store } from './store/store.ts'
import { type Alerts, createAlerts } from './usage/alerts/alerts.ts'
import { type BodyLog, createBodyLog } from './usage/body-log.ts'
import { type Budgets, createBudgets } from './usage/budgets.ts'
import { createEstimator, type Estimator } from './usage/estimate.ts'
import { bookInterrupted } from './usage/interrupted.ts'
import { createLedger, type Ledger } from './usage/ledger.ts'
import { checkLedger, type LedgerCheck } from './usage/maintenance/ledger-check.ts'
import { createRepricer, type Repricer } from './usage/maintenance/repricer.ts'
import { runJob } from './usage/maintenance/run-job.ts'
import { createPace, type Pace } from './usage/pace.ts'
import { createPrices, type Prices } from './usage/prices/prices.ts'
import { keepRequests } from './usage/retention.ts'

/** The one object that wires the parts: made by `openContext`, handed to every surface. */
export type AppContext = {
  /** As it was at the start; what `reload` may change is in `routing`, `prices` and `alerts`. */
  config: Config
  reload: Reload
  store: Store
  kv: Kv
  providers: Providers
  demo: DemoSwitch
  tokens: TokenIndex
  ledger: Ledger
  estimator: Estimator
  prices: Prices
  budgets: Budgets
  alerts: Alerts
  /** Null: bodies are not kept. */
  bodies: BodyLog | null
  repricer: Repricer
  ledgerCheck: LedgerCheck
  pace: Pace
  http: Upstreams
  /** Routes of the file and of the database, rules, and all that decides about other tries. */
  routing: CurrentRouting
  modelLists: ModelLists
  catalogue: Catalogue
  /** What is known of the providers at this moment. */
  live: Live
  pins: Pins
  /** How people come into the admin console. */
  admin: AdminDoor
  explain: Explain
  testProvider: TestProvider
  slots: Slots
  fairShare: FairShare
  metrics: Metrics
  log: Logger
  sealer: Sealer
  /** Bearer of `/manage` and `/metrics`. */
  managementToken: string
  life: Life
  /** Milliseconds since the epoch. */
  now(): number
  close(): Promise<void>
}

/** Where the process is in its life; /ready and the data path ask. */
export type Life = {
  startedAt: number
  draining: boolean
  /** Requests on `/v1` that have not ended, streams among them. */
  running: number
  /** Those among them, and those just ended, whose ledger row is not written yet. */
  unsettled: number
}

const BREAKER_NEWS = {
  open: 'a provider fails: requests pass it by for a while',
  half_open: 'a provider that failed is tried again',
  closed: 'a provider that failed serves again',
}

/** A request that is older than so many of its time limits has ended, one way or the other. */
const GRACE = 2

type Options = {
  loaded: LoadedConfig
  /** Reads the configuration again. Throws `ConfigError`. */
  load(): LoadedConfig
  managementToken: string
  encryptionKey: Buffer
  log: Logger
  now?: () => number
}

/** Opens the database and wires the parts. Throws `StoreError`. */
export async function openContext({
  loaded,
  load,
  managementToken,
  encryptionKey,
  log,
  now = Date.now,
}: Options): Promise<AppContext> {
  const { config } = loaded
  const store = await openStore({ dataDir: config.dataDir, log })
  const metrics = createMetrics()
  const sealer = createSealer(encryptionKey)
  const demo = await createDemoSwitch({ mode: config.demo, hasConfiguredKey: hasSharedKey(config), store })
  const providers = createProviders(config, demo.url)
  for (const secret of [
    managementToken,
    encryptionKey.toString('base64').replace(/=+$/, ''),
    encryptionKey.toString('hex'),
    ...config.proxyApiKeys,
    ...(config.alerts.webhook?.secret ? [config.alerts.webhook.secret] : []),
    ...(config.admin.oidc?.clientSecret ? [config.admin.oidc.clientSecret] : []),
    ...providers.list().flatMap(({ sharedKey }) => (sharedKey === null || sharedKey === NO_KEY ? [] : sharedKey)),
    ...Object.values(config.providers).flatMap(({ headers = {} }) => secretsAmong(headers)),
  ]) {
    registerSecret(secret)
  }
  const prices = createPrices(config.prices)
  const interrupted = await bookInterrupted(
    { store, prices },
    {
      now: now(),
      graceMs: GRACE * config.timeouts.totalMs,
      onDamage: (month, cause) =>
        log.error('a month of the ledger cannot be used; requests that a crash cut off in it are not booked', {
          month,
          cause,
        }),
    },
  )
  for (const { requestId, tokenId } of interrupted)
    log.warn('a request was cut off by the end of the process before', { request_id: requestId, token: tokenId })
  const budgets = createBudgets({
    spend: async ({ kind, id }, from, to) => {
      const owner = kind === 'token' ? { tokenId: id } : { projectId: id }
      const { costNanoUsd, tokens } = await store.ledger.spend({ ...owner, from, ...(to !== null && { to }) })
      return { nanoUsd: costNanoUsd, tokens }
    },
    spendOfAll: async (kind, from, to) => {
      const { rows } = await store.ledger.usage({ groupBy: [kind], filter: { from, ...(to !== null && { to }) } })
      return new Map(
        rows.flatMap(({ keys: [id], costNanoUsd, inputTokens, outputTokens }) =>
          id == null ? [] : [[id, { nanoUsd: costNanoUsd, tokens: inputTokens + outputTokens }]],
        ),
      )
    },
  })
  const retention = keepRequests({ store, days: config.requestLogDays, bodyDays: config.bodyLog.days, log, now })
  const { request, response, days } = config.bodyLog
  const bodies =
    request || response ? createBodyLog({ keeps: config.bodyLog, store: store.bodies, metrics, log }) : null
  if (bodies) log.info('bodies are kept', { request, response, days })
  const alerts = createAlerts({ config: config.alerts, store, log, metrics, now })
  const jobs = new AbortController()
  const { dataDir } = config
  const repricer = createRepricer({
    store,
    now,
    run: (query) => runJob({ name: 'reprice', dataDir, prices: prices.config(), query }, jobs.signal),
    onChange: () =>
      void budgets.recount().catch((cause) => log.error('what budgets have used could not be counted anew', { cause })),
  })
  const ledgerCheck = checkLedger({
    verify: (query) => runJob({ name: 'verify', dataDir, query }, jobs.signal),
    reservedBelowZero: budgets.reservedBelowZero,
    alerts,
    metrics,
    log,
    now,
    everyMs: config.ledgerCheckMs,
    graceMs: GRACE * config.timeouts.totalMs,
  })
  const ledger = createLedger({
    store: store.ledger,
    now,
    onFailure(error, pendingRows, refusing) {
      metrics.ledgerPending(pendingRows)
      const what = refusing
        ? 'the ledger cannot be written; new requests are refused until it can'
        : 'a month of the ledger that is over cannot be written; its last rows wait'
      log.error(what, { pending_rows: pendingRows, cause: error })
    },
    onLost(row, error) {
      metrics.ledgerRowLost()
      logUnwritten(log, row, error)
    },
    onAnswerFailure: (requestId, cause) => log.error('an answer could not be ended', { request_id: requestId, cause }),
    onRecovery() {
      metrics.ledgerPending(0)
      log.info('the ledger is written again')
    },
  })
  const tokens = createTokenIndex({
    store,
    openKey(sealed) {
      const secret = sealer.open(sealed)
      registerSecret(secret)
      return secret
    },
    toIpList: createIpList,
    onUnreadableKey: (key, cause) =>
      log.error('a provider key cannot be opened; requests go without it', {
        key_id: key.id,
        project: key.projectId,
        cause,
      }),
  })
  const estimator = createEstimator((cause) =>
    log.error('the estimate worker failed; it is started again when needed', { cause }),
  )
  const http = createUpstreams(config)
  const modelLists = createModelLists({ http, metrics, log })
  const catalogue = createCatalogue(modelLists, prices)
  const routing = createRouting({ store, file: config.routing })
  const live = createLive({
    now,
    random: Math.random,
    breaker: () => routing.ofFile().breaker,
    keys: () => routing.ofFile().keys,
    rateLimitNames: (name) => providers.get(name)?.rateLimits ?? null,
    onChange: ({ provider, keyId, model }, state) =>
      log[state === 'open' ? 'warn' : 'info'](BREAKER_NEWS[state], { provider, key: keyId, model }),
  })
  metrics.watchRouting(live)
  const pins = createPins({
    store: store.pins,
    now,
    onFailure: (cause, waiting, lost) =>
      log.error('to which accounts objects belong cannot be written down; it holds until the process ends', {
        waiting,
        lost,
        cause,
      }),
  })
  const admin = createAdminDoor({
    config: config.admin,
    store,
    sealer,
    metrics,
    log,
    now,
    file: setupCodeFile(dataDir),
  })
  const probes = startHealthProbes({ http, providers, live, log, everyMs: config.healthProbeMs })
  const reload = createReload({ loaded, load, routing, prices, alerts, store, log, now })
  const explain = createExplain({
    config,
    store,
    tokens,
    providers,
    catalogue,
    live,
    prices,
    routing,
    budgets,
    estimator,
    now,
  })
  const life: Life = { startedAt: now(), draining: false, running: 0, unsettled: 0 }
  return {
    config,
    reload,
    store,
    kv: createMemoryKv(),
    providers,
    demo,
    tokens,
    ledger,
    estimator,
    prices,
    budgets,
    alerts,
    bodies,
    repricer,
    ledgerCheck,
    pace: createPace(now),
    http,
    modelLists,
    catalogue,
    live,
    routing,
    pins,
    admin,
    explain,
    testProvider: createTestProvider({ http, modelLists }),
    slots: createSlots({
      limitsOf: (name) => (Object.hasOwn(config.providers, name) ? (config.providers[name]!.limits ?? null) : null),
      onWaiting: metrics.queueWaiting,
    }),
    fairShare: createFairShare({ places: config.maxConcurrentRequests, now }),
    metrics,
    log,
    sealer,
    managementToken,
    life,
    now,
    async close() {
      ledgerCheck.close()
      probes.close()
      jobs.abort()
      const unwritten = await ledger.close()
      // Better in the log than nowhere: these rows can be entered by hand.
      for (const row of unwritten) logUnwritten(log, row)
      const unpinned = await pins.close()
      if (unpinned > 0)
        log.error('accounts of objects are forgotten, for they could not be written', { objects: unpinned })
      await Promise.all([alerts.close(), retention.close(), admin.close(), bodies?.close()])
      await Promise.all([http.close(), estimator.close(), demo.close()])
      await store.close()
      log.flush()
    },
  }
}

const logUnwritten = (log: Logger, row: LedgerRow, cause?: unknown) =>
  log.error('a ledger row could not be written', { row: textOf(row), ...(cause !== undefined && { cause }) })
/** Headers that carry a credential, by their names; the others would only blot out the log. */
const secretsAmong = (headers: Record<string, string>) =>
  Object.entries(headers).flatMap(([name, value]) => (/auth|key|token|secret|cookie/.test(name) ? value : []))

/** JSON, with 64-bit integers as texts. */
const textOf = (row: LedgerRow) =>
  JSON.stringify(row, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
