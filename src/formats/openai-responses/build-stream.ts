import type { Usage } from '../../store/store.ts'
import { freshCallIds } from '../call-ids.ts'
import { type AnswerFacts, type Json, type StreamBuilder, UnreadableAnswer } from '../dialect.ts'
import type { HubError, HubEvent, HubFinish } from '../hub.ts'
import { buildError } from '../openai-error.ts'
import { record, textOrNull } from '../read.ts'
import { ownToolName } from '../tool-names.ts'
import { itemId } from './items.ts'
import { type OpenCall, type OpenReasoning, openCall, openReasoning, type Place } from './open-items.ts'
import { type OpenMessage, openMessage } from './open-message.ts'
import { createPen } from './pen.ts'
import { buildResponse, idsOf, type ResponseHead } from './response.ts'
import { writeCallSeal, writeSeal } from './seals.ts'
import { buildStatus } from './status.ts'

/** In OpenAI's order (wire facts 4.5): the response, its items one after the other, the whole response again with its usage. */
export function createStreamBuilder({ now, model: asked, request, lose }: AnswerFacts): StreamBuilder {
  const pen = createPen()
  const output: Json[] = []
  let ids = idsOf('', now)
  let head: ResponseHead | null = null
  let open: OpenReasoning | OpenMessage | OpenCall | null = null
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
  const close = (status: 'completed' | 'incomplete' = 'completed'): string => {
    if (open === null) return ''
    const { events, item } = open.kind === 'reasoning' ? open.close(null) : open.close(status)
    open = null
    output.push(item)
    return events
  }

  const nextPlace = (kind: 'rs' | 'msg' | 'fc'): Place => ({
    pen,
    id: itemId(kind, ids.base, output.length),
    index: output.length,
  })

  const inMessage = (write: (message: OpenMessage) => string): string => {
    if (open?.kind === 'message') return write(open)
    const before = start('', asked, null) + close()
    const opened = openMessage(nextPlace('msg'))
    open = opened.open
    return before + opened.events + write(opened.open)
  }

  const inReasoning = (write: (reasoning: OpenReasoning) => string): string => {
    if (open?.kind === 'reasoning') return write(open)
    const before = start('', asked, null) + close()
    const opened = openReasoning(nextPlace('rs'))
    open = opened.open
    return before + opened.events + write(opened.open)
  }

  /** A seal is the end of the thought that it is on. */
  const seal = (content: string | null): string =>
    inReasoning((reasoning) => {
      const { events, item } = reasoning.close(content)
      open = null
      output.push(item)
      return events
    })

  const beginCall = (event: HubEvent & { type: 'tool_call' }): string => {
    const call = { id: fresh(event.id), name: ownToolName(event.name, request) }
    const { signature } = event
    const before = start('', asked, null) + close()
    const sealed = signature === undefined ? '' : seal(writeCallSeal(call.id, signature, event))
    const opened = openCall(nextPlace('fc'), call, event.call)
    open = opened.open
    return before + sealed + opened.events
  }

  const end = (): string => {
    const { status, reason } = buildStatus(finish)
    const before = start('', asked, null) + close(status)
    ended = true
    const response = buildResponse(head!, request, { status, reason, output, usage })
    return before + pen.event(`response.${status}`, { response })
  }

  /** As recorded: the error as such, and once more as what became of the response. Of its items only the whole ones are told. */
  const fail = (failure: HubError): string => {
    const before = start('', asked, null)
    ended = true
    const { error } = buildError(failure)
    const code = textOrNull(record(error).code) ?? 'server_error'
    const told = { status: 'failed', output, usage, error: { code, message: failure.message } } as const
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
        // What belongs to an item that is closed has no place any more, and must not be lost in silence.
        if (open?.kind !== 'call' || open.number !== event.call)
          throw new UnreadableAnswer('The pieces of several tool calls came mixed.')
        return event.json === '' ? '' : open.write(event.json)
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
