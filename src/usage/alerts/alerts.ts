import type { AlertConfig } from '../../config/config.ts'
import { type Actor, audited, makeStamp, recordNoChange, SYSTEM } from '../../domain/audit.ts'
import { GatewayError } from '../../errors.ts'
import { newId } from '../../ids.ts'
import type { Logger } from '../../logger.ts'
import type { Metrics } from '../../metrics.ts'
import type { LedgerRow, Store } from '../../store/store.ts'
import type { BudgetState } from '../budgets.ts'
import { type Alert, budgetAlert, share, testAlert } from './alert.ts'
import { createSpendWatch } from './spend-watch.ts'
import { bodyOf, signatureOf, waitAfter } from './webhook.ts'

export type Alerts = {
  /** A row is committed; `budgets`: where those of its token and project stand now. Costs nothing but a look unless something is to be told. */
  settled(row: LedgerRow, budgets: readonly BudgetState[]): void
  /** Tells it, unless something of this key was told before. */
  tell(alert: Alert): void
  /**
   * Sends a test to the webhook, once, and says what came back: it is not tried again, and not among the alerts. Throws `conflict` when
   * no webhook is configured.
   */
  test(actor: Actor): Promise<TestResult>
  /** What holds now. */
  limits(): Pick<AlertConfig, 'thresholds' | 'spendFactor'>
  /** From now on these hold. */
  replace(limits: Pick<AlertConfig, 'thresholds' | 'spendFactor'>): void
  /** Waits for what is being told just now. */
  close(): Promise<void>
}

/** `failure`: in words, null when the webhook took it. */
export type TestResult = { failure: string | null; status: number | null; durationMs: number }

type Options = {
  config: AlertConfig
  store: Pick<Store, 'alerts' | 'audit'> & { ledger: Pick<Store['ledger'], 'spend'> }
  log: Pick<Logger, 'warn' | 'error'>
  metrics: Pick<Metrics, 'alertFired'>
  now(): number
  /** How often the outbox is looked at. */
  everyMs?: number
}

const EVERY_MS = 2_000
const POST_MS = 10_000
const AT_ONCE = 20
const MAX_KNOWN = 10_000

/**
 * Tells of budgets that pass a threshold and of tokens that spend far more than usual: once each, in log, metric and audit log, and
 * through the webhook. What is to be sent stands in the store until the webhook has taken it, so that a crash loses nothing.
 */
export function createAlerts({ config, store, log, metrics, now, everyMs = EVERY_MS }: Options): Alerts {
  const { webhook } = config
  let { thresholds, spendFactor }: Pick<AlertConfig, 'thresholds' | 'spendFactor'> = config
  /** Told already, as far as this process knows; the store knows for sure. */
  const known = new Set<string>()
  const telling = new Set<Promise<void>>()

  const tell = (alert: Alert) => {
    if (known.has(alert.key)) return
    if (known.size >= MAX_KNOWN) known.clear()
    known.add(alert.key)
    const told = keep(alert)
      .catch((cause) => {
        // Tried again with the next request.
        known.delete(alert.key)
        log.error('an alert could not be kept', { text: alert.text, cause })
      })
      .finally(() => telling.delete(told))
    telling.add(told)
  }

  const keep = async (alert: Alert) => {
    const { key, kind, at, text, data } = alert
    const record = { id: newId('alr'), key, kind, at, text, data, attempts: 0, deliveredAt: null, lastError: null }
    const sendAt = webhook === null ? null : at
    if (!(await store.alerts.add({ ...record, sendAt }, stampOf(record.id, alert)))) return
    log.warn('alert', { alert_id: record.id, kind, text })
    metrics.alertFired(kind)
  }

  const watch = createSpendWatch({
    factor: () => spendFactor,
    spend: (filter) => store.ledger.spend(filter),
    tell,
    onFailure: (cause) => log.error('the usual spending of a token could not be read', { cause }),
  })

  const deliver = (id: string, alert: Alert) => {
    const { url, secret, format } = webhook!
    const body = bodyOf(id, alert, format)
    const headers = {
      'content-type': 'application/json',
      ...(secret !== null && { 'x-llm-proxy-signature': signatureOf(secret, body, now()) }),
    }
    return post(url, body, headers)
  }

  const send = async (record: Alert & { id: string; attempts: number }) => {
    const { failure } = await deliver(record.id, record)
    const attempts = record.attempts + 1
    if (failure === null)
      return store.alerts.update(record.id, { sendAt: null, deliveredAt: now(), attempts, lastError: null })
    const wait = waitAfter(attempts, now() - record.at)
    log.warn('an alert could not be delivered', {
      alert_id: record.id,
      attempts,
      gives_up: wait === null,
      cause: failure,
    })
    return store.alerts.update(record.id, { sendAt: wait === null ? null : now() + wait, attempts, lastError: failure })
  }

  let sending: Promise<void> | null = null
  const sendDue = async () => {
    for (const record of await store.alerts.due(now(), AT_ONCE)) {
      await send({ ...record, kind: record.kind as Alert['kind'] })
    }
  }
  const outbox =
    webhook &&
    setInterval(() => {
      sending ??= sendDue()
        .catch((cause) => log.error('the outbox of alerts could not be read', { cause }))
        .finally(() => {
          sending = null
        })
    }, everyMs).unref()

  return {
    tell,
    settled(row, budgets) {
      watch.spent(row)
      for (const state of budgets) {
        const used = share(state)
        for (const percent of thresholds) if (used >= percent) tell(budgetAlert(state, percent, row.at))
      }
    },
    async test(actor) {
      return audited({ store, now }, actor, { action: 'alert.test' }, async (stamp) => {
        if (webhook === null)
          throw new GatewayError('conflict', { message: 'No webhook is configured: set ALERT_WEBHOOK_URL.' })
        const id = newId('alr')
        const begunAt = performance.now()
        const { failure, status } = await deliver(id, testAlert(id, actor.name, now()))
        await recordNoChange(
          { store, now },
          { ...stamp, targetId: id },
          { delivered: failure === null, status, failure },
        )
        return { failure, status, durationMs: Math.round(performance.now() - begunAt) }
      })
    },
    limits: () => ({ thresholds, spendFactor }),
    replace(limits) {
      ;({ thresholds, spendFactor } = limits)
    },
    async close() {
      if (outbox) clearInterval(outbox)
      await Promise.all([...telling, sending])
    },
  }
}

/** `failure` is null when the receiver took it, else why not. */
async function post(
  url: string,
  body: string,
  headers: Record<string, string>,
): Promise<{ failure: string | null; status: number | null }> {
  try {
    const answer = await fetch(url, {
      method: 'POST',
      body,
      headers,
      redirect: 'error',
      signal: AbortSignal.timeout(POST_MS),
    })
    await answer.body?.cancel()
    return { failure: answer.ok ? null : `The webhook answered ${answer.status}.`, status: answer.status }
  } catch (error) {
    const { message, cause } = error as Error & { cause?: Error }
    return { failure: cause ? `${message}: ${cause.message}` : message, status: null }
  }
}

function stampOf(id: string, { at, kind, data }: Alert) {
  const { token_id, project_id } = data as { token_id?: string; project_id?: string }
  const subject = { action: `alert.${kind}`, targetId: token_id ?? project_id ?? id, projectId: project_id ?? null }
  return makeStamp({ now: () => at }, SYSTEM, subject)
}
