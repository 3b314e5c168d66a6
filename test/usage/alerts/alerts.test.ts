import { createHmac } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { AlertConfig } from '../../../src/config/config.ts'
import { createMetrics } from '../../../src/metrics.ts'
import { openStore } from '../../../src/store/open.ts'
import type { Store } from '../../../src/store/store.ts'
import { type Alerts, createAlerts } from '../../../src/usage/alerts/alerts.ts'
import { createSpendWatch } from '../../../src/usage/alerts/spend-watch.ts'
import type { BudgetState } from '../../../src/usage/budgets.ts'
import { makeFolder } from '../../helpers/folder.ts'
import { eventually } from '../../helpers/http.ts'
import { row } from '../rows.ts'

const AT = Date.UTC(2026, 10, 21, 12)
const SECRET = 'webhook-secret-0123456789'
let now: number
let store: Store
let dataDir: string
let hook: Server
let heard: { body: string; signature: string | undefined }[]
let answer: number
let alerts: Alerts
let logged: string[]
let metrics: ReturnType<typeof createMetrics>

beforeEach(async () => {
  now = AT
  heard = []
  answer = 200
  logged = []
  dataDir = makeFolder()
  store = await openStore({ dataDir })
  metrics = createMetrics()
  hook = createServer((req, res) => {
    let body = ''
    req.on('data', (piece) => {
      body += piece
    })
    req.on('end', () => {
      heard.push({ body, signature: req.headers['x-llm-proxy-signature'] as string | undefined })
      res.writeHead(answer).end()
    })
  })
  await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve))
})
afterEach(async () => {
  await alerts.close()
  await store.close()
  hook.closeAllConnections()
  await new Promise((resolve) => hook.close(resolve))
})

const url = () => `http://127.0.0.1:${(hook.address() as AddressInfo).port}/hook`
function start(config: Partial<AlertConfig> = {}) {
  const log = {
    warn: (message: string) => void logged.push(message),
    error: (message: string) => void logged.push(message),
  }
  alerts = createAlerts({
    config: {
      thresholds: [50, 100],
      spendFactor: 0,
      webhook: { url: url(), secret: SECRET, format: 'json' },
      ...config,
    },
    store,
    log,
    metrics,
    now: () => now,
    everyMs: 5,
  })
}
const budget = (used: bigint): BudgetState => ({
  owner: { kind: 'token', id: 'tok_1' },
  budget: { period: 'day', limitNanoUsd: 1_000_000_000, limitTokens: null, resetAt: null },
  window: { from: AT - 43_200_000, to: AT + 43_200_000 },
  used: { nanoUsd: used, tokens: 0 },
  reserved: { nanoUsd: 0n, tokens: 0 },
})
const settle = (used: bigint) => alerts.settled({ ...row('req_1'), at: now }, [budget(used)])
const kept = async () => (await store.alerts.list({ limit: 100 })).data

