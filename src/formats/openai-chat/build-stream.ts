import type { Usage } from '../../store/store.ts'
import { freshCallIds } from '../call-ids.ts'
import type { AnswerFacts, StreamBuilder } from '../dialect.ts'
import type { HubEvent } from '../hub.ts'
import { buildError } from '../openai-error.ts'
import { ownToolName } from '../tool-names.ts'
import { buildCitation } from './build-answer.ts'
import { sealDetail, textDetail } from './extensions.ts'
import { buildFinish } from './finish.ts'
import { buildLogprobs } from './logprobs.ts'
import { buildImage } from './media.ts'
import { buildUsage } from './usage.ts'

/** `said`, `thought`, `sealed`: characters so far, which citations and seals count in. */
type Choice = {
  said: number
  thought: number
  sealed: number
  details: number
  annotations: number
  images: number
  /** Calls without any arguments so far. */
  bare: Set<number>
  ended: boolean
}

const GOING_ON = '"finish_reason":null'

/** In OpenAI's order: the role first, content, one finish reason for each choice, usage where it was asked for, `[DONE]`. */
export function createStreamBuilder({ now, model: asked, request, lose }: AnswerFacts): StreamBuilder {
  let head = ''
  let usage: Usage | null = null
  let over = false
  const choices = new Map<number, Choice>()
  const fresh = freshCallIds(request)

  const open = (id: string, model: string, created: number | null) => {
    head = `data: {"id":${JSON.stringify(id || `chatcmpl-${now}`)},"object":"chat.completion.chunk","created":${created ?? now},"model":${JSON.stringify(model || asked)},"choices":[`
  }
  /** `delta` is JSON text. */
  const chunk = (choice: number, delta: string, rest = GOING_ON) =>
    `${head}{"index":${choice},"delta":${delta},${rest}}]}\n\n`

  const choiceOf = (index: number): Choice => {
    let choice = choices.get(index)
    if (!choice) {
      choice = { said: 0, thought: 0, sealed: 0, details: 0, annotations: 0, images: 0, bare: new Set(), ended: false }
      choices.set(index, choice)
    }
    return choice
  }

  const detail = (index: number, entry: object) => chunk(index, `{"reasoning_details":[${JSON.stringify(entry)}]}`)

  const addArguments = (index: number, call: number, json: string) =>
    chunk(index, `{"tool_calls":[{"index":${call},"function":{"arguments":${JSON.stringify(json)}}}]}`)

  const finish = (index: number, choice: Choice, reason: string): string => {
    if (choice.ended) return ''
    choice.ended = true
    // No arguments are an empty object: clients parse what they get.
    const empty = [...choice.bare].map((call) => addArguments(index, call, '{}'))
    return `${empty.join('')}${chunk(index, '{}', `"finish_reason":"${reason}"`)}`
  }

  const openCall = (event: HubEvent & { type: 'tool_call' }, choice: Choice): string => {
    const id = fresh(event.id)
    const called = { name: ownToolName(event.name, request), arguments: '' }
    const seal = { index: choice.details, sealedIn: event.sealedIn, id }
    const sealed = event.signature === undefined ? '' : detail(event.choice, sealDetail(event.signature, seal))
    if (sealed !== '') choice.details++
    choice.bare.add(event.call)
    const entry = JSON.stringify({ index: event.call, id, type: 'function', function: called })
    return sealed + chunk(event.choice, `{"tool_calls":[${entry}]}`)
  }

  const ofChoice = (event: Extract<HubEvent, { choice: number }>, choice: Choice): string => {
    const { choice: index } = event
    switch (event.type) {
      case 'text':
        choice.said += event.text.length
        return chunk(index, `{"content":${JSON.stringify(event.text)}}`)
      case 'reasoning':
        choice.thought += event.text.length
        return chunk(index, `{"reasoning_content":${JSON.stringify(event.text)}}`)
      case 'arguments':
        if (event.json === '') return ''
        if (choice.bare.size > 0) choice.bare.delete(event.call)
        return addArguments(index, event.call, event.json)
      case 'tool_call':
        return openCall(event, choice)
      case 'signature': {
        const span = { start: choice.sealed, end: choice.thought }
        choice.sealed = choice.thought
        return detail(index, textDetail(span, event.signature, { index: choice.details++, sealedIn: event.sealedIn }))
      }
      case 'redacted':
        return detail(index, sealDetail(event.data, { index: choice.details++, sealedIn: event.sealedIn }))
      case 'refusal':
        return chunk(index, `{"refusal":${JSON.stringify(event.text)}}`)
      case 'citation': {
        const cited = { ...buildCitation(event.citation, choice.said, ''), index: choice.annotations++ }
        return chunk(index, `{"annotations":[${JSON.stringify(cited)}]}`)
      }
      case 'media': {
        const image = buildImage(event.media, choice.images)
        if (image === null) lose(`answer.${event.media.type}`)
        else choice.images++
        return image === null ? '' : chunk(index, `{"images":[${JSON.stringify(image)}]}`)
      }
      case 'logprobs':
        return chunk(index, '{}', `"logprobs":${JSON.stringify(buildLogprobs(event.logprobs))},${GOING_ON}`)
      case 'finish':
        return finish(index, choice, buildFinish(event.reason))
    }
  }

  /** What began must also end, and something must have begun. */
  const end = (): string => {
    const role = choices.size === 0 ? begin(0, 'null') : ''
    const unended = [...choices].map(([index, choice]) => finish(index, choice, 'stop'))
    const used = usage && request.streamUsage ? `${head}],"usage":${JSON.stringify(buildUsage(usage))}}\n\n` : ''
    return `${role}${unended.join('')}${used}data: [DONE]\n\n`
  }

  const begin = (index: number, content: string): string => {
    choiceOf(index)
    return chunk(index, `{"role":"assistant","content":${content}}`)
  }

  const build = (event: HubEvent): string => {
    if ('choice' in event) {
      const role = choices.has(event.choice) ? '' : begin(event.choice, event.type === 'text' ? '""' : 'null')
      return role + ofChoice(event, choiceOf(event.choice))
    }
    switch (event.type) {
      case 'start':
        open(event.id, event.model, event.created)
        return ''
      case 'usage':
        usage = event.usage
        return ''
      case 'ping':
        return ': ping\n\n'
      case 'error':
        over = true
        return `data: ${JSON.stringify(buildError(event.error))}\n\n`
      case 'done':
        over = true
        return end()
    }
  }

  return {
    push(event) {
      if (over) return ''
      if (head === '' && event.type !== 'start') open('', asked, null)
      return build(event)
    },
  }
}
