import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AppContext } from '../context.ts'
import { fromStoreError } from '../domain/store-errors.ts'
import { GatewayError, toGatewayError } from '../errors.ts'
import { admit } from './admit.ts'
import { authenticate, authorize, authorizeNoModel } from './authenticate.ts'
import { answerCount } from './count-tokens.ts'
import { dispatch } from './dispatch.ts'
import { type HttpExchange, newExchange } from './exchange.ts'
import { findNext } from './find-next.ts'
import type { Answer } from './forward.ts'
import { isEventStream } from './headers.ts'
import { alone, type Itinerary, type Stop } from './itinerary.ts'
import { captureUpload, keepBodies } from './keep-bodies.ts'
import { createKeepalive } from './keepalive.ts'
import { modelsHandler } from './models.ts'
import { createMounts } from './mounts.ts'
import { hidesItsModel, mustNameModel } from './named-models.ts'
import { isAboutOwnKey, refuseOwnKey } from './own-key.ts'
import { answerOwnUsage } from './own-usage.ts'
import { answerList } from './pins/answer-list.ts'
import { planPinned } from './pins/plan-pinned.ts'
import { seekAccount } from './pins/seek.ts'
import { choiceOf, plan } from './plan.ts'
import { prepare } from './prepare.ts'
import { readFields, shortEnough } from './read-fields.ts'
import { readRequest } from './read-request.ts'
import { relay } from './relay.ts'
import { authorizePrice } from './reserve.ts'
import { sendError } from './respond.ts'
import { settle } from './settle.ts'
import type { StaticCallers } from './static-callers.ts'
import { answerWhole } from './translate/answer-whole.ts'
import { watchUpload } from './upload.ts'
import { authorizeOtherModels, createWays } from './ways.ts'

export type DataPath = (req: IncomingMessage, res: ServerResponse) => void
/** The client's address, as far as `TRUST_PROXY` lets it be known. */
export type AddressOf = (req: IncomingMessage) => string

/** `/v1/*`: the way of a request, step by step as DESIGN 2 has it. */
export function createProxy(ctx: AppContext, statics: StaticCallers, addressOf: AddressOf): DataPath {
  const models = modelsHandler(ctx)
  const ways = createWays(ctx)

  const clock = { now: ctx.now, patienceMs: ctx.config.timeouts.idleMs, mounts: createMounts(ctx.providers) }

  const keepalive = createKeepalive()

  const handler = (req: IncomingMessage, res: ServerResponse) => {
    const exchange = newExchange(clock, req, res) as HttpExchange
    ctx.life.running++
    ctx.life.unsettled++
    res.once('close', () => {
      ctx.life.running--
      if (exchange.hasPlace) ctx.fairShare.leave(exchange.caller!.project.id)
      if (!res.writableFinished) {
        exchange.clientGone = true
        if (exchange.drain) exchange.drain()
        else exchange.cancel?.()
      }
      if (ctx.bodies !== null) keepBodies(ctx.bodies, exchange)
    })
    void serve(exchange)
  }

  const serve = async (exchange: HttpExchange) => {
    try {
      if (ctx.life.draining)
        throw new GatewayError('draining', { headers: { 'retry-after': '5', connection: 'close' } })
      await serveAdmitted(exchange)
    } catch (error) {
      refuse(ctx, exchange, toGatewayError(fromStoreError(error)))
    }
  }

  const serveAdmitted = async (exchange: HttpExchange) => {
    const { req, path } = exchange
    const caller = await authenticate(ctx.tokens, statics, req)
    exchange.caller = caller
    if (exchange.clientGone) throw new GatewayError('client_closed')
    ctx.fairShare.enter(caller.project.id)
    exchange.hasPlace = true
    if (path.problem) throw path.problem
    // A provider that echoes the request would give its key away.
    if (exchange.method === 'TRACE')
      throw new GatewayError('method_not_allowed', { message: 'TRACE is not passed on.' })
    authorize(caller, path.endpoint, () => addressOf(req), ctx.now())
    if (ctx.ledger.failing()) throw new GatewayError('storage_unavailable', { headers: { 'retry-after': '5' } })
    if (exchange.method === 'GET' && path.api === '/v1/usage' && path.mount === null)
      return await answerOwnUsage(ctx, exchange)
    exchange.body = await readRequest(req, ctx.config, exchange.endpoint?.text != null)
    if (exchange.body.kind === 'json' && exchange.body.problem) throw exchange.body.problem
    readFields(exchange)
    const isModelList = exchange.method === 'GET' && path.mount === null && MODEL_LIST.test(path.api)
    // As it holds now, whatever is changed meanwhile.
    const current = ctx.routing.current()
    const routing = current instanceof Promise ? await current : current
    const sought = seekAccount(ctx, exchange, caller)
    const account = sought instanceof Promise ? await sought : sought
    const itinerary = account
      ? alone(routing, planPinned(ctx.providers, caller, account, exchange.model, path.mount))
      : ways(routing, exchange, caller, isModelList ? null : exchange.model)
    const [target] = itinerary.stops as [Stop]
    if (!isModelList) authorizeOtherModels(exchange, caller, target)
    exchange.target = target
    exchange.provider = target.provider.name
    noteRoute(exchange, itinerary)
    await admit(ctx, ctx.config.rateLimit, exchange, caller, itinerary.stops)
    if (exchange.clientGone) throw new GatewayError('client_closed')
    const shape = path.api.startsWith('/v1beta') ? 'gemini' : undefined
    if (isModelList && (await models(exchange, target, shape))) return
    if (await answerCount(ctx, exchange, target)) return
    const isOnlyStop = itinerary.stops.length === 1
    const { stop, answer, prepared } = await dispatch(ctx, exchange, routing, itinerary, (stop) => {
      const prepared = prepare(ctx, exchange, stop, () => upload(ctx, exchange))
      if (isOnlyStop) forgetParsed(exchange)
      return prepared
    })
    forgetParsed(exchange)
    const { hideUsage, translation } = prepared
    if (await isAboutOwnKey(stop, answer, translation)) await refuseOwnKey(ctx, exchange, stop, answer)
    if (translation && !(translation.createStreamBuilder && exchange.stream && isStream(answer)))
      return await answerWhole(ctx, exchange, stop, answer, translation)
    if (exchange.pinning?.tells === 'list' && answer.status < 300) return await answerList(ctx, exchange, stop, answer)
    const recover = exchange.stream
      ? findNext(ctx, exchange, itinerary, stop, (next) => prepare(ctx, exchange, next, () => null))
      : null
    const drains = ctx.config.onClientAbort === 'drain'
    const alive = { keepalive, everyMs: routing.stream.keepaliveMs }
    relay(ctx, exchange, stop, answer, { hideUsage, drains, translation, recover, keepalive: alive })
  }

  return handler
}

