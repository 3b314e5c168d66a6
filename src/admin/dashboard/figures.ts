import type { LedgerRow, Project, Token, UsageGroup, UsageReportRow, UsageSums } from '../../store/store.ts'
import type { BudgetState } from '../../usage/budgets.ts'
import { budgetShare } from '../budget-share.ts'
import type { Reads } from '../frame/reads.ts'
import type { Visit } from '../frame/visit.ts'
import { type Period, slotsOf } from '../periods.ts'

/** Everybody who looks at the same figures shares one reading of the ledger for so long. */
const KEPT_MS = 2_000
const MAX_KEPT = 50
const TOP = 8
const NEAR_LIMIT = 0.8
/** A chart of one hour would have one bar. */
const SHORTEST_CHART_MS = 12 * 3_600_000

export type Figures = {
  period: Period
  /** Nothing was ever asked of this gateway, as far as the visitor may see. */
  isEmpty: boolean
  sums: UsageSums
  before: UsageSums
  slots: string[]
  bySlot: Map<string, UsageReportRow>
  byModel: UsageReportRow[]
  byProject: { row: UsageReportRow; project: Project | null }[]
  topTokens: { row: UsageReportRow; token: Token | null }[]
  nearLimit: { state: BudgetState; share: number; label: string; href: string }[]
  errors: LedgerRow[]
}

type Kept = { at: number; figures: Promise<Figures> }
const kept = new WeakMap<object, Map<string, Kept>>()

/** The figures of this period for who sees as much as this visitor. */
export function readFigures({ ctx, reads, now }: Visit, period: Period): Promise<Figures> {
  const ofGateway = kept.get(ctx) ?? new Map<string, Kept>()
  kept.set(ctx, ofGateway)
  const key = JSON.stringify([period.name, reads.only])
  const found = ofGateway.get(key)
  if (found && Math.abs(now - found.at) < KEPT_MS) return found.figures
  const figures = read(reads, period, now)
  if (ofGateway.size >= MAX_KEPT) ofGateway.clear()
  ofGateway.set(key, { at: now, figures })
  figures.catch(() => ofGateway.delete(key))
  return figures
}

async function read(reads: Reads, period: Period, now: number): Promise<Figures> {
  const { from, to } = period
  const charted = { from: Math.min(from, to - SHORTEST_CHART_MS), to, unit: period.unit }
  const usage = (groupBy: UsageGroup[], filter: { from: number; to: number }, top?: number) =>
    reads.usage({ groupBy, filter, ...(top !== undefined && { top }) })
  const [before, bySlot, byModel, byProject, byToken, errors, budgets] = await Promise.all([
    usage([], period.before),
    usage([period.unit], charted),
    usage(['model'], { from, to }, TOP),
    usage(['project'], { from, to }, TOP),
    usage(['token'], { from, to }, TOP),
    reads.requests({ failed: true, from: Math.min(from, now - 86_400_000) }, { limit: TOP }),
    reads.budgets({}),
  ])
  const projects = new Map((await reads.projects()).map((project) => [project.id, project]))
  // Those of any report are of all that it has looked at, whatever it shows.
  const sums = byModel.totals
  const isEmpty = sums.requests === 0 && (await reads.requests({}, { limit: 1 })).data.length === 0
  const topTokens = await Promise.all(
    byToken.rows.map(async (row) => ({ row, token: await reads.token(row.keys[0] ?? '').catch(() => null) })),
  )
  return {
    period,
    isEmpty,
    sums,
    before: before.totals,
    slots: slotsOf(charted),
    bySlot: new Map(bySlot.rows.map((row) => [row.keys[0]!, row])),
    byModel: byModel.rows,
    byProject: byProject.rows.map((row) => ({ row, project: projects.get(row.keys[0] ?? '') ?? null })),
    topTokens,
    nearLimit: await nearLimit(reads, budgets, projects),
    errors: errors.data,
  }
}

async function nearLimit(
  reads: Reads,
  budgets: BudgetState[],
  projects: Map<string, Project>,
): Promise<Figures['nearLimit']> {
  const near = budgets
    .map((state) => ({ state, share: budgetShare(state) }))
    .filter(({ share }) => share >= NEAR_LIMIT)
    .sort((a, b) => b.share - a.share)
    .slice(0, TOP)
  return Promise.all(
    near.map(async ({ state, share }) => {
      const { kind, id } = state.owner
      if (kind === 'project')
        return { state, share, label: projects.get(id)?.name ?? id, href: `/admin/projects/${id}` }
      const token = await reads.token(id).catch(() => null)
      return { state, share, label: token?.name ?? `…${token?.last4 ?? id}`, href: `/admin/tokens/${id}` }
    }),
  )
}
