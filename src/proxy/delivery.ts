import type { ServerResponse } from 'node:http'
import { GatewayError } from '../errors.ts'
import type { Sent } from '../routing/recovery/sent.ts'
import type { Splice } from '../routing/recovery/splice.ts'
import type { Observer } from '../usage/observer.ts'
import { sumUsage } from '../usage/sum-usage.ts'
import { COST_HEADER, costText, wantsCost } from './cost-header.ts'
import { createDecoding, type Decoding, type Source } from './decode.ts'
import { note } from './dispatch.ts'
import type { HttpExchange } from './exchange.ts'
import { type Answer, type Receiver, UpstreamFailure } from './forward.ts'
import { headerOf } from './headers.ts'
import { createPulse, type KeepaliveEvery } from './keepalive.ts'
import { whenKept } from './pins/watch-answer.ts'
import type { Target } from './plan.ts'
import type { Broken, NextAnswer, Recover, Recovery } from './recover.ts'
import { breakOff, sendError } from './respond.ts'
import { brokenPart, type Outcome, type SettleParts, settle } from './settle.ts'

/** The answer's status and headers, sent at once or, for a client who wants the cost among them, when that is known. */
export type Head = { waits: boolean; send(more: string[]): void }

/** One answer on its way to the client. */
export type Stage = {
  target: Target
  answer: Answer
  source: Source
  observer: Observer
  translated: boolean
  /** Bytes, where it is known; null: it ends when it ends. */
  length: number | null
}

type Joined = ReturnType<Recovery['join']>
type Joint = { splice: Splice; asked: Buffer | null }

type Manner = {
  isEventStream: boolean
  keepalive: KeepaliveEvery | null
  /** Null: what breaks off stays so. */
  recovery: (Recovery & { next: Recover }) | null
  /** What is done instead of stopping it when the client leaves. */
  drain: ((answer: Answer, source: Source) => () => void) | null
}

