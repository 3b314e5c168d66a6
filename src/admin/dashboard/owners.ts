import { StoreError, type UsageReportRow } from '../../store/store.ts'
import type { Reads } from '../frame/reads.ts'

/** What a project or a token has used; `key`: its id, null for requests of none. */
export type OwnerSums = { key: string | null; requests: number; tokens: number; costNanoUsd: bigint }
type Owners = { byProject: OwnerSums[]; byToken: OwnerSums[] }
type Filter = { from: number; to: number }

/** So many tokens are read at once, and their projects added up here: half the work of two reports. */
const MAX_TOKENS = 5_000

/** The projects and the tokens that cost most. */
export async function readOwners(reads: Reads, filter: Filter, top: number): Promise<Owners> {
  try {
    const { rows } = await reads.usage({ groupBy: ['project', 'token'], filter, times: false, maxRows: MAX_TOKENS })
    return { byProject: dearest(addUp(rows, 0), top), byToken: dearest(addUp(rows, 1), top) }
  } catch (error) {
    if (!(error instanceof StoreError && error.kind === 'too_large')) throw error
    const [projects, tokens] = await Promise.all(
      (['project', 'token'] as const).map((group) => reads.usage({ groupBy: [group], filter, times: false, top })),
    )
    return { byProject: addUp(projects!.rows, 0), byToken: addUp(tokens!.rows, 0) }
  }
}

/** By the key at this place. */
function addUp(rows: readonly UsageReportRow[], place: number): OwnerSums[] {
  const sums = new Map<string | null, OwnerSums>()
  for (const { keys, requests, inputTokens, outputTokens, costNanoUsd } of rows) {
    const key = keys[place] ?? null
    const sum = sums.get(key) ?? { key, requests: 0, tokens: 0, costNanoUsd: 0n }
    sums.set(key, sum)
    sum.requests += requests
    sum.tokens += inputTokens + outputTokens
    sum.costNanoUsd += costNanoUsd
  }
  return [...sums.values()]
}

/** Of equal cost, those with most requests. */
const dearest = (sums: OwnerSums[], top: number) =>
  sums.sort((a, b) => Number(b.costNanoUsd - a.costNanoUsd) || b.requests - a.requests).slice(0, top)
