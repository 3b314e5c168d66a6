import { endOfEvent, jsonOf } from '../formats/sse.ts'
import type { Usage } from '../store/store.ts'
import { createFieldScan, type FieldScan } from './field-scan.ts'
import { findUsage, withoutNullUsage } from './null-usage.ts'
import type { Observer } from './observer.ts'
import { readUsage, usageOf } from './read-usage.ts'
import { maskSecret } from './secret-filter.ts'
import { createStreamText } from './stream-text.ts'
import { createToolCount } from './tool-calls.ts'

/** A longer event (a picture) is scanned as it passes rather than kept. */
const MAX_EVENT = 1024 * 1024
/** Some first chunks name no model (Azure's); one of the next few does. */
const MODEL_TRIES = 16

const EMPTY = Buffer.alloc(0)
const BLANK_LINE = Buffer.from('\n\n')
const DONE_EVENT = Buffer.from('data: [DONE]\n\n')
const ERROR_MEMBERS = ['"error":{', '"error": {', '"object":"error"', '"object": "error"']

type Options = {
  terminator: 'done' | 'response_event' | 'typed' | 'none'
  /** The gateway asked for usage on its own account: the client must not see the difference. */
  hideUsage: boolean
  /** Our key at the provider: masked where an error event quotes it. */
  secret: string
}

/**
 * Reads usage, model, errors and the end of an SSE stream as it passes. A piece goes on as it came, in the same turn; only with
 * `hideUsage` does the beginning of an event wait for its end, because the event may have to be changed. The event that ends
 * the stream, or tells of its failure, is held back until the relay has settled (`finished`).
 */