/** Takes what comes of an answer, in the client's place: sends it on, settles, and goes on with another answer where it breaks off. */
export function createDelivery(
  parts: SettleParts,
  exchange: HttpExchange,
  head: Head,
  first: Stage,
  { isEventStream, keepalive, recovery, drain }: Manner,
): Receiver {
  const { res } = exchange
  /** The one that the client gets now; null: between two. */
  let stage: Stage | null = first
  let joint: Joint | null = null
  let paused = false
  /** The last bytes of an answer, while the ledger row is on its way. */
  let held: (Buffer | null)[] = []
  let committed = false
  /** Nothing more comes of the last one. */
  let isOver = false
  /** The last one whose attempt has been written down, because another was begun or looked for. */
  let noted: Stage | null = null
  const pulse =
    keepalive === null
      ? null
      : createPulse(keepalive, exchange, () => !paused && !exchange.settled && !exchange.clientGone)

  const send = (shown: Buffer | null, received: number) => {
    if (shown === null || exchange.clientGone) return
    if (head.waits) return wait(shown, received)
    const piece = recovery === null ? shown : recovery.tape.pass(shown)
    if (piece === null) return
    exchange.responseBytes += piece.length
    pulse?.sent(piece)
    if (res.write(piece) || paused) return
    paused = true
    stage?.source.pause()
    const stop = giveUpOnSilence(res, exchange.readerPatienceMs)
    res.once('drain', () => {
      stop()
      paused = false
      stage?.source.resume()
    })
  }

  /** A whole answer for the sake of its cost, but not a long one. */
  const wait = (piece: Buffer, received: number) => {
    held.push(piece)
    if (received <= LONGEST_WAIT) return
    head.waits = false
    head.send([])
    const pieces = held
    held = []
    for (const one of pieces) send(one, received)
  }

  const close = (own: Stage, outcome: Omit<Outcome, 'observer' | 'asked'>, done: () => void) => {
    pulse?.stop()
    if (own !== noted) note(parts, exchange, own.target, own.answer, own.answer.failure)
    settle(parts, exchange, { ...outcome, observer: own.observer, asked: joint?.asked ?? null }, done)
  }

  const complete = (own: Stage) => {
    const { observer, answer, translated } = own
    // Read to its end for the sake of the count alone.
    if (exchange.clientGone && !observer.failed())
      return close(own, { status: 499, answered: false, error: 'client_closed' }, () => res.destroy())
    const failed = answer.status >= 400 || observer.failed()
    if (translated && !isOver) answer.limit(REST_BYTES, performance.now() + REST_MS)
    held.unshift(recovery?.tape.rest() ?? null)
    for (const piece of held) exchange.responseBytes += piece?.length ?? 0
    close(own, { status: answer.status, answered: !failed, error: failed ? 'upstream_error' : null }, () =>
      whenKept(parts, exchange, () => {
        committed = true
        finish(translated)
      }),
    )
  }

  const finish = (translated: boolean) => {
    if (head.waits) head.send([COST_HEADER, costText(exchange)])
    head.waits = false
    for (const piece of held) if (piece) res.write(piece)
    held = []
    if (isEventStream && wantsCost(exchange)) res.write(`: ${COST_HEADER} ${costText(exchange)}\n\n`)
    // Nothing comes any more that could be told in the client's dialect, whenever the provider hangs up.
    if (isOver || translated) end()
  }
  const end = () => {
    if (res.writableEnded) return
    res.end()
    if (!res.writableFinished) giveUpOnSilence(res, exchange.readerPatienceMs)
  }

  const cut = (own: Stage, failure: UpstreamFailure | null) => {
    if (exchange.clientGone || failure?.kind === 'cancelled') {
      return close(own, { status: 499, answered: false, error: 'client_closed' }, () => res.destroy())
    }
    const error = new GatewayError(failure?.kind === 'timeout' ? 'upstream_timeout' : 'upstream_cut', {
      cause: failure,
    })
    const status = head.waits ? error.status : own.answer.status
    close(own, { status, answered: false, error: error.code, cause: error }, () => {
      // Nothing has been sent yet: it can still be told in full.
      if (head.waits) sendError(exchange, error)
      else breakOff(exchange, error, isEventStream, () => {})
    })
  }

  /** True: another answer is looked for, and until then nothing of this one matters any more. */
  const recovers = (own: Stage, failure: UpstreamFailure): boolean => {
    if (recovery === null || exchange.clientGone || failure.kind === 'cancelled') return false
    const sent = sentBy(recovery)
    if (sent === null) return false
    stage = null
    exchange.drain = null
    writeDown(own, failure)
    own.answer.cancel(failure)
    void goOn(own, { failure, sent, target: own.target }, recovery)
    return true
  }

  const sentBy = ({ read }: Recovery): Sent | null => {
    try {
      return read()
    } catch (cause) {
      parts.log.warn('a stream that broke off cannot be gone on with', { request_id: exchange.requestId, cause })
      return null
    }
  }

  const writeDown = (own: Stage, failure: UpstreamFailure) => {
    noted = own
    note(parts, exchange, own.target, own.answer, failure)
  }

  const goOn = async (own: Stage, broken: Broken, { next: find, join }: Recovery & { next: Recover }) => {
    const [next, part] = await Promise.all([
      find(broken).catch((cause: unknown) => {
        parts.log.warn('a stream that broke off could not be gone on with', { request_id: exchange.requestId, cause })
        return null
      }),
      brokenPart(parts, exchange, own.target, own.observer, joint?.asked ?? null),
    ])
    const decoding = next && decodingOf(next)
    if (next === null || decoding === null) return giveUp(own, broken.failure)
    exchange.broken = [...exchange.broken, part]
    exchange.changes.push(next.from === null ? 'recovered:restart' : 'recovered:continue')
    exchange.target = next.target
    exchange.provider = next.target.provider.name
    const spent = exchange.broken.map(({ usage }) => usage).reduce(sumUsage)
    begin(next, decoding, join(next, broken.sent, spent))
  }

  /** Null: it comes in an encoding that nobody knows. */
  const decodingOf = ({ answer, target }: NextAnswer): Decoding | 'none' | null => {
    const encoding = headerOf(answer.headers, 'content-encoding')
    if (encoding === null || encoding === 'identity') return 'none'
    try {
      return createDecoding(encoding, answer)
    } catch (cause) {
      const failure = new UpstreamFailure('cut', 'The next answer cannot be read.', { cause })
      answer.cancel(failure)
      note(parts, exchange, target, answer, failure)
      return null
    }
  }

  /** Nobody goes on with it: the client is told what it would have been told at first. */
  const giveUp = (own: Stage, failure: UpstreamFailure) => {
    isOver = true
    if (!own.observer.failed()) return cut(own, failure)
    held.push(own.observer.end(), own.observer.tellFailure?.() ?? null)
    complete(own)
  }

  const begin = ({ answer, target, from }: NextAnswer, decoding: Decoding | 'none', { observer, splice }: Joined) => {
    const source = decoding === 'none' ? answer : decoding
    const own: Stage = { target, answer, source, observer, translated: true, length: null }
    joint = { splice, asked: from?.body ?? null }
    stage = own
    if (drain) exchange.drain = drain(answer, source)
    if (paused) source.pause()
    const receiver = receiverOf(own)
    answer.deliverTo(decoding === 'none' ? receiver : decoding.receive(receiver))
    if (exchange.clientGone) (exchange.drain ?? exchange.cancel)?.()
  }

  /** The next answer says something else: nothing of it may be told. */
  const part = (own: Stage) => {
    const failure = new UpstreamFailure('cut', 'The next answer is another one.')
    stage = null
    isOver = true
    writeDown(own, failure)
    own.answer.cancel(failure)
    cut(own, failure)
  }

  const receiverOf = (own: Stage): Receiver => {
    const { observer, translated, length } = own
    let received = 0
    return {
      onData(piece) {
        received += piece.length
        if (exchange.settled) {
          // Behind the end that the format defines: nothing is expected here, but it is not ours to drop, where the client can read it.
          if (translated) return
          if (committed) res.write(piece)
          else held.push(piece)
          return
        }
        if (stage !== own) return
        const shown = observer.push(piece)
        // With a known length the client has all of it with this piece, so this piece waits.
        if (received === length) held.push(shown)
        else send(shown, received)
        if (joint?.splice.differs()) return part(own)
        if (!observer.finished()) return
        if (observer.failed() && recovers(own, toldFailure())) return
        held.push(observer.end(), observer.tellFailure?.() ?? null)
        complete(own)
      },
      onEnd() {
        if (exchange.settled) {
          isOver = true
          if (committed) end()
          return
        }
        if (stage !== own) return
        const last = observer.end()
        if (joint?.splice.differs()) return part(own)
        const isCut = observer.truncated()
        if (isCut && recovers(own, new UpstreamFailure('cut', 'The stream ended before its end.'))) return
        if (observer.failed() && recovers(own, toldFailure())) return
        isOver = true
        if (isCut) return cut(own, null)
        held.push(last, observer.tellFailure?.() ?? null)
        complete(own)
      },
      onFailure(failure) {
        if (!exchange.settled) {
          if (stage === own && !recovers(own, failure)) cut(own, failure)
          return
        }
        isOver = true
        // The format's own end came before: the client lacks nothing.
        if (committed) end()
      },
    }
  }
  return receiverOf(first)
}

/** An error that the provider told of in its stream. */
const toldFailure = () => new UpstreamFailure('cut', 'The provider told of an error in its stream.')

/** Bytes. A longer answer goes out as it comes, without its cost. */
const LONGEST_WAIT = 1024 * 1024

/** What a provider may still send behind the end, so that its connection can be used again. */
const REST_BYTES = 64 * 1024
const REST_MS = 5_000

/** Bytes that nobody takes hold a place that others wait for: ends the connection when none has left it for `ms`. */
function giveUpOnSilence(res: ServerResponse, ms: number): () => void {
  const { socket } = res
  const giveUp = () => res.destroy()
  // Node's own timer of a socket, which starts anew as long as its write queue shrinks.
  socket?.setTimeout(ms).once('timeout', giveUp)
  const stop = () => {
    // A slow reader stops many times.
    res.off('close', stop).off('finish', stop)
    socket?.off('timeout', giveUp)
    res.off('close', stop).off('finish', stop)
    if (!res.writableFinished) socket?.setTimeout(0)
  }
  res.once('close', stop).once('finish', stop)
  return stop
}
