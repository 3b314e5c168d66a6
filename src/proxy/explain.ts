import type { IncomingMessage } from 'node:http'
import type { AppContext } from '../context.ts'
import { presentBudgetState } from '../domain/present.ts'
import type { Caller } from '../domain/token-index.ts'
import { GatewayError, toGatewayError } from '../errors.ts'
import type { Json } from '../formats/dialect.ts'
import { formatUsd } from '../money.ts'
import { authorize } from './authenticate.ts'
import { budgetStates } from './budget-states.ts'
import { laneOf } from './dispatch.ts'
import { meteredEndpoint } from './endpoints.ts'
import { type Exchange, newExchange } from './exchange.ts'
import { plausibleTokens } from './expected-tokens.ts'
import type { Itinerary, Stop } from './itinerary.ts'
import { createMounts } from './mounts.ts'
import { prepare } from './prepare.ts'
import { readFields } from './read-fields.ts'
import { staticCaller } from './static-callers.ts'
import { authorizeOtherModels, createWays } from './ways.ts'

/** One of `tokenId` and `projectId`; a request of a project has no token's limits. `headers`: names in lower case. */
export type Question = {
  tokenId: string | null
  projectId: string | null
  endpoint: string
  headers: Record<string, string>
  request: Json
}
export type Explain = (question: Question) => Promise<Explanation>
export type Explanation = Awaited<ReturnType<typeof explain>>

type Parts = Pick<
  AppContext,
  | 'config'
  | 'store'
  | 'tokens'
  | 'providers'
  | 'catalogue'
  | 'live'
  | 'prices'
  | 'routing'
  | 'budgets'
  | 'estimator'
  | 'now'
>

/**
 * What would become of a request: who may ask it, by which rule and route it goes where, in which order, what would be left out, and what
 * it may cost. By the code that serves requests, but nothing is sent, counted or held back. Throws `not_found`.
 */
export const createExplain =
  (parts: Parts): Explain =>
  (question) =>
    explain(parts, question)

async function explain(parts: Parts, question: Question) {
  const caller = await findCaller(parts, question)
  const exchange = exchangeOf(parts, question)
  const { token, project } = caller
  const base = {
    token_id: question.tokenId === null ? null : token.id,
    project_id: project.id,
    endpoint: exchange.path.endpoint,
    cache: 'bypass' as const,
    limits: {
      rate: [token.rateLimit, project.rateLimit].flatMap((limit) => limit ?? []).map(presentRate),
      max_requests: token.maxRequests === null ? null : { limit: token.maxRequests, used: token.requestCount },
      budgets: (await budgetStates(parts.budgets, caller, exchange.at)).map(presentBudgetState),
    },
  }
  try {
    if (exchange.path.problem) throw exchange.path.problem
    // From which address it would come is not known here.
    authorize({ ...caller, ipList: null }, exchange.path.endpoint, () => '', parts.now())
    readFields(exchange)
    const routing = await parts.routing.current()
    const itinerary = createWays(parts)(routing, exchange, caller, exchange.model)
    authorizeOtherModels(exchange, caller, itinerary.stops[0]!)
    const stops = itinerary.stops.map((stop) => explainStop(parts, exchange, stop))
    return {
      ...base,
      served: stops.some(({ error }) => error === null),
      error: null,
      ...way(exchange, itinerary),
      stops,
    }
  } catch (error) {
    return { ...base, served: false, error: presentError(error), ...way(exchange, null), stops: [] }
  }
}

async function findCaller({ store, tokens }: Parts, { tokenId, projectId }: Question): Promise<Caller> {
  if (tokenId !== null) {
    const token = await store.tokens.get(tokenId)
    const found = token && (await store.tokens.findByHash(token.hash))
    if (found) return tokens.toCaller(found)
    throw new GatewayError('not_found', { message: `There is no token \`${tokenId}\`.` })
  }
  const project = await store.projects.get(projectId!)
  if (project === null) throw new GatewayError('not_found', { message: `There is no project \`${projectId}\`.` })
  const { token } = staticCaller(project, 'none', '')
  return tokens.toCaller({ token, project, keys: await store.providerKeys.listByProject(project.id) })
}

/** As the request would look when it has been read. */
function exchangeOf({ now, providers }: Parts, { endpoint, headers, request }: Question): Exchange {
  const req = { method: 'POST', url: endpoint, headers, rawHeaders: Object.entries(headers).flat() }
  const clock = { now, patienceMs: 0, mounts: createMounts(providers) }
  const unanswered = newExchange(clock, req as unknown as IncomingMessage, null)
  const exchange = { ...unanswered, endpoint: meteredEndpoint('POST', unanswered.path.api) }
  const bytes = Buffer.from(JSON.stringify(request))
  exchange.body = { kind: 'json', bytes, value: request, problem: null } as Exchange['body']
  return exchange
}

const way = ({ model, stream }: Exchange, itinerary: Itinerary | null) => ({
  model,
  stream,
  rule: itinerary?.rule ?? null,
  route: itinerary?.route?.pattern ?? null,
  strategy: itinerary?.route?.strategy ?? null,
  max_retries: itinerary?.maxRetries ?? null,
  recovery: itinerary?.recovery ?? null,
})

/** What would be told to and by this one. */
function explainStop(parts: Parts, exchange: Exchange, stop: Stop) {
  const { live, prices } = parts
  const { provider, model, keyId, step } = stop
  const told = tell(parts, exchange, stop)
  const { input, output } = plausibleTokens(exchange.body, exchange.endpoint?.text !== 'input_only')
  const highest = prices.highest(provider.name, model, input, output, exchange.at)
  const lane = laneOf(stop)
  const until = live.benchedUntil(provider.name, keyId)
  return {
    step: step + 1,
    provider: provider.name,
    model,
    key_id: keyId,
    base_url: `${provider.origin}${provider.basePath}`,
    ...told,
    takes_requests: live.admits(lane),
    key_rests_until: until === null ? null : new Date(until).toISOString(),
    price_source: model === null ? null : (prices.show(provider.name, model, exchange.at)?.source ?? null),
    highest_cost_usd: highest === null ? null : formatUsd(highest),
    context_window: model === null ? null : prices.contextWindow(provider.name, model),
  }
}

function tell(parts: Parts, exchange: Exchange, stop: Stop) {
  exchange.changes.length = 0
  exchange.dropped = []
  try {
    const { translation } = prepare(parts, exchange, stop, () => null)
    return {
      dialect: translation?.to.name ?? exchange.endpoint?.dialect ?? null,
      translated: translation !== null,
      dropped: [...exchange.dropped],
      error: null,
    }
  } catch (error) {
    return { dialect: null, translated: false, dropped: [], error: presentError(error) }
  }
}

function presentError(error: unknown) {
  const { code, message, status } = toGatewayError(error)
  return { code, message, status }
}

const presentRate = (limit: NonNullable<Caller['token']['rateLimit']>) => ({
  requests_per_minute: limit.requestsPerMinute,
  tokens_per_minute: limit.tokensPerMinute,
  concurrent_requests: limit.concurrentRequests,
})
