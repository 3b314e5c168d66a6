import type { LedgerRow, Project, Token, UsageGroup, UsageReportRow, UsageSums } from '../../store/store.ts'
import type { Reads } from '../frame/reads.ts'
import type { Visit } from '../frame/visit.ts'
import { type Period, slotsOf } from '../periods.ts'
import { createSharedReads } from './shared-reads.ts'

const TOP = 8
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
  errors: LedgerRow[]
}

const figures = createSharedReads<Figures>(2_000)

/** The figures of this period for who sees as much as this visitor. Everybody who looks at the same ones shares one reading. */
export function readFigures({ ctx, reads, now }: Visit, period: Period): Promise<Figures> {
  return figures(ctx, [period.name, reads.only], now, () => read(reads, period, now))
}

async function read(reads: Reads, period: Period, now: number): Promise<Figures> {
  const { from, to } = period
  const charted = { from: Math.min(from, to - SHORTEST_CHART_MS), to, unit: period.unit }
  const usage = (groupBy: UsageGroup[], filter: { from: number; to: number }, top?: number) =>
    reads.usage({ groupBy, filter, ...(top !== undefined && { top }) })
  const [before, bySlot, byModel, byProject, byToken, errors] = await Promise.all([
    usage([], period.before),
    usage([period.unit], charted),
    usage(['model'], { from, to }, TOP),
    usage(['project'], { from, to }, TOP),
    usage(['token'], { from, to }, TOP),
    reads.requests({ failed: true, from: Math.min(from, now - 86_400_000) }, { limit: TOP }),
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
    errors: errors.data,
  }
}