export function createStreamObserver({ terminator, hideUsage, secret }: Options): Observer {
  /** Pieces of an event whose end has not come yet, and the last bytes of them. */
  let partial: Buffer[] = []
  let partialBytes = 0
  let seam: Buffer = EMPTY
  /** While an event too long to keep passes. */
  let giant: FieldScan | null = null
  let giantHead = ''
  /** How far a stream of typed events has come; of events that nobody knows no end is known either. */
  let typed: 'none' | 'begun' | 'ended' | 'unknown' = 'none'
  let usage: Usage | null = null
  let servedModel: string | null = null
  let modelTries = MODEL_TRIES
  let finished = false
  let failed = false
  let isSupplied = false
  const text = createStreamText()
  const tools = createToolCount()

  /** Reads one whole event; `latin1`: the same as a text, one character a byte. `drop`: it is there only because the gateway asked. */
  const read = (event: Buffer, latin1: string): 'pass' | 'drop' => {
    if (latin1.length <= 32 && DONE.test(latin1)) {
      finished = true
      return 'pass'
    }
    readEnd(event, latin1)
    if (modelTries > 0) readModel(event)
    if (ITEM.test(latin1)) tools.push(latin1)
    const member = findUsage(latin1)
    if (member && !member.isNull && isOnlyUsage(event)) return 'drop'
    if (!finished) text.add(event)
    return 'pass'
  }

  const readEnd = (event: Buffer, latin1: string) => {
    if (
      latin1.startsWith('event: error') ||
      (ERROR_MEMBERS.some((member) => latin1.includes(member)) && hasError(event))
    )
      failed = true
    if (terminator === 'response_event' && endsResponse(event, latin1)) finished = true
    if (terminator === 'typed') readType(latin1)
    if (!failed) return
    finished = true
    maskSecret(event, Buffer.from(secret))
  }

  const readType = (head: string) => {
    const type = TYPED.exec(head)
    if (type) typed = type[1] ? 'ended' : typed === 'ended' ? typed : 'begun'
    else if (typed === 'none' && head.includes('data:')) typed = 'unknown'
  }

  const readModel = (event: Buffer) => {
    const body = jsonOf(event)
    if (body === null) return
    modelTries--
    const model = body.model ?? (body.response as { model?: unknown } | undefined)?.model
    if (typeof model !== 'string' || model === '') return
    servedModel = model
    modelTries = 0
  }

  const isOnlyUsage = (event: Buffer): boolean => {
    const body = jsonOf(event)
    if (body === null) return false
    usage = readUsage(usageOf(body)) ?? usage
    return hideUsage && !failed && Array.isArray(body.choices) && body.choices.length === 0
  }

  /** Reads the whole events in `bytes`; `rest`: where what is not passed on begins. With `hideUsage` rewrites `bytes` in place. */
  const readEvents = (bytes: Buffer): { kept: number; rest: number } => {
    let from = 0
    let kept = 0
    while (from < bytes.length) {
      const end = endOfEvent(bytes, from)
      if (end === -1) break
      const event = bytes.subarray(from, end)
      const latin1 = event.toString('latin1')
      const verdict = read(event, latin1)
      if (finished) break
      if (verdict === 'pass') kept = hideUsage ? keep(bytes, event, latin1, kept) : end
      from = end
    }
    return { kept, rest: from }
  }

  const setPartial = (bytes: Buffer) => {
    partial = bytes.length === 0 ? [] : [bytes]
    partialBytes = bytes.length
    seam = bytes.subarray(Math.max(0, bytes.length - 3))
  }

  const takePartial = (): Buffer => {
    const bytes = Buffer.concat(partial)
    setPartial(EMPTY)
    return bytes
  }

  /** The event so far with this piece, joined only once it is whole, so that a long event is not copied again and again. */
  const joinWhenWhole = (piece: Buffer): Buffer | null => {
    const closes = closesEvent(piece)
    partial.push(piece)
    partialBytes += piece.length
    return closes ? Buffer.concat(partial) : null
  }

  /** True when an event ends within `piece`, or with its first bytes. Moves the seam on. */
  const closesEvent = (piece: Buffer): boolean => {
    const before = Buffer.concat([seam, piece.subarray(0, 3)])
    seam =
      before.length > 3 && piece.length < 3
        ? before.subarray(before.length - 3)
        : piece.length < 3
          ? before
          : piece.subarray(-3)
    return endOfEvent(before, 0) !== -1 || endOfEvent(piece, 0) !== -1
  }

  const beginGiant = () => {
    giant = createFieldScan()
    const begin = Buffer.concat(partial)
    giantHead = begin.toString('latin1', 0, 512)
    // What the Responses API reports stands one level deeper.
    const inner = begin.subarray(0, 512).indexOf('"response":')
    giant.push(inner === -1 ? begin : begin.subarray(inner + 11))
    const held = takeHeld()
    return held
  }

  const takeHeld = (): Buffer | null => {
    const keepSeam = seam
    const bytes = takePartial()
    seam = keepSeam
    return hideUsage ? bytes : null
  }

  /** Passes a piece of a giant event on; what lies behind its end is read as usual. */
  const pushGiant = (scan: FieldScan, piece: Buffer): Buffer | null => {
    const joined = Buffer.concat([seam, piece])
    const end = endOfEvent(joined, 0)
    const own = end === -1 ? piece : piece.subarray(0, Math.max(0, end - seam.length))
    scan.push(own)
    if (end === -1) {
      seam = joined.subarray(Math.max(0, joined.length - 3))
      return piece
    }
    usage = scan.result().usage ?? usage
    giant = null
    readEnd(EMPTY, giantHead)
    if (ITEM.test(giantHead)) tools.push(giantHead)
    if (finished) {
      setPartial(piece)
      return null
    }
    setPartial(EMPTY)
    const behind = piece.subarray(own.length)
    const more = behind.length === 0 ? null : push(behind)
    return more === null ? own : Buffer.concat([own, more])
  }

  const push = (piece: Buffer): Buffer | null => {
    if (finished) {
      partial.push(piece)
      return null
    }
    if (giant !== null) return pushGiant(giant, piece)
    const alreadyPassed = hideUsage ? 0 : partialBytes
    const bytes = partialBytes === 0 ? piece : joinWhenWhole(piece)
    if (bytes === null) {
      if (partialBytes > MAX_EVENT) return beginGiant() ?? piece
      return hideUsage ? null : piece
    }
    const { kept, rest } = readEvents(bytes)
    if (hideUsage) {
      setPartial(bytes.subarray(rest))
      return kept === 0 ? null : bytes.subarray(0, kept)
    }
    if (!finished) {
      setPartial(bytes.subarray(rest))
      return piece
    }
    // The event that ends the stream waits for the relay; as much of it as has been passed on already is gone.
    const held = Math.max(rest, alreadyPassed)
    setPartial(bytes.subarray(held))
    return held > alreadyPassed ? bytes.subarray(alreadyPassed, held) : null
  }

  const lacksItsEnd = () => {
    if (terminator === 'done') return !text.cameToAnEnd()
    return terminator === 'response_event' || (terminator === 'typed' && (typed === 'none' || typed === 'begun'))
  }

  /** A last event without its blank line. Unless it had to wait, the client has it already. */
  const readLast = (left: Buffer): Buffer | null => {
    const latin1 = left.toString('latin1')
    // Half of the event that would have ended the stream does not end it.
    const verdict = isWhole(left, latin1) ? read(left, latin1) : 'pass'
    return hideUsage && verdict === 'pass' ? withoutNullUsage(left, latin1) : null
  }

  return {
    push,
    end() {
      const left = takePartial()
      if (finished) return left.length === 0 ? null : left
      const shown = left.length === 0 ? null : readLast(left)
      if (terminator !== 'done' || finished || failed || lacksItsEnd()) return shown
      // Half an event would become one by what stands behind it.
      if (left.length > 0 && !isWhole(left, left.toString('latin1'))) return shown
      // Everything is said but that it is: some leave that out.
      isSupplied = true
      return Buffer.concat([shown ?? EMPTY, left.length === 0 ? EMPTY : BLANK_LINE, DONE_EVENT])
    },
    finished: () => finished,
    truncated: () => !finished && (giant !== null || lacksItsEnd()),
    failed: () => failed,
    result: () => ({
      usage,
      servedModel,
      tools: tools.result(),
      changes: isSupplied ? ['done'] : [],
      text: () => text.all(),
    }),
  }
}

