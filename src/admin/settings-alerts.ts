import type { AlertRecord } from '../store/alerts.ts'
import { definePage } from './frame/page.ts'
import type { Visit } from './frame/visit.ts'
import { ABOVE, tabsFor } from './settings/tabs.ts'

const PAGE = 50
const MAX_CSV = 2000

type Data = {
  tabs: { href: string; label: string }[]
  /** As they are in force. */
  options: { label: string; value: string }[]
  /** The webhook's host; its path may be what lets one in. Null: there is none. */
  webhook: { host: string; format: string; isSigned: boolean } | null
  alerts: AlertRecord[]
  next: string | null
  isFirst: boolean
}

/** What is told, to whom, and whether it arrived. */
export const settingsAlerts = definePage<Data>({
  path: '/settings/alerts',
  title: 'Alerts',
  view: 'settings-alerts',
  crumbs: () => ABOVE,
  needs: 'read_gateway',
  load,
  actions: {
    test: {
      needs: 'write',
      run: async ({ ctx, actor }) => ({ shown: await ctx.alerts.test(actor) }),
    },
  },
  async csv({ ctx }) {
    const { data } = await ctx.store.alerts.list({ limit: MAX_CSV })
    const toIso = (at: number | null) => (at === null ? null : new Date(at).toISOString())
    return {
      name: 'alerts',
      columns: ['id', 'at', 'type', 'text', 'attempts', 'delivered_at', 'next_attempt_at', 'last_error'],
      rows: data.map((alert) => [
        alert.id,
        toIso(alert.at),
        alert.kind,
        alert.text,
        alert.attempts,
        toIso(alert.deliveredAt),
        toIso(alert.sendAt),
        alert.lastError,
      ]),
    }
  },
})

async function load(visit: Visit): Promise<Data> {
  const { ctx, query } = visit
  const after = query.text('after')
  const { data, hasMore } = await ctx.store.alerts.list({ limit: PAGE, ...(after !== '' && { after }) })
  const { webhook, thresholds, spendFactor } = { ...ctx.config.alerts, ...ctx.alerts.limits() }
  const { ledgerCheckMs } = ctx.config
  return {
    tabs: tabsFor(visit),
    options: [
      {
        label: 'A budget is used up to',
        value: thresholds.length === 0 ? 'not told' : thresholds.map((percent) => `${percent} %`).join(', '),
      },
      {
        label: 'A token spends in an hour',
        value: spendFactor === 0 ? 'not told' : `${spendFactor} times its usual amount, a dollar at least`,
      },
      {
        label: 'The ledger does not add up',
        value: ledgerCheckMs === null ? 'not looked at' : `looked at every ${ledgerCheckMs / 60_000} min`,
      },
    ],
    webhook: webhook && { host: new URL(webhook.url).host, format: webhook.format, isSigned: webhook.secret !== null },
    alerts: data,
    next: hasMore ? (data.at(-1)?.id ?? null) : null,
    isFirst: after === '',
  }
}
