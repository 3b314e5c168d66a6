import type { Config } from '../config/config.ts'
import type { AppContext } from '../context.ts'
import { limitChecks, requestsCheck } from '../domain/limit-checks.ts'
import type { Caller } from '../domain/token-index.ts'
import { GatewayError } from '../errors.ts'
import type { LimitCheck, LimitState, Refusal } from '../kv/kv.ts'
import type { Exchange } from './exchange.ts'
import { longestOutput } from './expected-tokens.ts'
import type { Target } from './plan.ts'
import type { RequestBody } from './read-request.ts'
import { reserve } from './reserve.ts'

/** OpenAI's SDKs pass over a longer `retry-after` and come back after half a second: better tell them not to. */
const LONGEST_SDK_WAIT_SECONDS = 60
/** Reserved for an answer whose length the request does not bound. */
const USUAL_OUTPUT_TOKENS = 1_024

type Parts = Pick<AppContext, 'kv' | 'ledger' | 'budgets' | 'prices'>

/**
 * Takes one unit of every limit of token and project, and room in every budget, all or none, before the request leaves. What
 * `max_requests` counts is
 * written to the database first, so that neither concurrency nor a crash can pass it.
 * `usual`: the rate for tokens without one of their own. Throws `rate_limit_exceeded`, `insufficient_quota`, `storage_unavailable`.
 */
export async function admit(
  parts: Parts,
  usual: Config['rateLimit'],
  exchange: Exchange,
  caller: Caller,
  targets: readonly Target[],
): Promise<void> {
  const { kv, budgets } = parts
  const checks = checksFor(caller, usual, exchange.body)
  const decision = kv.acquire(checks)
  const granted = decision instanceof Promise ? await decision : decision
  if (!granted.ok) throw refusal(granted)
  try {
    // Kept also when the rest fails: the row of a request that was written down as open has to end it.
    exchange.reservation = await reserve(parts, exchange, caller, targets)
    if (caller.token.maxRequests !== null) await take(parts, caller)
  } catch (error) {
    kv.release(granted, { tokens: 0 })
    if (exchange.reservation) budgets.release(exchange.reservation)
    throw error
  }
  exchange.taken = caller.token.maxRequests !== null
  exchange.grant = granted
  exchange.admitted = true
}

async function take({ ledger }: Pick<Parts, 'ledger'>, { token }: Caller): Promise<void> {
  const taken = await ledger.take(token.id).catch((cause) => {
    throw new GatewayError('storage_unavailable', { headers: { 'retry-after': '5' }, cause })
  })
  if (!taken) {
    throw new GatewayError('insufficient_quota', {
      message: `This token has used all of its ${token.maxRequests} requests.`,
      details: { limit: 'max_requests', max_requests: token.maxRequests },
      headers: { 'x-should-retry': 'false' },
    })
  }
}

const NO_CHECKS: LimitCheck[] = []

function checksFor({ token, project }: Caller, usual: Config['rateLimit'], body: RequestBody): LimitCheck[] {
  if (token.rateLimit === null && project.rateLimit === null && usual === null) return NO_CHECKS
  const tokens = (limit: number) => tokensToReserve(body, limit)
  const checks = token.rateLimit === null ? [] : limitChecks(token.id, token.rateLimit, tokens)
  if (usual !== null && (token.rateLimit?.requestsPerMinute ?? null) === null) {
    checks.push(requestsCheck(token.id, usual.requests, usual.windowSeconds * 1000))
  }
  if (project.rateLimit !== null) checks.push(...limitChecks(project.id, project.rateLimit, tokens))
  return checks
}

/**
 * Tokens that a request may cost: its text at four bytes a token, and the longest answer it allows. Without such a bound a usual
 * length is taken, as far as the limit has room for it.
 */
function tokensToReserve(body: RequestBody, limit: number): number {
  if (body.kind !== 'json' || body.value === null) return 0
  const input = Math.ceil(body.bytes.length / 4)
  const output = longestOutput(body.value)
  return input + (output ?? Math.max(0, Math.min(USUAL_OUTPUT_TOKENS, limit - input)))
}

function refusal({ refused, states, retryAfterMs }: Refusal): GatewayError {
  const headers = limitHeaders(states)
  if (retryAfterMs === null) {
    const amount = refused.kind === 'rate' ? refused.amount : 1
    return new GatewayError('rate_limit_exceeded', {
      message: `Request too large: it may take ${amount} tokens, and the limit is ${refused.limit} tokens a minute. Lower its max tokens or its size.`,
      details: { limit: refused.what, value: refused.limit, requested: amount },
      headers: { ...headers, 'x-should-retry': 'false' },
    })
  }
  const seconds = Math.max(1, Math.ceil(retryAfterMs / 1000))
  const per = refused.kind === 'rate' ? ` per ${refused.windowMs / 1000} s` : ' at a time'
  return new GatewayError('rate_limit_exceeded', {
    message: `Rate limit reached: ${refused.limit} ${refused.kind === 'rate' ? refused.what : 'requests'}${per}. Try again in ${seconds} s.`,
    details: { limit: refused.what, value: refused.limit, retry_after_seconds: seconds },
    headers: {
      ...headers,
      'retry-after': String(seconds),
      'retry-after-ms': String(Math.max(1, Math.ceil(retryAfterMs))),
      ...(seconds > LONGEST_SDK_WAIT_SECONDS && { 'x-should-retry': 'false' }),
    },
  })
}

/** OpenAI's names and spelling (`6m0s`, `12ms`); where token and project both have a limit, the one with less left. */
export function limitHeaders(states: readonly LimitState[]): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const what of ['requests', 'tokens'] as const) {
    let tightest: LimitState | null = null
    for (const state of states) {
      if (state.what === what && (tightest === null || state.remaining < tightest.remaining)) tightest = state
    }
    if (tightest === null) continue
    headers[`x-ratelimit-limit-${what}`] = String(tightest.limit)
    headers[`x-ratelimit-remaining-${what}`] = String(tightest.remaining)
    headers[`x-ratelimit-reset-${what}`] = duration(tightest.resetMs)
  }
  return headers
}

function duration(ms: number): string {
  if (ms < 1000) return `${Math.ceil(ms)}ms`
  const seconds = Math.ceil(ms / 1000)
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`
}
