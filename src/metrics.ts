import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { availabilityOf } from './routing/availability.ts'
import type { LaneState, Live } from './routing/live.ts'
import type { LedgerRow } from './store/store.ts'

/** So many models get a label of their own; the rest are `other`, so that no caller can make the label sets grow. */
const MAX_MODEL_LABELS = 500

export type EndedRequest = Pick<
  LedgerRow,
  'provider' | 'model' | 'status' | 'latencyMs' | 'firstTokenMs' | 'usage' | 'costNanoUsd'
>

export type Metrics = ReturnType<typeof createMetrics>

type RoutingView = Pick<Live, 'snapshot' | 'benches'>

/** One function for each event; names and labels are those of DESIGN 4.5. */
export function createMetrics() {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })

  const requests = new Counter({
    name: 'llmproxy_requests_total',
    help: 'Requests by what the client was told.',
    labelNames: ['provider', 'model', 'status'],
    registers,
  })
  const duration = new Histogram({
    name: 'llmproxy_request_duration_seconds',
    help: 'From the request coming in to the last byte of its answer.',
    labelNames: ['provider', 'model'],
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300],
    registers,
  })
  const firstToken = new Histogram({
    name: 'llmproxy_first_token_seconds',
    help: 'From the request coming in to the first byte of a streamed answer.',
    labelNames: ['provider', 'model'],
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60],
    registers,
  })
  const overhead = new Histogram({
    name: 'llmproxy_overhead_seconds',
    help: 'What the gateway took before the request left for the provider.',
    buckets: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25],
    registers,
  })
  const tokens = new Counter({
    name: 'llmproxy_tokens_processed_total',
    help: 'Tokens by type: input, output, cached (part of input), reasoning (part of output).',
    labelNames: ['provider', 'model', 'type'],
    registers,
  })
  const cost = new Counter({
    name: 'llmproxy_cost_usd_total',
    help: 'What the requests cost, in US dollars. Requests whose price is not known are not in it.',
    labelNames: ['provider', 'model'],
    registers,
  })
  const attempts = new Counter({
    name: 'llmproxy_upstream_attempts_total',
    help: 'Tries at a provider by how they ended.',
    labelNames: ['provider', 'outcome'],
    registers,
  })
  const rejected = new Counter({
    name: 'llmproxy_rejected_total',
    help: 'Requests refused by the gateway itself, by error code.',
    labelNames: ['code'],
    registers,
  })
  const active = new Gauge({
    name: 'llmproxy_active_requests',
    help: 'Requests that a provider is answering now.',
    labelNames: ['provider'],
    registers,
  })
  const queueWaiting = new Gauge({
    name: 'llmproxy_queue_waiting',
    help: 'Requests that wait for others to a provider to end.',
    labelNames: ['provider'],
    registers,
  })
  const ledgerPending = new Gauge({
    name: 'llmproxy_ledger_pending_rows',
    help: 'Ledger rows that could not be written yet.',
    registers,
  })
  const ledgerLost = new Counter({
    name: 'llmproxy_ledger_lost_rows_total',
    help: 'Ledger rows that no database takes; they are in the log.',
    registers,
  })
  const alerts = new Counter({
    name: 'llmproxy_alerts_total',
    help: 'Alerts by kind: budget_threshold, unusual_spending, ledger_drift.',
    labelNames: ['kind'],
    registers,
  })
  const bodies = new Counter({
    name: 'llmproxy_body_log_total',
    help: 'Requests whose bodies were to be kept: kept, queue_full, failed.',
    labelNames: ['result'],
    registers,
  })
  const drift = new Gauge({
    name: 'llmproxy_ledger_drift',
    help: 'Places where rows, sums and counters of the ledger do not agree, by the last check.',
    registers,
  })
  const checked = new Gauge({
    name: 'llmproxy_ledger_checked_timestamp_seconds',
    help: 'When the ledger was checked last.',
    registers,
  })
  const droppedAudit = new Counter({
    name: 'llmproxy_audit_suppressed_total',
    help: 'Denied management calls beyond the number that the audit log keeps a minute.',
    registers,
  })

  const models = new Set<string>()
  const modelLabel = (model: string | null, believed: boolean) => {
    if (model === null) return 'none'
    if (models.has(model)) return model
    if (!believed || models.size >= MAX_MODEL_LABELS) return 'other'
    models.add(model)
    return model
  }

  let routing: RoutingView = { snapshot: () => [], benches: () => [] }
  const labelsOf = ({ provider, model, firstEventMs }: LaneState) => ({
    provider,
    model: modelLabel(model === '' ? null : model, firstEventMs !== null),
  })
  new Gauge({
    name: 'llmproxy_breaker_state',
    help: 'Whether requests pass: 0 closed (they do), 1 half open (a few, as probes), 2 open. Of several keys, the worst.',
    labelNames: ['provider', 'model'],
    registers,
    collect() {
      this.reset()
      for (const [labels, lanes] of byLabels(routing.snapshot(), labelsOf))
        this.set(labels, Math.max(...lanes.map(({ breaker }) => BREAKER_VALUES[breaker])))
    },
  })
  new Gauge({
    name: 'llmproxy_key_benched',
    help: 'Keys that rest, because their limit is used up or the provider refused them.',
    labelNames: ['provider'],
    registers,
    collect() {
      this.reset()
      for (const { provider } of routing.snapshot()) this.set({ provider }, 0)
      for (const [provider, keys] of Map.groupBy(routing.benches(), (key) => key.provider))
        this.set({ provider }, keys.length)
    },
  })
  new Gauge({
    name: 'llmproxy_model_availability',
    help: '1 when the last answer of that model was one, 0 when the provider failed or no key lets requests pass.',
    labelNames: ['provider', 'model'],
    registers,
    collect() {
      this.reset()
      for (const [labels, lanes] of byLabels(routing.snapshot(), labelsOf))
        if (labels.model !== 'other') this.set(labels, availabilityOf(lanes).isAvailable ? 1 : 0)
    },
  })

  return {
    registry,
    /**
     * `answered`: a provider answered with success; only then is the model's name believed. `overheadMs`: what the gateway itself
     * took before the request left, null when it never left.
     */
    requestEnded(row: EndedRequest, answered: boolean, overheadMs: number | null) {
      const { provider, model, status, latencyMs, firstTokenMs, usage } = row
      const labels = { provider: provider ?? 'none', model: modelLabel(model, answered) }
      requests.inc({ ...labels, status })
      duration.observe(labels, latencyMs / 1000)
      if (overheadMs !== null) overhead.observe(overheadMs / 1000)
      if (firstTokenMs !== null) firstToken.observe(labels, firstTokenMs / 1000)
      if (row.costNanoUsd) cost.inc(labels, Number(row.costNanoUsd) / 1e9)
      if (usage.source === 'none') return
      tokens.inc({ ...labels, type: 'input' }, usage.inputTokens)
      tokens.inc({ ...labels, type: 'output' }, usage.outputTokens)
      if (usage.cachedTokens > 0) tokens.inc({ ...labels, type: 'cached' }, usage.cachedTokens)
      if (usage.reasoningTokens > 0) tokens.inc({ ...labels, type: 'reasoning' }, usage.reasoningTokens)
    },
    /** From now on the gauges of the providers' health are read off there, whenever somebody asks. */
    watchRouting(live: RoutingView) {
      routing = live
    },
    attemptStarted: (provider: string) => active.inc({ provider }),
    attemptEnded(provider: string, outcome: string) {
      active.dec({ provider })
      attempts.inc({ provider, outcome })
    },
    queueWaiting: (provider: string, waiting: number) => queueWaiting.set({ provider }, waiting),
    requestRejected: (code: string) => rejected.inc({ code }),
    ledgerPending: (rows: number) => ledgerPending.set(rows),
    ledgerChecked(at: number, places: number) {
      checked.set(at / 1000)
      drift.set(places)
    },
    ledgerRowLost: () => ledgerLost.inc(),
    alertFired: (kind: string) => alerts.inc({ kind }),
    bodiesKept: (requests: number) => bodies.inc({ result: 'kept' }, requests),
    bodiesLost: (reason: 'queue_full' | 'failed', requests: number) => bodies.inc({ result: reason }, requests),
    auditSuppressed: () => droppedAudit.inc(),
  }
}

const BREAKER_VALUES = { closed: 0, half_open: 1, open: 2 }

type Labels = { provider: string; model: string }
const byLabels = (lanes: LaneState[], labelsOf: (lane: LaneState) => Labels) =>
  [...Map.groupBy(lanes, (lane) => JSON.stringify(labelsOf(lane))).values()].map(
    (group) => [labelsOf(group[0]!), group] as const,
  )
