import { readUsage, usageOf } from '../../usage/read-usage.ts'
import { type Json, type StreamParser, UnreadableAnswer } from '../dialect.ts'
import type { HubCitation, HubEvent } from '../hub.ts'
import { parseError } from '../openai-error.ts'
import { record, records, text } from '../read.ts'
import { type CallSeal, sealerOf } from './extensions.ts'
import { isFailure, parseFinish } from './finish.ts'
import { parseLogprobs } from './logprobs.ts'
import { parseAudio, parseImages } from './media.ts'
import { argumentsOf, parseCitation, readSources } from './parse-answer.ts'
import { saidIn, thoughtIn } from './parse-messages.ts'

type Call = { number: number; id: string }
type Choice = {
  index: number
  calls: Call[]
  byIndex: Map<number, Call>
  /** Of calls that are still to come, or of thoughts. */
  seals: Map<string, CallSeal>
  refused: boolean
  cited: boolean
  ended: boolean
}

/** No answer has so many: memory stays bounded, whatever comes. */
const MAX_CHOICES = 128
const MAX_CALLS = 1_000

/** Source: wire facts 4.2, with the ways of those who copy the format. */
export function createStreamParser(): StreamParser {
  let id = ''
  let begun = false
  let over = false
  let sources: HubCitation[] = []
  const choices = new Map<number, Choice>()

  const choiceOf = (index: number): Choice => {
    let choice = choices.get(index)
    if (choice) return choice
    if (choices.size >= MAX_CHOICES) throw new UnreadableAnswer('The stream has too many choices.')
    choice = {
      index,
      calls: [],
      byIndex: new Map(),
      seals: new Map(),
      refused: false,
      cited: false,
      ended: false,
    }
    choices.set(index, choice)
    return choice
  }

  const begin = (chunk: Json, events: HubEvent[]) => {
    const model = text(chunk.model)
    // The first chunk of some (Azure) tells of filters alone.
    if (model === '' && records(chunk.choices).length === 0) return
    begun = true
    id = text(chunk.id)
    events.push({ type: 'start', id, model, created: typeof chunk.created === 'number' ? chunk.created : null })
  }

  const readCall = (call: Json, choice: Choice, events: HubEvent[]) => {
    const called = record(call.function)
    const name = text(called.name)
    const known = findCall(call, name, choice) ?? openCall(call, name, choice, events)
    const json = argumentsOf(called.arguments)
    if (json !== '') events.push({ type: 'arguments', choice: choice.index, call: known.number, json })
  }

  const openCall = (call: Json, name: string, choice: Choice, events: HubEvent[]): Call => {
    const { calls, byIndex, index, seals } = choice
    if (calls.length >= MAX_CALLS) throw new UnreadableAnswer('The stream has too many tool calls.')
    const number = calls.length
    const own = text(call.id) || `call_${id}_${index}_${number}`
    const opened = { number, id: text(call.id) }
    calls.push(opened)
    if (typeof call.index === 'number') byIndex.set(call.index, opened)
    events.push({ type: 'tool_call', choice: index, call: number, id: own, name, ...seals.get(own) })
    seals.delete(own)
    return opened
  }

  const readDelta = (delta: Json, choice: Choice, events: HubEvent[]) => {
    const { index } = choice
    readThoughts(delta, choice, events)
    const said = typeof delta.content === 'string' ? delta.content : delta.content ? saidIn(delta.content) : ''
    if (said !== '') events.push({ type: 'text', choice: index, text: said })
    if (typeof delta.refusal === 'string' && delta.refusal !== '') {
      choice.refused = true
      events.push({ type: 'refusal', choice: index, text: delta.refusal })
    }
    if (delta.audio) readAudio(delta.audio, index, events)
    if (delta.images)
      for (const media of parseImages(delta.images)) events.push({ type: 'media', choice: index, media })
    if (delta.annotations)
      for (const annotation of records(delta.annotations))
        for (const citation of parseCitation(annotation)) {
          choice.cited = true
          events.push({ type: 'citation', choice: index, citation })
        }
    if (delta.tool_calls) for (const call of records(delta.tool_calls)) readCall(call, choice, events)
  }

  const readChoice = (raw: Json, events: HubEvent[]) => {
    const choice = choiceOf(typeof raw.index === 'number' ? raw.index : 0)
    if (raw.delta) readDelta(record(raw.delta), choice, events)
    const logprobs = raw.logprobs ? parseLogprobs(raw.logprobs) : null
    if (logprobs) events.push({ type: 'logprobs', choice: choice.index, logprobs })
    const { finish_reason } = raw
    if (raw.error != null || isFailure(finish_reason)) fail(raw, events)
    // Some say '' where there is no reason yet.
    else if (typeof finish_reason === 'string' && finish_reason !== '' && !choice.ended)
      finish(choice, finish_reason, events)
  }

  const finish = (choice: Choice, reason: string, events: HubEvent[]) => {
    const { index, seals, calls, refused, cited } = choice
    choice.ended = true
    for (const { signature, ...seal } of seals.values())
      events.push({ type: 'redacted', choice: index, data: signature, ...seal })
    seals.clear()
    if (!cited) for (const citation of sources) events.push({ type: 'citation', choice: index, citation })
    events.push({
      type: 'finish',
      choice: index,
      reason: parseFinish(reason, { calls: calls.length > 0, refusal: refused }),
    })
  }

  /** An end that follows would hide it. */
  const fail = (body: Json, events: HubEvent[]) => {
    over = true
    events.push({ type: 'error', error: parseError(500, body) })
  }

  const end = (): HubEvent[] => {
    over = true
    return [{ type: 'done' }]
  }

  return {
    push(data, name) {
      if (over) return []
      if (data === '[DONE]') {
        if (!begun) throw new UnreadableAnswer('The stream ended before it began.')
        return end()
      }
      const events: HubEvent[] = []
      const isError = data.error != null || data.object === 'error' || (name === 'error' && data.choices === undefined)
      if (!begun && !isError) begin(data, events)
      if (data.citations || data.search_results) sources = readSources(data)
      if (data.choices) for (const choice of records(data.choices)) readChoice(choice, events)
      const usage = data.usage || data.x_groq ? readUsage(usageOf(data)) : null
      if (usage) events.push({ type: 'usage', usage })
      if (isError && !over) fail(data, events)
      return events
    },
    end() {
      // Not everyone says [DONE]; where every choice has its reason nothing is missing.
      if (over || choices.size === 0 || [...choices.values()].some(({ ended }) => !ended)) return []
      return end()
    },
  }
}

