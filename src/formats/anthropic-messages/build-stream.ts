import type { Usage } from '../../store/store.ts'
import { freshCallIds } from '../call-ids.ts'
import { type AnswerFacts, type BegunBlock, type Json, type StreamBuilder, UnreadableAnswer } from '../dialect.ts'
import type { HubEvent, HubFinish } from '../hub.ts'
import { watchObject } from '../object-watch.ts'
import { markSeal, type Sealed } from '../seals.ts'
import { ownToolName } from '../tool-names.ts'
import { buildCitation, messageId } from './build-answer.ts'
import { buildError } from './error.ts'
import { buildStopReason } from './stop-reason.ts'
import { buildUsage } from './usage.ts'

type Call = HubEvent & { type: 'tool_call' }
type Block = { kind: 'text' | 'thinking' } | { kind: 'tool_use'; call: number; isWhole: (piece: string) => boolean }

/** Pieces of calls that wait for the one before them, in characters. */
const MAX_WAITING = 1_000_000

/** In Anthropic's order (wire facts 4.3): the message, one block after the other, why it stopped with all that was used, the end. */
export function createStreamBuilder(
  { now, model: asked, request, lose }: AnswerFacts,
  begun?: BegunBlock,
): StreamBuilder {
  let started = begun !== undefined
  let over = false
  let open: Block | null = begun?.open ? { kind: begun.open } : null
  let isWhole = false
  let index = begun?.index ?? -1
  let usage: Usage | null = null
  let finish: { reason: HubFinish; stopSequence?: string } = { reason: 'stop' }
  /** Calls that began before the one in the open block was whole: here blocks do not overlap. */
  const waiting: { call: Call; json: string }[] = []
  let waitingLength = 0
  const fresh = freshCallIds(request)

  const start = (id: string, model: string): string => {
    if (started) return ''
    started = true
    const message = {
      id: messageId(id, now),
      type: 'message',
      role: 'assistant',
      model: model || asked,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: buildUsage(usage),
    }
    return sse('message_start', { type: 'message_start', message })
  }

  const close = (): string => {
    if (open === null) return ''
    open = null
    return `event: content_block_stop\ndata: {"type":"content_block_stop","index":${index}}\n\n`
  }

  const openBlock = (block: Block, content: Json): string => {
    const closed = start('', asked) + close()
    open = block
    index++
    return closed + sse('content_block_start', { type: 'content_block_start', index, content_block: content })
  }

  const inText = () => (open?.kind === 'text' ? '' : openBlock({ kind: 'text' }, { type: 'text', text: '' }))
  const inThinking = () =>
    open?.kind === 'thinking' ? '' : openBlock({ kind: 'thinking' }, { type: 'thinking', thinking: '', signature: '' })

  /** `delta`: JSON text. */
  const deltaOf = (delta: string) =>
    `event: content_block_delta\ndata: {"type":"content_block_delta","index":${index},"delta":${delta}}\n\n`

  const seal = (signature: string, sealed: Sealed): string => {
    const marked = JSON.stringify(markSeal(signature, sealed, 'anthropic-messages'))
    return inThinking() + deltaOf(`{"type":"signature_delta","signature":${marked}}`) + close()
  }

  const openCall = (event: Call): string => {
    isWhole = false
    // A call has no place for a seal; the thought before it has.
    const sealed = event.signature === undefined ? '' : seal(event.signature, event)
    const { call, id, name } = event
    const opened = openBlock(
      { kind: 'tool_use', call, isWhole: watchObject() },
      { type: 'tool_use', id: fresh(id), name: ownToolName(name, request), input: {} },
    )
    return sealed + opened
  }

  const addArguments = (block: Block & { kind: 'tool_use' }, json: string): string => {
    if (json === '') return ''
    isWhole = block.isWhole(json)
    return deltaOf(`{"type":"input_json_delta","partial_json":${JSON.stringify(json)}}`)
  }

  /** The next of those that wait, and what there is of it. */
  const openNext = (): string => {
    const next = waiting.shift()!
    waitingLength -= next.json.length
    const opened = openCall(next.call)
    return opened + addArguments(open as Block & { kind: 'tool_use' }, next.json)
  }

  const openWaiting = (): string => {
    let text = ''
    while (waiting.length > 0) text += openNext()
    return text
  }

  const readArguments = ({ call, json }: HubEvent & { type: 'arguments' }): string => {
    if (open?.kind === 'tool_use' && open.call === call) {
      let text = addArguments(open, json)
      while (isWhole && waiting.length > 0) text += openNext()
      return text
    }
    const late = waiting.find((one) => one.call.call === call)
    // What belongs to a block that is closed has no place any more, and must not be lost in silence.
    if (!late && json.trim() !== '') throw new UnreadableAnswer('A tool call went on after the next one had begun.')
    if (late) late.json += json
    waitingLength += json.length
    if (waitingLength > MAX_WAITING) throw new UnreadableAnswer('The pieces of several tool calls came mixed.')
    return ''
  }

  const end = (): string => {
    over = true
    const delta = { stop_reason: buildStopReason(finish.reason), stop_sequence: finish.stopSequence ?? null }
    return (
      start('', asked) +
      openWaiting() +
      close() +
      sse('message_delta', { type: 'message_delta', delta, usage: buildUsage(usage) }) +
      sse('message_stop', { type: 'message_stop' })
    )
  }

  /** `said`: a function, because it reads which block is open. */
  const after = (event: { text: string }, said: () => string): string =>
    event.text === '' ? '' : (waiting.length > 0 ? openWaiting() : '') + said()

  const build = (event: HubEvent): string => {
    switch (event.type) {
      case 'start':
        return start(event.id, event.model)
      case 'text':
      case 'refusal':
        return after(event, () => inText() + deltaOf(`{"type":"text_delta","text":${JSON.stringify(event.text)}}`))
      case 'reasoning':
        return after(
          event,
          () => inThinking() + deltaOf(`{"type":"thinking_delta","thinking":${JSON.stringify(event.text)}}`),
        )
      case 'signature':
        return openWaiting() + seal(event.signature, event)
      case 'redacted': {
        const content = { type: 'redacted_thinking', data: markSeal(event.data, event, 'anthropic-messages') }
        return openWaiting() + openBlock({ kind: 'text' }, content) + close()
      }
      case 'tool_call':
        if (open?.kind !== 'tool_use' || (isWhole && waiting.length === 0)) return openCall(event)
        waiting.push({ call: event, json: '' })
        return ''
      case 'arguments':
        return readArguments(event)
      case 'citation':
        // There is no place for it but in the text that cites.
        return open?.kind === 'text'
          ? deltaOf(JSON.stringify({ type: 'citations_delta', citation: buildCitation(event.citation) }))
          : ''
      case 'media':
        lose(`answer.${event.media.type}`)
        return ''
      case 'finish':
        finish = event
        return openWaiting()
      case 'usage':
        usage = event.usage
        return ''
      case 'ping':
        return started ? sse('ping', { type: 'ping' }) : ''
      case 'error':
        over = true
        return sse('error', buildError(event.error))
      case 'done':
        return end()
      case 'logprobs':
        return ''
    }
  }

  return {
    push(event) {
      // This dialect has one answer: the first.
      if (over || ('choice' in event && event.choice !== 0)) return ''
      return build(event)
    },
  }
}

const sse = (name: string, data: Json) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