function noteRoute(exchange: HttpExchange, { rule, route }: Itinerary): void {
  if (rule !== null) exchange.changes.push(`rule:${rule}`)
  if (route === null) return
  exchange.route = route.pattern
  if (rule !== route.pattern) exchange.changes.push(`route:${route.pattern}`)
}

/** The parsed body has served; its bytes are enough for another try or an estimate. */
function forgetParsed(exchange: HttpExchange): void {
  if (exchange.body.kind === 'json' && exchange.body.value !== null) exchange.body = { ...exchange.body, value: null }
}

/** All models, or one of them. */
const MODEL_LIST = /^\/v1(?:beta)?\/models(?:\/.*)?$/

function upload(ctx: AppContext, exchange: HttpExchange) {
  const { body, req, caller, provider, at } = exchange
  if (body.kind !== 'stream' || caller === null) return null
  // What is compressed cannot be read on the way, nor is what a form says of its session.
  const isUnread = req.headers['content-encoding'] !== undefined || hidesItsModel(exchange.path.api)
  if (isUnread && mustNameModel(exchange)) authorizeNoModel(caller)
  if (ctx.bodies !== null) exchange.uploadText = captureUpload(ctx.bodies, exchange)
  const stream = watchUpload(body.stream, {
    contentType: req.headers['content-type'],
    onBytes(piece) {
      exchange.uploadedBytes += piece.length
      exchange.uploadText?.add(piece)
      exchange.answer?.touch()
    },
    onModel(model) {
      shortEnough(model)
      plan({ ...choiceOf(ctx), pick: () => 0 }, caller, model)
      if (exchange.endpoint !== null) authorizePrice(ctx.prices, caller, provider!, model, at)
      exchange.model = model
    },
    onUnreadable: () => authorizeNoModel(caller),
    onLast() {
      if (exchange.model === null && mustNameModel(exchange)) authorizeNoModel(caller)
    },
    onRefused(error) {
      exchange.refusal = toGatewayError(error)
      exchange.cancel?.()
    },
  })
  queueMicrotask(() => exchange.answer?.setUpload(stream))
  stream.once('end', () => exchange.answer?.setUpload(null))
  return stream
}

/** An error before anything was sent: answered in the caller's format, and booked. */
function refuse(ctx: AppContext, exchange: HttpExchange, error: GatewayError): void {
  const { res, req } = exchange
  if (exchange.settled || res.headersSent) {
    // The answer is under way; all that is left is to not end it cleanly.
    ctx.log.error('request failed after its answer began', { request_id: exchange.requestId, cause: error })
    res.destroy()
    return
  }
  if (!exchange.admitted || error.code === 'overloaded') ctx.metrics.requestRejected(error.code)
  const gone = exchange.clientGone || error.code === 'client_closed'
  // What is still unread of a body would have to be read before the next request: better a new connection.
  if (!req.complete && req.readableLength === 0 && req.headers['content-length'] !== '0' && hasBody(req))
    res.shouldKeepAlive = false
  settle(
    ctx,
    exchange,
    {
      status: gone ? 499 : error.status,
      answered: false,
      error: gone ? 'client_closed' : error.code,
      cause: error.cause,
    },
    () => {
      if (gone || res.destroyed) return void res.destroy()
      sendError(exchange, error)
    },
  )
}

/** Translated event by event; anything else is an answer as a whole, or an error. */
const isStream = (answer: Answer) => answer.status < 400 && isEventStream(answer)

const hasBody = (req: IncomingMessage) =>
  req.headers['content-length'] !== undefined || req.headers['transfer-encoding'] !== undefined