function keep(bytes: Buffer, event: Buffer, latin1: string, kept: number): number {
  const shown = withoutNullUsage(event, latin1)
  if (shown.byteOffset !== bytes.byteOffset + kept) bytes.set(shown, kept)
  return kept + shown.length
}

const isWhole = (event: Buffer, latin1: string) =>
  DONE.test(latin1) || latin1.startsWith('event: error') || jsonOf(event) !== null

const DONE = /^data: ?\[DONE\]\s*$/
/** Events of transcriptions, pictures and speech; the last ones of them are captured. */
const TYPED =
  /^(?:event: ?[\w.]+\r?\n)?data: ?\{"type": ?"(?:(transcript\.text\.done|image_\w+\.completed|speech\.audio\.done)|transcript\.text\.\w|image_\w+\.partial|speech\.audio\.delta)/
/** An item of a response's output, whole; the last event of the stream repeats them all. */
const ITEM = /^(?:event: ?|data: ?\{"type": ?")response\.output_item\.done/
const RESPONSE_END = /^response\.(?:completed|incomplete|failed)$/

/** The last event of OpenAI's Responses. Its type stands at the front, but for some who copy them. */
function endsResponse(event: Buffer, latin1: string): boolean {
  const named = /^(?:event: ?|data: ?\{"type": ?")([\w.]+)/.exec(latin1)
  if (named) return RESPONSE_END.test(named[1]!)
  const type = jsonOf(event)?.type
  return typeof type === 'string' && RESPONSE_END.test(type)
}

/** An error that the event tells of itself, or of its response; not one that the model talks about. */
function hasError(event: Buffer): boolean {
  const body = jsonOf(event)
  if (body === null) return false
  const { error, type, object } = body
  // The last is vLLM's way, and that of those who build on it.
  return (typeof error === 'object' && error !== null) || type === 'response.failed' || object === 'error'
}
