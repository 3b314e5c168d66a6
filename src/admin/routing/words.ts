import type { Comparison, Condition, Recovery, RetryOn, Rule, Strategy } from '../../routing/types.ts'
import { number } from '../frame/format.ts'

/** Which target comes first. */
export const STRATEGY_WORDS: Record<Strategy, string> = {
  fallback: 'as they stand',
  weighted: 'by chance, in proportion to their weights',
  round_robin: 'each in turn',
  least_latency: 'the one whose answers begin soonest first',
  least_busy: 'the one with the fewest requests under way first',
  cheapest: 'the one with the lowest price first',
}

/** What becomes of a stream that is cut. */
export const RECOVERY_WORDS: Record<Recovery, string> = {
  off: 'ends with an error',
  restart: 'is asked for anew, and goes on if the next answer begins the same',
  continue: 'is carried on by the next target where its model can',
}

/** The conditions of a rule, one text each; none: it always fits. */
export function tellCondition(when: Condition): string[] {
  const { model, endpoint, project, token, stream, promptTokens, has = [], metadata = {}, headers = {} } = when
  return [
    model === undefined ? null : `model ${model}`,
    endpoint === undefined ? null : `endpoint ${endpoint}`,
    project === undefined ? null : `project ${project}`,
    token === undefined ? null : `token ${token}`,
    stream === undefined ? null : stream ? 'a stream' : 'no stream',
    promptTokens === undefined ? null : `prompt ${tellComparison(promptTokens)} tokens`,
    ...has.map((feature) => `has ${feature.replace('_', ' ')}`),
    ...Object.entries(metadata).map(([name, value]) => `metadata ${name} is ${value}`),
    ...Object.entries(headers).map(([name, value]) => `header ${name} is ${value}`),
  ].filter((text) => text !== null)
}

const SIGNS: [keyof Comparison, string][] = [
  ['gt', '>'],
  ['gte', '≥'],
  ['lt', '<'],
  ['lte', '≤'],
]
const tellComparison = (comparison: Comparison) =>
  SIGNS.flatMap(([key, sign]) => (comparison[key] === undefined ? [] : `${sign} ${number(comparison[key])}`)).join(
    ' and ',
  )

/** Where a rule sends what it fits. */
export const tellGoal = ({ route, provider, model }: Rule): string =>
  route !== null ? `route ${route}` : model === null ? `${provider}, the model asked for` : `${provider}: ${model}`

export const tellRetryOn = ({ statuses, all5xx, network }: RetryOn): string =>
  [
    ...[...statuses].sort((a, b) => a - b).map(String),
    ...(all5xx ? ['5xx'] : []),
    ...(network ? ['network'] : []),
  ].join(', ') || 'nothing'
