import { limitChecks } from '../../domain/limit-checks.ts'
import type { Kv, LimitState } from '../../kv/kv.ts'
import type { Project, Token } from '../../store/store.ts'

/** `used` of `limit`, in the last minute or at this moment. */
export type LimitUse = { label: string; limit: number; used: number }

const LABELS: Record<LimitState['what'], string> = {
  requests: 'Requests a minute',
  tokens: 'Tokens a minute',
  concurrent_requests: 'Requests at once',
}

/** What is used just now of an owner's limits, as this process counts them. Takes nothing. */
export async function limitsLeft(kv: Pick<Kv, 'peek'>, { id, rateLimit }: Project | Token): Promise<LimitUse[]> {
  if (rateLimit === null) return []
  const states = await kv.peek(limitChecks(id, rateLimit, () => 0))
  return states.map(({ what, limit, remaining }) => ({ label: LABELS[what], limit, used: limit - remaining }))
}
