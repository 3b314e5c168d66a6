import type { HubError } from '../formats/hub.ts'
import type { RetryPolicy } from '../routing/retry.ts'
import { waitBeforeRetry } from '../routing/retry.ts'
import type { RetryOn } from '../routing/types.ts'
import type { UpstreamFailure } from './forward.ts'

/** How a try ended that brought no good answer. `error`: what the provider said; null where it was not read. */
export type Ending =
  | { kind: 'failure'; failure: UpstreamFailure }
  /** `waitMs`: what the provider asks for. `mayRetry`: false where it says that it is no use. */
  | { kind: 'error'; status: number; error: HubError | null; waitMs: number | null; mayRetry: boolean }

export type Situation = {
  /** Tries of this stop so far, the one that just ended among them. */
  tries: number
  /** Another stop is left: with another key of the same step, or of a later step. */
  otherKey: boolean
  otherStep: boolean
  /** Asking twice does no harm but to the purse: a question to a model, or a method that changes nothing. */
  isRepeatable: boolean
  /** Asking twice does no harm at all. */
  isHarmless: boolean
  /** Another try of this stop is not polite: its breaker is open. */
  isOpen: boolean
  routesAroundRefusals: boolean
  /** Milliseconds that are left of the time for the whole answer. */
  leftMs: number
}

/** `stop`: it is the last word. `larger`: only where the context is larger. `bench`: so long the key rests. */
export type Verdict =
  | { go: 'again'; waitMs: number }
  | { go: 'key' | 'step' | 'stop'; larger?: boolean; benchMs?: number; benchWhy?: 'limited' | 'refused' }

type Policy = RetryPolicy & { on: RetryOn }

/** So long a key rests that its provider refused, or that has no money left: people have to do something about it. */
const REFUSED_MS = 5 * 60_000
const UNPAID_MS = 60_000
/** Where the provider limits and does not say for how long. */
const LIMITED_MS = 5_000

/** What to do after a try that failed. Pure but for `random`. */
export function judge(ending: Ending, situation: Situation, policy: Policy, random: () => number): Verdict {
  return ending.kind === 'failure'
    ? afterFailure(ending.failure, situation, policy, random)
    : afterError(ending, situation, policy, random)
}

function afterFailure(failure: UpstreamFailure, situation: Situation, policy: Policy, random: () => number): Verdict {
  if (failure.kind === 'cancelled' || failure.kind === 'client_stalled') return { go: 'stop' }
  if (!failure.unsent && !situation.isRepeatable) return { go: 'stop' }
  // Who was silent once is not asked to be silent twice, and who may have worked already is not paid twice.
  if (!failure.unsent && (failure.kind === 'timeout' || !situation.isHarmless)) return elsewhere(situation)
  return policy.on.network ? again(situation, policy, null, random) : elsewhere(situation)
}

function afterError(
  { status, error, waitMs, mayRetry }: Ending & { kind: 'error' },
  situation: Situation,
  policy: Policy,
  random: () => number,
): Verdict {
  const kind = status === 401 ? 'authentication' : error?.kind
  switch (kind) {
    case 'authentication':
    case 'permission':
      return { ...nextKey(situation), benchMs: REFUSED_MS, benchWhy: 'refused' }
    case 'billing':
      return { ...nextKey(situation), benchMs: UNPAID_MS, benchWhy: 'limited' }
    case 'context_length':
      return situation.otherStep ? { go: 'step', larger: true } : { go: 'stop' }
    case 'not_found':
      return situation.isRepeatable ? elsewhere(situation) : { go: 'stop' }
  }
  if (status === 429) {
    const bench = { benchMs: waitMs ?? LIMITED_MS, benchWhy: 'limited' as const }
    if (situation.otherKey || situation.otherStep) return { ...nextKey(situation), ...bench }
    if (!isOn(policy.on, status) || !mayRetry) return { go: 'stop', ...bench }
    const verdict = again(situation, policy, waitMs, random)
    return verdict.go === 'again' ? verdict : { go: 'stop', ...bench }
  }
  if (isRefusal(error)) return situation.routesAroundRefusals ? elsewhere(situation) : { go: 'stop' }
  if (!isOn(policy.on, status)) return { go: 'stop' }
  return mayRetry ? again(situation, policy, waitMs, random) : elsewhere(situation)
}

const isOn = ({ statuses, all5xx }: RetryOn, status: number) => statuses.has(status) || (all5xx && status >= 500)

/** The same stop after a pause, while it may; then the next one. */
function again(situation: Situation, policy: Policy, waitMs: number | null, random: () => number): Verdict {
  const wait = situation.isOpen ? null : waitBeforeRetry(policy, situation.tries, waitMs, random)
  return wait !== null && wait < situation.leftMs ? { go: 'again', waitMs: wait } : elsewhere(situation)
}

const elsewhere = ({ otherStep }: Situation): Verdict => ({ go: otherStep ? 'step' : 'stop' })

const nextKey = ({ otherKey, otherStep }: Situation): Verdict & { go: 'key' | 'step' | 'stop' } => ({
  go: otherKey ? 'key' : otherStep ? 'step' : 'stop',
})

/** Azure and OpenAI say it with a 400. */
const isRefusal = (error: HubError | null) => /content_(?:filter|policy)/.test(error?.code ?? '')
