import { LRUCache } from 'lru-cache'
import { formatUsd } from '../../money.ts'
import type { LedgerRow, LedgerStore } from '../../store/store.ts'
import type { Alert } from './alert.ts'

const HOUR_MS = 3_600_000
const LOOK_BACK_HOURS = 7 * 24
/** Less is nothing to tell of, however much more than usual it is. One US dollar. */
const LEAST_NANO_USD = 1_000_000_000n
const MAX_TOKENS = 10_000

type Hour = { hour: number; nanoUsd: bigint; nextLook: bigint }
type Options = {
  /** 0: never. */
  factor(): number
  spend: LedgerStore['spend']
  tell(alert: Alert): void
  onFailure(cause: unknown): void
}

/**
 * Compares what a token spends in this hour with the mean of its hours of the last seven days. The ledger is asked only when the hour
 * has passed a dollar, and again each time it has doubled since.
 */
export function createSpendWatch({ factor, spend, tell, onFailure }: Options): { spent(row: LedgerRow): void } {
  const hours = new LRUCache<string, Hour>({ max: MAX_TOKENS })

  const compare = async (tokenId: string, projectId: string | null, { hour, nanoUsd }: Hour, at: number) => {
    const from = hour - LOOK_BACK_HOURS * HOUR_MS
    const before = await spend({ tokenId, from, to: hour })
    const usual = before.costNanoUsd / BigInt(LOOK_BACK_HOURS)
    // A token without a past has no usual.
    if (usual === 0n || Number(nanoUsd) < Number(usual) * factor()) return
    const [now, mean] = [formatUsd(nanoUsd), formatUsd(usual)]
    tell({
      key: `spend ${tokenId} ${hour}`,
      kind: 'unusual_spending',
      at,
      text: `The token ${tokenId} has spent $${now} in this hour; its mean of the last seven days is $${mean} an hour.`,
      data: {
        token_id: tokenId,
        project_id: projectId,
        hour: new Date(hour).toISOString(),
        spent_usd: now,
        usual_usd: mean,
      },
    })
  }

  return {
    spent({ tokenId, projectId, at, costNanoUsd }) {
      if (factor() === 0 || tokenId === null || !costNanoUsd) return
      const hour = at - (at % HOUR_MS)
      let seen = hours.get(tokenId)
      if (seen?.hour !== hour) {
        seen = { hour, nanoUsd: 0n, nextLook: LEAST_NANO_USD }
        hours.set(tokenId, seen)
      }
      seen.nanoUsd += costNanoUsd
      if (seen.nanoUsd < seen.nextLook) return
      seen.nextLook = seen.nanoUsd * 2n
      compare(tokenId, projectId, { ...seen }, at).catch(onFailure)
    },
  }
}
