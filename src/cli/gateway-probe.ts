import { reasonOf } from './http.ts'

const TIMEOUT_MS = 3_000

export type Probe =
  | { found: 'gateway'; ready: boolean; checks: Record<string, string> }
  | { found: 'nothing'; reason: string }
  | { found: 'something else' }

/** What answers at that address. Never throws. */
export async function probeGateway(url: string): Promise<Probe> {
  let answer: Response
  try {
    answer = await fetch(`${url}/ready`, { redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT_MS) })
  } catch (error) {
    return { found: 'nothing', reason: reasonOf(error) }
  }
  const { status, checks } = Object(await answer.json().catch(() => null)) as Record<string, unknown>
  if (status !== 'ready' && status !== 'not_ready') return { found: 'something else' }
  return { found: 'gateway', ready: status === 'ready', checks: Object(checks) as Record<string, string> }
}
