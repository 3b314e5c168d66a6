import type { UsageReportRow, UsageSums } from '../../store/store.ts'
import type { Reads } from '../frame/reads.ts'
import { periodOf, slotsOf } from '../periods.ts'

/** The last 30 days of a project or token, in days of UTC. */
export type LastDays = {
  from: number
  sums: UsageSums
  slots: string[]
  byDay: Map<string, UsageReportRow>
  byModel: UsageReportRow[]
}

const TOP_MODELS = 8

export async function lastDays(
  reads: Reads,
  owner: { projectId: string } | { tokenId: string },
  now: number,
): Promise<LastDays> {
  const period = periodOf('30d', now)
  const filter = { ...owner, from: period.from, to: period.to }
  const [byDay, byModel] = await Promise.all([
    reads.usage({ groupBy: ['day'], filter, times: false }),
    reads.usage({ groupBy: ['model'], filter, top: TOP_MODELS }),
  ])
  return {
    from: period.from,
    sums: byModel.totals,
    slots: slotsOf(period),
    byDay: new Map(byDay.rows.map((row) => [row.keys[0]!, row])),
    byModel: byModel.rows,
  }
}
