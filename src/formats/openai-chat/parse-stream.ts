import { readUsage, usageOf } from '../../usage/read-usage.ts'
import type { Json, StreamParser } from '../dialect.ts'
import type { HubEvent } from '../hub.ts'
import { parseError } from '../openai-error.ts'
import { isRecord, record, records, text, textOrNull } from '../read.ts'
import { readReasoning } from './extensions.ts'
import { parseFinish } from './finish.ts'
import { parseLogprobs } from './logprobs.ts'
import { parseCitation } from './parse-answer.ts'

type Choice = {
  /** By `index`, or by id where there is no index: the number of the call. */
  calls: Map<unknown, number>
  ended: boolean
}

/** Source: wire facts 4.2, with the ways of those who copy the format. */
export function createStreamParser(): StreamParser {
  let id = ''
  let begun = false
  let done = false
  const choices = new Map<number, Choice>()

  const choiceOf = (index: number): Choice => {
    let choice = choices.get(index)
    if (!choice) {
      choice = { calls: new Map(), ended: false }
      choices.set(index, choice)
    }
    return choice
  }

  const begin = (chunk: Json, events: HubEvent[]) => {
    const model = text(chunk.model)
    // The first chunk of some (Azure) tells of filters alone.
    if (begun || (model === '' && records(chunk.choices).length === 0)) return
    begun = true
    id = text(chunk.id)
    events.push({ type: 'start', id, model, created: typeof chunk.created === 'number' ? chunk.created : null })
  }

  const readCall = (call: Json, choice: number, { calls }: Choice, seals: Map<string, string>, events: HubEvent[]) => {
    const called = record(call.function)
    const key = typeof call.index === 'number' ? call.index : (textOrNull(call.id) ?? calls.size - 1)
    let number = calls.get(key)
    if (number === undefined) {
      number = calls.size
      calls.set(key, number)
      const own = text(call.id) || `call_${id}_${number}`
      const signature = seals.get(own)
      const seal = signature === undefined ? {} : { signature }
      events.push({ type: 'tool_call', choice, call: number, id: own, name: text(called.name), ...seal })
    }
    const json =
      typeof called.arguments === 'string'
        ? called.arguments
        : isRecord(called.arguments)
          ? JSON.stringify(called.arguments)
          : ''
    if (json !== '') events.push({ type: 'arguments', choice, call: number, json })
  }

  const readDelta = (delta: Json, index: number, choice: Choice, events: HubEvent[]) => {
    const { parts, seals } = readReasoning(delta)
    for (const part of parts) {
      if (part.redacted !== undefined) events.push({ type: 'redacted', choice: index, data: part.redacted })
      else if (part.text !== '') events.push({ type: 'reasoning', choice: index, text: part.text })
      if (part.signature !== undefined) events.push({ type: 'signature', choice: index, signature: part.signature })
    }
    const said =
      typeof delta.content === 'string'
        ? delta.content
        : records(delta.content)
            .map((part) => text(part.text))
            .join('')
    if (said !== '') events.push({ type: 'text', choice: index, text: said })
    if (typeof delta.refusal === 'string' && delta.refusal !== '')
      events.push({ type: 'refusal', choice: index, text: delta.refusal })
    for (const annotation of records(delta.annotations))
      for (const citation of parseCitation(annotation)) events.push({ type: 'citation', choice: index, citation })
    if (delta.tool_calls) for (const call of records(delta.tool_calls)) readCall(call, index, choice, seals, events)
  }

  const readChoice = (raw: Json, events: HubEvent[]) => {
    const index = typeof raw.index === 'number' ? raw.index : 0
    const choice = choiceOf(index)
    readDelta(record(raw.delta), index, choice, events)
    const logprobs = raw.logprobs ? parseLogprobs(raw.logprobs) : null
    if (logprobs) events.push({ type: 'logprobs', choice: index, logprobs })
    if (typeof raw.finish_reason !== 'string' || choice.ended) return
    choice.ended = true
    const reason = parseFinish(raw.finish_reason)
    events.push({
      type: 'finish',
      choice: index,
      reason: reason === 'stop' && choice.calls.size > 0 ? 'tool_calls' : reason,
    })
  }

  return {
    push(data) {
      if (data === '[DONE]') {
        if (done) return []
        done = true
        return [{ type: 'done' }]
      }
      const events: HubEvent[] = []
      begin(data, events)
      for (const choice of records(data.choices)) readChoice(choice, events)
      const usage = readUsage(usageOf(data))
      if (usage) events.push({ type: 'usage', usage })
      if (data.error != null) events.push({ type: 'error', error: parseError(500, data) })
      return events
    },
    end() {
      // Not everyone says [DONE]; where every choice has its reason nothing is missing.
      if (done || choices.size === 0 || [...choices.values()].some(({ ended }) => !ended)) return []
      done = true
      return [{ type: 'done' }]
    },
  }
}
