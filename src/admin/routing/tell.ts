import { count, number } from '../frame/format.ts'
import type { Explanation } from './question.ts'
import { RECOVERY_WORDS, STRATEGY_WORDS } from './words.ts'

export type Told = {
  tone: 'ok' | 'warn' | 'bad'
  /** What would become of it, in a sentence. */
  outcome: string
  /** What to do where it is refused. */
  advice: string | null
  /** On the way there, in the order in which it is decided. */
  steps: { title: string; text: string }[]
}

type Stop = Explanation['stops'][number]
/** `rules`: how many there are; `isRoute`: whether a route has this pattern. */
type House = { asker: string; rules: number; isRoute(pattern: string): boolean }

/** An explanation in words. Pure. */
export function tellExplanation(explanation: Explanation, house: House): Told {
  const { error, stops, served } = explanation
  const who = { title: 'Who asks', text: house.asker }
  if (error !== null) {
    return {
      tone: 'bad',
      outcome: `It would be refused with ${error.status} (${error.code}): ${error.message}`,
      advice: ADVICE[error.code] ?? null,
      steps: [who, { title: 'Limits', text: tellLimits(explanation.limits) }],
    }
  }
  const steps = [
    who,
    { title: 'Rule', text: tellRule(explanation, house) },
    { title: 'Route', text: tellRoute(explanation, house) },
    { title: 'When one fails', text: tellFailure(explanation) },
    { title: 'Limits', text: tellLimits(explanation.limits) },
  ]
  const first = stops.find((stop) => stop.error === null)
  if (!served || first === undefined)
    return {
      tone: 'bad',
      outcome: 'No provider of the list below can be asked this: each says why.',
      advice: 'Change the request, or add a target that takes it.',
      steps,
    }
  return { ...tellServed(stops, first), advice: null, steps }
}

function tellServed(stops: readonly Stop[], first: Stop): Pick<Told, 'tone' | 'outcome'> {
  const goal = `${first.provider}${first.model === null ? '' : ` as ${first.model}`}`
  const others = stops.length - 1
  const then =
    others === 0 ? '' : `, then ${others === 1 ? 'to one more place' : `to ${others} more places`} if that fails`
  if (stops.every(isFit)) return { tone: 'ok', outcome: `It would go to ${goal}${then}.` }
  if (isFit(first))
    return { tone: 'warn', outcome: `It would go to ${goal}${then}; not all of them are fit at the moment.` }
  return {
    tone: 'warn',
    outcome: `It would go to ${goal}${then}, though ${first.takes_requests ? 'its key rests' : 'its breaker is open'} at the moment: nobody who could take it is fit.`,
  }
}

const isFit = ({ takes_requests, key_rests_until, error }: Stop) =>
  takes_requests && key_rests_until === null && error === null

function tellRule({ rule }: Explanation, { rules }: House): string {
  if (rule !== null) return `The rule “${rule}” fits.`
  if (rules === 0) return 'There are no rules.'
  return rules === 1 ? 'The one rule does not fit.' : `None of the ${number(rules)} rules fits.`
}

function tellRoute({ rule, route, strategy, stops }: Explanation, { isRoute }: House): string {
  if (route === null) {
    const provider = stops[0]?.provider ?? 'the usual provider'
    return stops[0]?.model == null
      ? `It names no model: it goes to ${provider}.`
      : `No route fits its model: it goes to ${provider}, which has the model or is named by it.`
  }
  if (route === rule && !isRoute(route)) return 'None: the rule names the provider itself.'
  const order = strategy === null ? '' : ` Its targets are tried ${STRATEGY_WORDS[strategy]} (${strategy}).`
  return `The route ${route}.${order}`
}

function tellFailure({ max_retries, recovery, stream }: Explanation): string {
  const tries = max_retries
    ? `Up to ${count(max_retries, 'further try', 'further tries')}.`
    : 'There is no further try.'
  return stream && recovery !== null ? `${tries} A stream that is cut ${RECOVERY_WORDS[recovery]}.` : tries
}

function tellLimits({ rate, max_requests, budgets }: Explanation['limits']): string {
  const parts = [
    ...rate.flatMap((limit) => [
      limit.requests_per_minute === null ? null : `${count(limit.requests_per_minute, 'request')} a minute`,
      limit.tokens_per_minute === null ? null : `${count(limit.tokens_per_minute, 'token')} a minute`,
      limit.concurrent_requests === null ? null : `${count(limit.concurrent_requests, 'request')} at once`,
    ]),
    max_requests === null ? null : `${number(max_requests.used)} of ${count(max_requests.limit, 'request')} used up`,
    ...budgets.map(tellBudget),
  ].filter((part) => part !== null)
  return parts.length === 0 ? 'None of its own.' : `${parts.join('; ')}.`
}

function tellBudget(budget: Explanation['limits']['budgets'][number]): string {
  const { owner, period, left_usd, left_tokens } = budget
  const left = [left_usd === null ? null : `$${left_usd}`, left_tokens === null ? null : count(left_tokens, 'token')]
  return `${left.filter((one) => one !== null).join(' and ')} left of the ${owner.type}'s budget (${period})`
}

const ADVICE: Record<string, string> = {
  model_not_allowed: 'Add the model to the allowed models of the token or of its project, or ask for one that is.',
  endpoint_not_allowed: 'Add the endpoint to the allowed endpoints of the token.',
  token_expired: 'Give the client a new token.',
  token_revoked: 'Give the client a new token.',
  project_inactive: 'Switch the project on again.',
  model_not_found: 'Give a provider that has it a key, or make a route of this name.',
  no_healthy_upstream: 'Give a provider a key: for all projects in the configuration, or for this project alone.',
  insufficient_quota: 'Raise the budget, or wait until it begins anew.',
  unknown_route: 'Look at the endpoint: clients ask below /v1.',
}
