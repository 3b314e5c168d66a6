import type { Usage } from '../../store/store.ts'
import { freshCallIds } from '../call-ids.ts'
import { type AnswerFacts, type Json, type StreamBuilder, UnreadableAnswer } from '../dialect.ts'
import type { HubError, HubEvent, HubFinish } from '../hub.ts'
import { buildError } from '../openai-error.ts'
import { record, textOrNull } from '../read.ts'
import { type ItemStatus, itemId } from './items.ts'
import { namesOfCall } from './namespaces.ts'
import { type OpenCall, type OpenReasoning, openCall, openReasoning, type Place } from './open-items.ts'
import { type OpenMessage, openMessage } from './open-message.ts'
import { createPen } from './pen.ts'
import { buildResponse, idsOf, type ResponseHead } from './response.ts'
import { writeCallSeal, writeSeal } from './seals.ts'
import { buildStatus } from './status.ts'

/**
 * In OpenAI's order (wire facts 4.5): the response, its items one after the other, the whole response again with its usage. Only calls
 * whose pieces come mixed are open side by side: every event says which item it is of.
 */
export function createStreamBuilder({ now, model: asked, request, lose }: AnswerFacts): StreamBuilder {
  const pen = createPen()
  /** The items that are closed, by their places. */
  const closed = new Map<number, Json>()
  let items = 0
  let ids = idsOf('', now)
  let head: ResponseHead | null = null
  let open: OpenReasoning | OpenMessage | null = null
  /** By their numbers in the answer. */
  const calls = new Map<number, OpenCall>()
  let usage: Usage | null = null
  let finish: HubFinish = 'stop'
  let ended = false
  const fresh = freshCallIds(request)

  const start = (id: string, model: string, created: number | null): string => {
    if (head !== null) return ''
    ids = idsOf(id, now)
    head = { id: ids.id, model: model || asked, created: created ?? now }
    const response = buildResponse(head, request, { status: 'in_progress' })
    return pen.event('response.created', { response }) + pen.event('response.in_progress', { response })
  }

  /** `status`: of the item, which the end of the answer may have cut. */
  const close = (status: ItemStatus = 'completed'): string => {
    if (open === null) return ''
    const { events, item } = open.kind === 'reasoning' ? open.close(null) : open.close(status)
    open = null
    closed.set(items - 1, item)
    return events
  }

  const closeCall = (number: number, call: OpenCall, status: ItemStatus): string => {
    const { events, item } = call.close(status)
    calls.delete(number)
    closed.set(call.index, item)
    return events
  }

  /** All to which nothing can be added any more, before another item begins. */
  const closeWhole = (): string => {
    let told = close()
    for (const [number, call] of calls) if (call.isWhole()) told += closeCall(number, call, 'completed')
    return told
  }

  /** Where the answer is cut, its last item is, and every call that lacks its end. */
  const closeAll = (status: ItemStatus): string => {
    let told = ''
    for (const [number, call] of calls) {
      const isCut = call.index === items - 1 || !call.isWhole()
      told += closeCall(number, call, isCut ? status : 'completed')
    }
    return told + close(status)
  }

  const output = () => [...closed.entries()].sort(([a], [b]) => a - b).map(([, item]) => item)

  const nextPlace = (kind: 'rs' | 'msg' | 'fc'): Place => {
    const index = items++
    return { pen, id: itemId(kind, ids.base, index), index }
  }

  const inMessage = (write: (message: OpenMessage) => string): string => {
    if (open?.kind === 'message') return write(open)
    const before = start('', asked, null) + closeWhole()
    const opened = openMessage(nextPlace('msg'))
    open = opened.open
    return before + opened.events + write(opened.open)
  }

  const inReasoning = (write: (reasoning: OpenReasoning) => string): string => {
    if (open?.kind === 'reasoning') return write(open)
    const before = start('', asked, null) + closeWhole()
    const opened = openReasoning(nextPlace('rs'))
    open = opened.open
    return before + opened.events + write(opened.open)
  }

  /** A seal is the end of the thought that it is on. */
  const seal = (content: string | null): string =>
    inReasoning((reasoning) => {
      const { events, item } = reasoning.close(content)
      open = null
      closed.set(items - 1, item)
      return events
    })

  const beginCall = (event: HubEvent & { type: 'tool_call' }): string => {
    const call = { id: fresh(event.id), ...namesOfCall(event.name, request) }
    const { signature } = event
    const before = start('', asked, null) + closeWhole()
    const sealed = signature === undefined ? '' : seal(writeCallSeal(call.id, signature, event))
    const opened = openCall(nextPlace('fc'), call)
    calls.set(event.call, opened.open)
    return before + sealed + opened.events
  }

  const addArguments = ({ call: number, json }: HubEvent & { type: 'arguments' }): string => {
    const call = calls.get(number)
    if (call) return json === '' ? '' : call.write(json)
    // What belongs to an item that is closed has no place any more, and must not be lost in silence.
    if (json.trim() !== '') throw new UnreadableAnswer('A tool call went on after its arguments were whole.')
    return ''
  }

  const end = (): string => {
    const { status, reason } = buildStatus(finish)
    const before = start('', asked, null) + closeAll(status)
    ended = true
    const response = buildResponse(head!, request, { status, reason, output: output(), usage })
    return before + pen.event(`response.${status}`, { response })
  }

  /** As recorded: the error as such, and once more as what became of the response. Of its items only the whole ones are told. */
  const fail = (failure: HubError): string => {
    const before = start('', asked, null)
    ended = true
    const { error } = buildError(failure)
    const code = textOrNull(record(error).code) ?? 'server_error'
    const told = { status: 'failed', output: output(), usage, error: { code, message: failure.message } } as const
    const response = buildResponse(head!, request, told)
    return before + pen.event('error', { error }) + pen.event('response.failed', { response })
  }

  const build = (event: HubEvent): string => {
    // This dialect has one answer: the first. Behind its end there is nothing.
    if (ended || ('choice' in event && event.choice !== 0)) return ''
    switch (event.type) {
      case 'start':
        return start(event.id, event.model, event.created)
      case 'text':
        return event.text === '' ? '' : inMessage((message) => message.say(event.text))
      case 'refusal':
        return event.text === '' ? '' : inMessage((message) => message.refuse(event.text))
      case 'citation':
        return inMessage((message) => message.cite(event.citation))
      case 'logprobs':
        return event.logprobs.length === 0 ? '' : inMessage((message) => message.weigh(event.logprobs))
      case 'reasoning':
        return event.text === '' ? '' : inReasoning((reasoning) => reasoning.think(event.text))
      case 'signature':
        return seal(writeSeal(event))
      case 'redacted':
        return start('', asked, null) + close() + seal(writeSeal({ redacted: event.data, sealedIn: event.sealedIn }))
      case 'tool_call':
        return beginCall(event)
      case 'arguments':
        return addArguments(event)
      case 'media':
        // What the provider's own tool draws is an item here, but it is a tool's, with a call of its own.
        lose(`answer.${event.media.type}`)
        return ''
      case 'finish':
        finish = event.reason
        return ''
      case 'usage':
        usage = event.usage
        return ''
      case 'ping':
        return ': ping\n\n'
      case 'error':
        return fail(event.error)
      case 'done':
        return end()
    }
  }
  return { push: build }
}
