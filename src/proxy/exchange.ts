import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Caller } from '../domain/token-index.ts'
import type { GatewayError } from '../errors.ts'
import { newRequestId } from '../ids.ts'
import type { Grant } from '../kv/kv.ts'
import { redact } from '../redact.ts'
import type { Try } from '../routing/live.ts'
import type { AttemptRecord, Usage } from '../store/store.ts'
import type { Reservation } from '../usage/budgets.ts'
import type { Capture } from './capture.ts'
import { type Endpoint, meteredEndpoint } from './endpoints.ts'
import type { Answer } from './forward.ts'
import type { Pinning } from './pins/seek.ts'
import type { Target } from './plan.ts'
import { NO_BODY, type RequestBody } from './read-request.ts'
import { type Mounts, parsePath, type RequestPath } from './request-path.ts'
import type { Release } from './slots.ts'

/** One request on its way: what each step has found out, for the steps behind it and for the ledger. */
export type Exchange = {
  readonly requestId: string
  /** Wall clock, for the ledger. */
  readonly at: number
  /** Monotonic, for durations. */
  readonly startedMs: number
  readonly method: string
  readonly path: RequestPath
  readonly endpoint: Endpoint | null
  readonly req: IncomingMessage
  /** A WebSocket has none. */
  readonly res: ServerResponse | null
  caller: Caller | null
  body: RequestBody
  /** As the caller named it. */
  model: string | null
  /** As the provider is asked for it, and which provider that is. */
  provider: string | null
  target: Target | null
  /** The pattern of the route that it takes; null: none. */
  route: string | null
  servedModel: string | null
  /** What it does to objects of a provider's account; null: nothing. */
  pinning: Pinning | null
  /** The answer of the attempt under way goes to the client. */
  relaying: boolean
  stream: boolean
  /** The provider works on behind its answer: what this says of usage, if anything, is not all. */
  inBackground: boolean
  attempts: AttemptRecord[]
  /** Answers that broke off, and with which another one went on: what they have used. */
  broken: readonly BrokenPart[]
  /** What was changed on the way, in the names of the fields. */
  changes: string[]
  /** What the provider's way of speaking has no place for, in the names of the client's. */
  dropped: readonly string[]
  /** Milliseconds of the gateway's own before the request left; null while it has not. */
  overheadMs: number | null
  firstByteMs: number | null
  /** Of a body that passed as a stream. */
  uploadedBytes: number
  responseBytes: number
  grant: Grant | null
  /** Known when it is settled; null: no price is known. */
  costNanoUsd: bigint | null
  /** Money and tokens that budgets hold back for it. */
  reservation: Reservation | null
  /** The request was counted against `max_requests` before it left. */
  taken: boolean
  /** It was let in: counts as a request of its token. */
  admitted: boolean
  /** The attempt under way, and what is counted of it. */
  attempt: Try | null
  answer: Answer | null
  /** Of the attempt under way. */
  slot: Release | null
  /** It has one of the places for requests at once. */
  hasPlace: boolean
  /** Stops whatever the exchange waits for. */
  cancel: (() => void) | null
  /** Instead, once the client has gone: reads on for the provider's own count. */
  drain: (() => void) | null
  /** Why an upload was stopped half-way. */
  refusal: GatewayError | null
  clientGone: boolean
  settled: boolean
  /** Its row is in the ledger, or safe to come there. */
  booked: boolean
  /** The beginning of an upload that is text, where it is to be kept. */
  uploadText: Capture | null
  /** So long the client may leave the bytes of its answer untaken. */
  readerPatienceMs: number
}

/** `costNanoUsd` null: no price is known. */
export type BrokenPart = { usage: Usage; costNanoUsd: bigint | null; priceSource: string | null }

/** One that is answered over HTTP. */
export type HttpExchange = Exchange & { readonly res: ServerResponse }

const NONE: readonly string[] = []
const NO_PARTS: readonly BrokenPart[] = []

type Clock = { now(): number; patienceMs: number; mounts?: Mounts }

/** What is known when a request has just come in. All members at once: an object that grows later costs V8 a copy each few. */
export function newExchange(
  { now, patienceMs, mounts }: Clock,
  req: IncomingMessage,
  res: ServerResponse | null,
): Exchange {
  const at = now()
  const method = req.method ?? 'GET'
  const path = parsePath(req.url ?? '/', mounts)
  return {
    requestId: newRequestId(at),
    at,
    startedMs: performance.now(),
    method,
    path,
    endpoint: res === null ? null : meteredEndpoint(method, path.api),
    req,
    res,
    caller: null,
    body: NO_BODY,
    model: null,
    provider: null,
    target: null,
    route: null,
    servedModel: null,
    pinning: null,
    relaying: false,
    stream: false,
    inBackground: false,
    attempts: [],
    broken: NO_PARTS,
    changes: [],
    dropped: NONE,
    overheadMs: null,
    firstByteMs: null,
    uploadedBytes: 0,
    responseBytes: 0,
    grant: null,
    costNanoUsd: null,
    reservation: null,
    taken: false,
    admitted: false,
    attempt: null,
    answer: null,
    slot: null,
    hasPlace: false,
    cancel: null,
    drain: null,
    refusal: null,
    clientGone: false,
    settled: false,
    booked: false,
    uploadText: null,
    readerPatienceMs: patienceMs,
  }
}

/** How books and logs name the request: a token pasted into the wrong place must not be kept in plain text. */
export const bookedNames = ({ path, model }: Pick<Exchange, 'path' | 'model'>) => ({
  endpoint: redact(path.endpoint),
  model: model === null ? null : redact(model),
})
