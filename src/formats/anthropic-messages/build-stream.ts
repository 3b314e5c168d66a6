import type { Usage } from '../../store/store.ts'
import { type AnswerFacts, type Json, type StreamBuilder, UnreadableAnswer } from '../dialect.ts'
import type { HubEvent, HubFinish } from '../hub.ts'
import { buildCitation, messageId } from './build-answer.ts'
import { buildError } from './error.ts'
import { buildStopReason } from './stop-reason.ts'
import { buildUsage } from './usage.ts'

type Block = { kind: 'text' | 'thinking' } | { kind: 'tool_use'; call: number }

/** In Anthropic's order (wire facts 4.3): the message, one block after the other, why it stopped with all that was used, the end. */
export function createStreamBuilder({ now, model: asked }: AnswerFacts): StreamBuilder {
  let started = false
  let open: Block | null = null
  let index = -1
  let usage: Usage | null = null
  let finish: { reason: HubFinish; stopSequence?: string } = { reason: 'stop' }

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

  const seal = (signature: string): string =>
    inThinking() + deltaOf(`{"type":"signature_delta","signature":${JSON.stringify(signature)}}`) + close()

  const end = (): string => {
    const delta = { stop_reason: buildStopReason(finish.reason), stop_sequence: finish.stopSequence ?? null }
    return (
      start('', asked) +
      close() +
      sse('message_delta', { type: 'message_delta', delta, usage: buildUsage(usage) }) +
      sse('message_stop', { type: 'message_stop' })
    )
  }

  const build = (event: HubEvent): string => {
    // This dialect has one answer: the first.
    if ('choice' in event && event.choice !== 0) return ''
    switch (event.type) {
      case 'start':
        return start(event.id, event.model)
      case 'text':
      case 'refusal':
        return inText() + deltaOf(`{"type":"text_delta","text":${JSON.stringify(event.text)}}`)
      case 'reasoning':
        return inThinking() + deltaOf(`{"type":"thinking_delta","thinking":${JSON.stringify(event.text)}}`)
      case 'signature':
        return seal(event.signature)
      case 'redacted':
        return openBlock({ kind: 'text' }, { type: 'redacted_thinking', data: event.data }) + close()
      case 'tool_call': {
        // A call has no place for a seal; the thought before it has.
        const sealed = event.signature === undefined ? '' : seal(event.signature)
        const { call, id, name } = event
        return sealed + openBlock({ kind: 'tool_use', call }, { type: 'tool_use', id, name, input: {} })
      }
      case 'arguments':
        // What belongs to a block that is closed has no place any more, and must not be lost in silence.
        if (open?.kind !== 'tool_use' || open.call !== event.call)
          throw new UnreadableAnswer('The pieces of several tool calls came mixed.')
        return deltaOf(`{"type":"input_json_delta","partial_json":${JSON.stringify(event.json)}}`)
      case 'citation':
        return inText() + deltaOf(JSON.stringify({ type: 'citations_delta', citation: buildCitation(event.citation) }))
      case 'finish':
        finish = event
        return ''
      case 'usage':
        usage = event.usage
        return ''
      case 'ping':
        return started ? sse('ping', { type: 'ping' }) : ''
      case 'error':
        return sse('error', buildError(event.error))
      case 'done':
        return end()
      default:
        return ''
    }
  }
  return { push: build }
}

const sse = (name: string, data: Json) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
