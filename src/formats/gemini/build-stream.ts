import type { Usage } from '../../store/store.ts'
import { freshCallIds } from '../call-ids.ts'
import { type AnswerFacts, type StreamBuilder, UnreadableAnswer } from '../dialect.ts'
import { statusOf } from '../error-kind.ts'
import type { HubCitation, HubEvent, HubFinish, HubMedia } from '../hub.ts'
import { argumentsOf, parseObject } from '../read.ts'
import { ownToolName } from '../tool-names.ts'
import { CALLED, showsThoughts } from './build-answer.ts'
import { buildGrounding } from './citations.ts'
import { buildError } from './error.ts'
import { buildFinish } from './finish.ts'
import { buildLogprobs } from './logprobs.ts'
import { buildAnsweredMedia } from './media.ts'
import { type Seal, writeSeal } from './seals.ts'
import { buildUsage } from './usage.ts'

type Choice = {
  /** Calls whose arguments may still be coming, by their numbers: here a call is told whole. */
  calls: Map<number, Call>
  citations: HubCitation[]
  /** Its text, in whose bytes citations are counted; null when it is too long to keep. */
  said: string | null
  finish: HubFinish | null
}
type Call = Seal & { id: string; name: string; json: string }

const MAX_SAID = 32_768

/** Every event is a whole answer of its own, with what is new in it; the last one says why it ended, and what was used. */
export function createStreamBuilder({ now, model: asked, request, lose }: AnswerFacts): StreamBuilder {
  const shows = showsThoughts(request)
  const fresh = freshCallIds(request)
  let tail = ''
  let usage: Usage | null = null
  const choices = new Map<number, Choice>()

  const start = (id: string, model: string) => {
    tail = `"modelVersion":${JSON.stringify(model || asked)},"responseId":${JSON.stringify(id || String(now))}}\r\n\r\n`
  }
  start('', asked)

  const choiceOf = (index: number): Choice => {
    let choice = choices.get(index)
    if (!choice) {
      choice = { calls: new Map(), citations: [], said: '', finish: null }
      choices.set(index, choice)
    }
    return choice
  }

  /** `parts`, `more` (of the candidate), `counted`: JSON text. */
  const chunk = (index: number, parts: string, more = '', counted = '') =>
    `data: {"candidates":[{"content":{"parts":[${parts}],"role":"model"},"index":${index}${more}}],${counted}${tail}`

  const say = (index: number, said: string): string => {
    if (said === '') return ''
    const choice = choiceOf(index)
    if (choice.said !== null) choice.said = choice.said.length > MAX_SAID ? null : choice.said + said
    return flush(index, choice) + chunk(index, `{"text":${JSON.stringify(said)}}`)
  }

  const think = (index: number, said: string, seal: Seal): string => {
    const choice = choiceOf(index)
    if (!shows) return ''
    return flush(index, choice) + chunk(index, `{"text":${JSON.stringify(said)},"thought":true${sealOf(seal)}}`)
  }

  const show = (index: number, media: HubMedia): string => {
    const built = buildAnsweredMedia(media)
    if (built === null) lose(`answer.${media.type}`)
    return built === null ? '' : flush(index, choiceOf(index)) + chunk(index, JSON.stringify(built))
  }

  /** The calls so far, whole. */
  const flush = (index: number, { calls }: Choice): string => {
    if (calls.size === 0) return ''
    const parts = [...calls.values()].map(buildCall).join()
    calls.clear()
    return chunk(index, parts)
  }

  const end = (): string => {
    let ended = ''
    for (const [index, choice] of choices) {
      ended += flush(index, choice)
      if (choice.finish === null) continue
      const grounding = buildGrounding(choice.citations, choice.said)
      const more = [
        `"finishReason":"${buildFinish(choice.finish)}"`,
        ...(choice.finish === 'tool_calls' ? [`"finishMessage":"${CALLED}"`] : []),
        ...(grounding ? [`"groundingMetadata":${JSON.stringify(grounding)}`] : []),
      ]
      const counted = `"usageMetadata":${JSON.stringify(buildUsage(usage))},`
      ended += chunk(index, '{"text":""}', `,${more.join()}`, counted)
    }
    return ended
  }

  const build = (event: HubEvent): string => {
    switch (event.type) {
      case 'start':
        start(event.id, event.model)
        return ''
      case 'text':
      case 'refusal':
        return say(event.choice, event.text)
      case 'media':
        return show(event.choice, event.media)
      case 'reasoning':
        return event.text === '' ? '' : think(event.choice, event.text, {})
      case 'signature':
        return think(event.choice, '', event)
      case 'redacted':
        return think(event.choice, '', { ...event, redacted: event.data })
      case 'tool_call': {
        const called = { ...event, id: fresh(event.id), name: ownToolName(event.name, request), json: '' }
        choiceOf(event.choice).calls.set(event.call, called)
        return ''
      }
      case 'arguments': {
        const call = choiceOf(event.choice).calls.get(event.call)
        // What belongs to a call that has been told has no place any more, and must not be lost in silence.
        if (!call) throw new UnreadableAnswer('A piece of a tool call came after what follows the call.')
        call.json += event.json
        return ''
      }
      case 'citation':
        choiceOf(event.choice).citations.push(event.citation)
        return ''
      case 'logprobs':
        return chunk(event.choice, '', `,"logprobsResult":${JSON.stringify(buildLogprobs(event.logprobs))}`)
      case 'finish':
        choiceOf(event.choice).finish = event.reason
        return ''
      case 'usage':
        usage = event.usage
        return ''
      case 'error':
        // Bare, as the provider itself sends it: SDKs look for it there, and take an event with an error in it for an empty answer.
        return JSON.stringify(buildError(event.error, statusOf(event.error.kind)))
      case 'done':
        return end()
      case 'ping':
        return ''
    }
  }
  return { push: build }
}

function buildCall({ id, name, json, ...seal }: Call): string {
  // As it was written, where that is an object on one line: nothing is lost of long numbers.
  const args =
    /[\r\n]/.test(json) || !json.startsWith('{') || !parseObject(json) ? JSON.stringify(argumentsOf(json)) : json
  return `{"functionCall":{"id":${JSON.stringify(id)},"name":${JSON.stringify(name)},"args":${args}}${sealOf(seal)}}`
}

function sealOf(seal: Seal): string {
  const written = writeSeal(seal)
  return written === null ? '' : `,"thoughtSignature":${JSON.stringify(written)}`
}
