import { type StreamBuilder, type StreamParser, UnreadableAnswer } from '../../formats/dialect.ts'
import type { HubEvent } from '../../formats/hub.ts'
import { endOfEvent, readEvent } from '../../formats/sse.ts'
import type { Usage } from '../../store/store.ts'
import type { Observer } from '../../usage/observer.ts'
import { maskSecret } from '../../usage/secret-filter.ts'

type Options = {
  parser: StreamParser
  /** Null: the client speaks the provider's dialect, and the bytes pass as they came. */
  builder: StreamBuilder | null
  /** Our key at the provider: masked where an error quotes it. */
  secret: string
}

/** No event of any provider is as long (a picture of several megabytes is). */
const MAX_EVENT = 32 * 1024 * 1024
/** No model writes more in one answer. */
const MAX_TEXT = 4 * 1024 * 1024
/** Of more the rest is not sound either. */
const MAX_SKIPPED = 3
const EMPTY = Buffer.alloc(0)

/**
 * Reads a stream in a dialect of which the parser knows usage, model, end and errors, and passes it on in the client's own. The event
 * that ends the stream, or tells of its failure, is held back until the relay has settled (`finished`).
 */
export function createDialectObserver({ parser, builder, secret }: Options): Observer {
  /** Pieces of an event whose end has not come yet, and their last bytes, where the end may begin. */
  let partial: Buffer[] = []
  let partialBytes = 0
  let seam: Buffer = EMPTY
  /** What the client gets when all is settled; an error only then, since another answer may take its place. */
  let last = ''
  let failure: HubEvent | null = null
  let held: Buffer[] = []
  let usage: Usage | null = null
  let isProvisional = false
  let servedModel: string | null = null
  let text = ''
  let finished = false
  let failed = false
  /** Events that could not be read. Only text may be missing for them: what is begun, called and ended is not. */
  let skipped = 0
  let calls = 0
  let isEnded = false

  /** Takes note of it, and gives what the client is sent for it at once. */
  const handle = (event: HubEvent): string => {
    switch (event.type) {
      case 'start':
        servedModel = event.model || servedModel
        break
      case 'usage':
        usage = event.usage
        isProvisional = event.provisional === true
        break
      case 'text':
      case 'reasoning':
      case 'refusal':
        if (text.length < MAX_TEXT) text += event.text
        break
      case 'arguments':
        if (text.length < MAX_TEXT) text += event.json
        break
      case 'error':
        failed = true
        finished = true
        failure = {
          ...event,
          error: { ...event.error, message: event.error.message.replaceAll(secret, '[redacted]') },
        }
        return ''
      case 'tool_call':
        calls++
        if (skipped > 0 && event.name === '') return handle({ type: 'error', error: UNREADABLE })
        break
      case 'finish':
        isEnded = true
        if (skipped > 0 && event.reason === 'tool_calls' && calls === 0)
          return handle({ type: 'error', error: UNREADABLE })
        break
      case 'done':
        if (skipped > 0 && !isEnded) return handle({ type: 'error', error: UNREADABLE })
        finished = true
        break
    }
    if (builder === null) return ''
    const shown = builder.push(event)
    if (!finished) return shown
    last += shown
    return ''
  }

  const handleAll = (events: HubEvent[]): string => {
    let shown = ''
    for (const event of events) {
      if (finished) break
      shown += handle(event)
    }
    return shown
  }

  /** Of an event that is whole. */
  const read = (bytes: Buffer): string => {
    try {
      const event = readEvent(bytes)
      if (event === null) return handleAll([{ type: 'ping' }])
      return handleAll(parser.push(event.data, event.name))
    } catch (error) {
      if (!(error instanceof UnreadableAnswer || error instanceof SyntaxError)) throw error
      // As it came, where it came untranslated: it is the client's to judge.
      if (builder === null) return ''
      const mayBePassedOver = error instanceof SyntaxError && calls === 0 && skipped < MAX_SKIPPED
      if (!mayBePassedOver) return handleAll([{ type: 'error', error: UNREADABLE }])
      skipped++
      return ''
    }
  }

  const takePartial = (): Buffer => {
    const bytes = partial.length === 1 ? partial[0]! : Buffer.concat(partial)
    partial = []
    partialBytes = 0
    seam = EMPTY
    return bytes
  }

  const setPartial = (bytes: Buffer) => {
    partial = bytes.length === 0 ? [] : [bytes]
    partialBytes = bytes.length
    seam = bytes.subarray(Math.max(0, bytes.length - 3))
  }

  const push = (piece: Buffer): Buffer | null => {
    if (finished) {
      if (builder === null) held.push(piece)
      return null
    }
    const around = seam.length === 0 ? piece : Buffer.concat([seam, piece])
    const alreadyPassed = builder === null ? partialBytes : 0
    partial.push(piece)
    partialBytes += piece.length
    seam = around.subarray(Math.max(0, around.length - 3))
    if (endOfEvent(around, 0) === -1) {
      if (partialBytes <= MAX_EVENT) return builder === null ? piece : null
      takePartial()
      const shown = handleAll([{ type: 'error', error: UNREADABLE }])
      return builder === null ? piece : toBuffer(shown)
    }
    const bytes = takePartial()
    let from = 0
    let shown = ''
    while (!finished) {
      const end = endOfEvent(bytes, from)
      if (end === -1) break
      shown += read(bytes.subarray(from, end))
      if (!finished) from = end
    }
    if (builder !== null) {
      setPartial(finished ? EMPTY : bytes.subarray(from))
      return toBuffer(shown)
    }
    if (!finished) {
      setPartial(bytes.subarray(from))
      return piece
    }
    const rest = Math.max(from, alreadyPassed)
    if (failed) maskSecret(bytes.subarray(rest), Buffer.from(secret))
    held.push(bytes.subarray(rest))
    return rest > alreadyPassed ? bytes.subarray(alreadyPassed, rest) : null
  }

  return {
    push,
    end() {
      let shown = ''
      if (!finished) {
        // An event without its blank line, or, where an error cut the stream off, bare JSON.
        const left = takePartial()
        if (left.length > 0) shown += read(left)
        shown += handleAll(parser.end())
      }
      const bytes = builder === null ? Buffer.concat(held) : Buffer.from(shown + last)
      held = []
      last = ''
      return bytes.length === 0 ? null : bytes
    },
    tellFailure: () => (builder === null || failure === null ? null : toBuffer(builder.push(failure))),
    finished: () => finished,
    truncated: () => !finished,
    failed: () => failed,
    result: () => ({
      usage: isProvisional ? null : usage,
      partial: isProvisional ? usage : null,
      servedModel,
      tools: null,
      changes: skipped === 0 ? [] : [`skipped:${skipped}`],
      text: () => text,
    }),
  }
}

const toBuffer = (text: string) => (text === '' ? null : Buffer.from(text))

const UNREADABLE = {
  kind: 'server',
  message: 'The provider sent something that could not be read.',
  code: 'upstream_cut',
  param: null,
  retryAfterMs: null,
} as const