/** The call that a piece belongs to, if it is open. By `index`; where that is missing by id, or the last. */
function findCall({ index, id: raw }: Json, name: string, { calls, byIndex }: Choice): Call | undefined {
  const id = text(raw)
  if (typeof index === 'number') {
    const known = byIndex.get(index)
    // Some (Ollama) give all calls the same one: a new id with a name is a new call.
    return known && name !== '' && id !== '' && known.id !== '' && id !== known.id ? undefined : known
  }
  if (id !== '') return calls.find((call) => call.id === id)
  return name === '' ? calls.at(-1) : undefined
}

function readAudio(audio: unknown, choice: number, events: HubEvent[]): void {
  const { said, media } = parseAudio(audio, true)
  if (said !== '') events.push({ type: 'text', choice, text: said })
  if (media) events.push({ type: 'media', choice, media })
}

function readThoughts(delta: Json, { index, seals }: Choice, events: HubEvent[]): void {
  const details = delta.reasoning_details ? records(delta.reasoning_details) : []
  const isDetailed = details.some((detail) => fragmentOf(detail) !== '')
  const thought = isDetailed ? '' : text(delta.reasoning_content) || text(delta.reasoning) || thoughtIn(delta.content)
  if (thought !== '') events.push({ type: 'reasoning', choice: index, text: thought })
  for (const detail of details) {
    const fragment = fragmentOf(detail)
    if (fragment !== '') events.push({ type: 'reasoning', choice: index, text: fragment })
    if (typeof detail.signature === 'string')
      events.push({ type: 'signature', choice: index, signature: detail.signature, ...sealerOf(detail) })
    if (detail.type !== 'reasoning.encrypted' || typeof detail.data !== 'string') continue
    const seal = { signature: detail.data, ...sealerOf(detail) }
    if (typeof detail.id !== 'string') {
      const { signature: data, ...sealer } = seal
      events.push({ type: 'redacted', choice: index, data, ...sealer })
    } else if (seals.size < MAX_CALLS) seals.set(detail.id, seal)
    else throw new UnreadableAnswer('The stream has too many seals.')
  }
}

const fragmentOf = (detail: Json): string => text(detail.text) || text(detail.summary)
