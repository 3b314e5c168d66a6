import type { LedgerRow, Project, Token, UsageReportRow, UsageSums } from '../../store/store.ts'
import type { Reads } from '../frame/reads.ts'
import type { Visit } from '../frame/visit.ts'
import { readNames } from '../names.ts'
import { type Period, slotsOf } from '../periods.ts'
import { type OwnerSums, readOwners } from './owners.ts'
import { createSharedReads } from './shared-reads.ts'

const TOP = 8
/** A chart of one hour would have one bar. */
const HOUR_MS = 3_600_000
const SHORTEST_CHART_MS = 12 * HOUR_MS

export type Figures = {
  period: Period
  /** Nothing was ever asked of this gateway, as far as the visitor may see. */
  isEmpty: boolean
  sums: UsageSums
  before: UsageSums
  slots: string[]
  bySlot: Map<string, UsageReportRow>
  byModel: UsageReportRow[]
  byProject: { row: OwnerSums; project: Project | null }[]
  topTokens: { row: OwnerSums; token: Token | null }[]
  errors: LedgerRow[]
}

const figures = createSharedReads<Figures>(2_000)

/** The figures of this period for who sees as much as this visitor. Everybody who looks at the same ones shares one reading. */
export function readFigures({ ctx, reads, now }: Visit, period: Period): Promise<Figures> {
  return figures(ctx, [period.name, reads.only], now, () => read(reads, period, now))
}

/** Full hours, which the ledger has summed up. */
function chartedFrom({ from, to, unit }: Period) {
  const end = Math.ceil(to / HOUR_MS) * HOUR_MS
  return { from: Math.min(from, end - SHORTEST_CHART_MS), to: end, unit }
}

async function read(reads: Reads, period: Period, now: number): Promise<Figures> {
  const { from, to } = period
  const charted = chartedFrom(period)
  const [before, bySlot, byModel, { byProject, byToken }, errors] = await Promise.all([
    reads.usage({ groupBy: [], filter: period.before }),
    reads.usage({ groupBy: [period.unit], filter: charted, times: false }),
    reads.usage({ groupBy: ['model'], filter: { from, to }, top: TOP }),
    readOwners(reads, { from, to }, TOP),
    reads.requests({ failed: true, from: Math.min(from, now - 86_400_000) }, { limit: TOP }),
  ])
  const { projects, tokens } = await readNames(reads, [
    ...byProject.map(({ key }) => ({ projectId: key, tokenId: null })),
    ...byToken.map(({ key }) => ({ projectId: null, tokenId: key })),
  ])
  // Those of any report are of all that it has looked at, whatever it shows.
  const sums = byModel.totals
  const isEmpty = sums.requests === 0 && (await reads.requests({}, { limit: 1 })).data.length === 0
  return {
    period,
    isEmpty,
    sums,
    before: before.totals,
    slots: slotsOf(charted),
    bySlot: new Map(bySlot.rows.map((row) => [row.keys[0]!, row])),
    byModel: byModel.rows,
    byProject: byProject.map((row) => ({ row, project: projects.get(row.key ?? '') ?? null })),
    topTokens: byToken.map((row) => ({ row, token: tokens.get(row.key ?? '') ?? null })),
    errors: errors.data,
  }
}