describe('a budget that passes a threshold', () => {
  it('is told once: in the webhook, the log, the audit log and the metrics', async () => {
    start()
    for (const used of [400_000_000n, 500_000_000n, 600_000_000n]) settle(used)
    await eventually(() => heard.length > 0, 'the webhook')
    await eventually(async () => (await kept())[0]?.deliveredAt === AT, 'the delivery')
    for (let i = 0; i < 3; i++) settle(700_000_000n)
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(heard).toHaveLength(1)
    const [{ body, signature }] = heard as [(typeof heard)[0]]
    const mac = createHmac('sha256', SECRET)
      .update(`${AT / 1000}.${body}`)
      .digest('hex')
    expect(signature).toBe(`t=${AT / 1000},v1=${mac}`)
    expect(JSON.parse(body)).toMatchObject({ type: 'budget_threshold', data: { percent: 50, token_id: 'tok_1' } })
    expect(logged).toEqual(['alert'])
    expect((await store.audit.list({ action: 'alert.budget_threshold' }, { limit: 10 })).data).toMatchObject([
      { actor: 'system', targetId: 'tok_1', outcome: 'success' },
    ])
    expect(await metrics.registry.getSingleMetricAsString('llmproxy_alerts_total')).toContain(
      '{kind="budget_threshold"} 1',
    )
  })

  it('is told for each threshold that it has passed, also when it passes all at once', async () => {
    start()
    settle(2_000_000_000n)
    await eventually(() => heard.length === 2, 'both')
    expect(heard.map(({ body }) => JSON.parse(body).data.percent).sort()).toEqual([100, 50])
  })

  it('is told by the thresholds of this moment', async () => {
    start()
    alerts.replace({ thresholds: [70], spendFactor: 0 })
    settle(600_000_000n)
    settle(700_000_000n)
    await eventually(() => heard.length > 0, 'the webhook')
    expect(heard.map(({ body }) => JSON.parse(body).data.percent)).toEqual([70])
    expect(await kept()).toHaveLength(1)
  })

  it('is not told again by the process that comes after', async () => {
    start()
    settle(500_000_000n)
    await eventually(() => heard.length === 1, 'the first')
    await alerts.close()
    start()
    settle(600_000_000n)
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(heard).toHaveLength(1)
  })

  it('is kept and logged without a webhook', async () => {
    start({ webhook: null })
    settle(500_000_000n)
    await eventually(async () => (await kept()).length === 1, 'the record')
    expect(await kept()).toMatchObject([{ sendAt: null, deliveredAt: null, kind: 'budget_threshold' }])
    expect(heard).toHaveLength(0)
  })

  it('is told as Slack wants it', async () => {
    start({ webhook: { url: url(), secret: null, format: 'slack' } })
    settle(500_000_000n)
    await eventually(() => heard.length === 1, 'the webhook')
    expect(heard).toEqual([
      { body: expect.stringMatching(/^\{"text":"The token tok_1 has used 50 %/), signature: undefined },
    ])
  })
})

describe('a webhook', () => {
  it('that is down gets it when it is up again, also from the process that comes after', async () => {
    answer = 500
    start()
    settle(500_000_000n)
    await eventually(async () => (await kept())[0]?.attempts === 1, 'a try')
    expect(await kept()).toMatchObject([
      { deliveredAt: null, sendAt: AT + 5_000, lastError: 'The webhook answered 500.' },
    ])
    await alerts.close()
    answer = 204
    now += 5_001
    start()
    await eventually(async () => (await kept())[0]?.deliveredAt === now, 'the delivery')
    expect(heard).toHaveLength(2)
    expect(new Set(heard.map(({ body }) => JSON.parse(body).id)).size).toBe(1)
  })

  it('that redirects is not followed: the secret’s signature is for one address', async () => {
    answer = 307
    start()
    settle(500_000_000n)
    await eventually(async () => (await kept())[0]?.attempts === 1, 'a try')
    expect((await kept())[0]).toMatchObject({ deliveredAt: null })
  })

  it('that never answers is given up after three days', async () => {
    answer = 500
    start()
    settle(500_000_000n)
    await eventually(async () => (await kept())[0]?.attempts === 1, 'a try')
    now += 3 * 86_400_000 + 1
    await eventually(async () => (await kept())[0]?.sendAt === null, 'the end')
    expect((await kept())[0]).toMatchObject({ attempts: 2, deliveredAt: null })
  })
})

describe('unusual spending', () => {
  /** A token that spent so much in the seven days before. */
  function watch(beforeNanoUsd: bigint, factor = 10) {
    const told: string[] = []
    let looks = 0
    const { spent } = createSpendWatch({
      factor: () => factor,
      async spend({ from, to }) {
        looks++
        expect([from, to]).toEqual([AT - 7 * 86_400_000, AT])
        return { costNanoUsd: beforeNanoUsd, tokens: 0 }
      },
      tell: ({ key }) => void told.push(key),
      onFailure: (cause) => {
        throw cause
      },
    })
    const spend = async (nanoUsd: bigint) => {
      spent({ ...row('req_1'), at: AT + 60_000, tokenId: 'tok_1', costNanoUsd: nanoUsd })
      await new Promise((resolve) => setImmediate(resolve))
    }
    return { told, spend, looks: () => looks }
  }
  const DOLLAR = 1_000_000_000n

  beforeEach(() => start())

  it('is so many times the usual hour', async () => {
    const { told, spend } = watch(168n * DOLLAR)
    await spend(9n * DOLLAR)
    expect(told).toEqual([])
    await spend(9n * DOLLAR)
    expect(told).toEqual([`spend tok_1 ${AT}`])
  })

  it('is not looked for below a dollar, and seldom above', async () => {
    const { spend, looks } = watch(168n * DOLLAR)
    await spend(DOLLAR - 1n)
    expect(looks()).toBe(0)
    for (let i = 0; i < 100; i++) await spend(DOLLAR / 10n)
    expect(looks()).toBe(4)
  })

  it('is nothing for a token without a past, and nothing at all when it is switched off', async () => {
    const fresh = watch(0n)
    await fresh.spend(100n * DOLLAR)
    const off = watch(168n, 0)
    await off.spend(100n * DOLLAR)
    expect([fresh.told, off.told, off.looks()]).toEqual([[], [], 0])
  })
})
