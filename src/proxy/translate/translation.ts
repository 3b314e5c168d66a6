import { GatewayError } from '../../errors.ts'
import { eventsOf } from '../../formats/answer-events.ts'
import type { AnswerFacts, AnswerLoss, Dialect, Json, StreamBuilder } from '../../formats/dialect.ts'
import { DIALECTS } from '../../formats/dialects.ts'
import type { HubAnswer, HubEvent, HubRequest } from '../../formats/hub.ts'
import { answerSealedBy, eventSealedBy } from '../../formats/sealers.ts'

import { translateRequest } from '../../formats/translate-request.ts'
import { factsAt } from '../../providers/index.ts'
import type { Speech } from '../../providers/provider.ts'
import type { Observed } from '../../usage/observer.ts'
import { modelCall } from '../endpoints.ts'
import type { Exchange } from '../exchange.ts'
import type { Target } from '../plan.ts'
import { observedOf } from './observed.ts'

/** `isStream`: the text is events, not JSON. */
export type Retold = { text: string; isStream: boolean; observed: Observed }

/** A request that the provider is asked in another dialect than the client's. */
export type Translation = {
  from: Dialect
  to: Dialect
  speech: Speech
  /** For the provider. */
  body: Buffer
  /** The provider's whole answer as the client is told it, and as the ledger is. Throws `UnreadableAnswer`. */
  retell(answer: Json): Retold
  /** The same of an answer that came as events, though nobody asked for them. */
  tell: ((answer: HubAnswer) => Retold) | null
  /** Null: there are no streams of this. It is given events that are sealed. */
  createStreamBuilder: (() => StreamBuilder) | null
  /** The event, with the provider's name on its seal if it has one. */
  seal(event: HubEvent): HubEvent
}

/**
 * Null where the provider speaks the client's dialect, or no model is spoken to. Throws `invalid_request`, and `unsupported_parameter`
 * when nothing may be dropped (`strict`) and something would have to be.
 */
export function translate(exchange: Exchange, target: Target, value: Json | null, strict: boolean): Translation | null {
  const { endpoint, path } = exchange
  const { provider } = target
  const dialect = endpoint?.dialect
  if (!dialect || path.mount !== null || provider.speaks.some((speech) => speech.dialect === dialect)) return null
  const [from, speech] = [DIALECTS[dialect], provider.speaks[0]]
  const to = speech && DIALECTS[speech.dialect]
  if (!from || !to || value === null) throw notTranslatable(exchange, target)
  if (dialect === 'gemini' && exchange.stream && !/[?&]alt=sse(?:&|$)/.test(path.query))
    throw new GatewayError('unsupported_parameter', {
      message: 'Streams of this model come as events: ask with ?alt=sse, as the SDKs do.',
      param: 'alt',
    })
  const model = target.model ?? ''
  const place = { model: modelCall(path.api)?.model ?? null, stream: exchange.stream }
  const { request, body, dropped } = translateRequest({ from, to }, value, place, {
    provider: provider.name,
    model,
    facts: factsAt(provider, model),
    streamUsage: provider.takesStreamOptions,
  })
  const bytes = write(body)
  noteDropped(exchange, target, to, dropped, strict)
  const facts = answerFacts(exchange, request, model)
  const tell = (unsealed: HubAnswer): Retold => {
    const hub = answerSealedBy(unsealed, provider.name)
    const observed = observedOf(hub)
    if (!exchange.stream) return { text: JSON.stringify(from.buildAnswer(hub, facts)), isStream: false, observed }
    // Who asked for a stream waits for events, whatever the provider makes of that.
    const builder = from.createStreamBuilder(facts)
    const text = eventsOf(hub).reduce((told, event) => told + builder.push(event), '')
    return { text, isStream: true, observed }
  }
  return {
    from,
    to,
    speech,
    body: bytes,
    retell: (answer) => tell(to.parseAnswer(answer)),
    tell,
    createStreamBuilder: () => from.createStreamBuilder(facts),
    seal: (event) => eventSealedBy(event, provider.name),
  }
}

/** What an answer to the client is written for. */
export const answerFacts = (exchange: Exchange, request: HubRequest, model: string): AnswerFacts => ({
  model: exchange.model ?? model,
  now: Math.floor(exchange.at / 1000),
  request,
  lose: (what) => noteLost(exchange, what),
})

/** Throws `invalid_request` for what JSON.parse takes and JSON.stringify does not. */
function write(body: Json): Buffer {
  try {
    return Buffer.from(JSON.stringify(body))
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new GatewayError('invalid_request', { message: 'The request is nested too deeply to be translated.' })
  }
}

/** Throws `unsupported_parameter` when nothing may be dropped (`strict`) and something was. */
export function noteDropped(
  exchange: Exchange,
  { provider }: Target,
  { name: dialect }: Dialect,
  all: readonly string[],
  strict: boolean,
): void {
  const dropped = bounded(all)
  if (dropped.length > 0 && strict) throw refusal(dropped, provider.name)
  exchange.dropped = dropped
  exchange.changes.push(`dialect:${dialect}`, ...dropped.map((name) => `dropped:${name}`))
}

/** Of the answer: in the header, too, where that is still to be sent. It is paid for, so it is not refused any more. */
function noteLost(exchange: Exchange, what: AnswerLoss): void {
  if (exchange.dropped.includes(what)) return
  exchange.dropped = [...exchange.dropped, what]
  exchange.changes.push(`dropped:${what}`)
}

/** They go into a header and the ledger, and may be whatever the client wrote. */
const MOST_NAMES = 40
const LONGEST_NAME = 80

function bounded(names: readonly string[]): string[] {
  const told = names.slice(0, MOST_NAMES).map((name) => name.slice(0, LONGEST_NAME))
  return names.length <= MOST_NAMES ? told : [...told, `and-${names.length - MOST_NAMES}-more`]
}

function refusal(dropped: readonly string[], provider: string): GatewayError {
  return new GatewayError('unsupported_parameter', {
    message: `${provider} has no place for ${dropped.join(', ')}, and strict translation is on: leave it out, or let it be dropped.`,
    param: dropped[0]!,
    details: { unsupported: dropped },
  })
}

export const notTranslatable = ({ path }: Exchange, { provider }: Target) =>
  new GatewayError('unsupported_parameter', {
    message: `Requests to ${path.endpoint} cannot be translated for ${provider.name}: send them as JSON, to a model of a provider that has this endpoint.`,
  })
