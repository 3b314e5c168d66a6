import { join } from 'node:path'
import { afterEach, describe, expect, it } from '@jest/globals'
import Sqlite from 'better-sqlite3'
import { createMetrics } from '../../../src/metrics.ts'
import type { Drift, VerifyQuery } from '../../../src/store/store.ts'
import type { Alert } from '../../../src/usage/alerts/alert.ts'
import { checkLedger, type LedgerCheck } from '../../../src/usage/maintenance/ledger-check.ts'
import { startTestGateway, type TestGateway } from '../../helpers/gateway.ts'
import { eventually } from '../../helpers/http.ts'
import { aBatch, aRow, NOON } from '../../store/samples.ts'

const DAY = 86_400_000
const aDrift = (fields: Partial<Drift> = {}): Drift => ({
  month: '2026-11',
  table: 'hourly',
  key: '2026-11-21T12',
  field: 'requests',
  expected: '2',
  found: '1',
  ...fields,
})

let check: LedgerCheck | undefined
let gateway: TestGateway | undefined
afterEach(async () => {
  check?.close()
  await gateway?.stop()
  gateway = undefined
})

function start(answers: (Drift[] | Error)[], times: number[]) {
  const asked: VerifyQuery[] = []
  const logged: [string, unknown][] = []
  const told: Alert[] = []
  let now = times[0]!
  check = checkLedger({
    async verify(query) {
      asked.push(query)
      const answer = answers[Math.min(asked.length, answers.length) - 1]!
      now = times[Math.min(asked.length, times.length - 1)]!
      if (answer instanceof Error) throw answer
      return answer
    },
    reservedBelowZero: () => [],
    alerts: { tell: (alert) => told.push(alert) },
    metrics: createMetrics(),
    log: {
      error: (message, fields) => logged.push([message, fields]),
      info: (message) => logged.push([message, null]),
    },
    now: () => now,
    everyMs: 1,
    graceMs: 10,
  })
  return { asked, logged, told }
}

describe('the check of the ledger', () => {
  it('looks at everything first and once a day, in between at the days since the last look', async () => {
    const times = [NOON, NOON + 1000, NOON + 2000, NOON + DAY, NOON - 5 * DAY]
    const { asked } = start([[]], times)
    await eventually(() => asked.length > 4, 'five checks')
    expect(asked.slice(0, 5)).toEqual([
      { openedBefore: NOON - 10 },
      { openedBefore: NOON + 990, since: NOON },
      { openedBefore: NOON + 1990, since: NOON + 1000 },
      { openedBefore: NOON + DAY - 10 },
      { openedBefore: NOON - 5 * DAY - 10 },
    ])
  })

  it('tells of each table that does not add up, and when all does again', async () => {
    const drift = [aDrift(), aDrift({ field: 'errors' }), aDrift({ month: null, table: 'tokens' })]
    const { asked, logged, told } = start([drift, []], [NOON])
    await eventually(() => asked.length > 1 && logged.length > 3, 'two checks')
    expect(told).toEqual([
      expect.objectContaining({
        key: 'ledger_drift hourly of 2026-11 2026-11-21',
        kind: 'ledger_drift',
        text: 'The ledger does not add up in 2 places of hourly of 2026-11, for one requests of 2026-11-21T12: 1 in place of 2. "llm-proxy ledger verify" tells more.',
      }),
      expect.objectContaining({ key: 'ledger_drift tokens 2026-11-21' }),
    ])
    expect(logged.slice(0, 4)).toEqual([
      ...drift.map((one) => ['the ledger does not add up', one]),
      ['the ledger adds up again', null],
    ])
    expect(check!.last()).toEqual({ at: NOON, drift: 0 })
  })

  it('says when it could not look, and looks again', async () => {
    const { asked, logged } = start([new Error('busy'), []], [NOON])
    await eventually(() => asked.length > 1, 'a second check')
    expect(logged[0]?.[0]).toMatch(/could not be checked/)
  })
})

describe('a gateway whose ledger does not add up', () => {
  it('tells in log, metric, status and alert, and mends nothing by itself', async () => {
    gateway = await startTestGateway({ config: { ledgerCheckMs: 20 } })
    const { ctx, dataDir } = gateway
    const at = Date.now()
    await ctx.store.ledger.append(aBatch({ rows: [aRow({ at }), aRow({ at })] }))
    await eventually(() => ctx.ledgerCheck.last()?.drift === 0, 'a check that finds nothing')
    const name = `ledger-${new Date(at).toISOString().slice(0, 7)}.db`
    const month = new Sqlite(join(dataDir, name))
    month.exec('UPDATE hourly SET cost_nano_usd = cost_nano_usd + 1')
    await eventually(() => (ctx.ledgerCheck.last()?.drift ?? 0) > 0, 'a check that finds the damage')
    expect(await ctx.metrics.registry.metrics()).toMatch(/^llmproxy_ledger_drift [1-9]/m)
    expect(gateway.logs()).toContain('the ledger does not add up')
    await eventually(async () => (await ctx.store.alerts.list({ limit: 10 })).data.length > 0, 'an alert')
    const [alert] = (await ctx.store.alerts.list({ limit: 10 })).data
    expect(alert).toMatchObject({ kind: 'ledger_drift', data: { table: 'hourly', places: 2 } })
    expect(month.prepare('SELECT cost_nano_usd FROM hourly').pluck().get()).toBe(3_001)
    month.close()
  })
})
