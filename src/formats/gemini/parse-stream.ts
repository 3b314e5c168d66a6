import { readUsage } from '../../usage/read-usage.ts'
import { addUsageMetadata } from '../../usage/usage-metadata.ts'
import type { Json, StreamParser } from '../dialect.ts'
import type { HubEvent } from '../hub.ts'
import { isRecord, record, records, text, withoutEmpty } from '../read.ts'
import { parseCitations } from './citations.ts'
import { parseError } from './error.ts'
import { parseFinish } from './finish.ts'
import { parseLogprobs } from './logprobs.ts'
import { answeredMedia } from './media.ts'
import { callId, createdAt, failure } from './parse-answer.ts'
import { addPartialArgument, createArguments } from './partial-arguments.ts'
import { readCallSeal, readSeal } from './seals.ts'

type Choice = {
  calls: number
  /** The call whose arguments are still coming, piece by piece. */
  open: { call: number; args: Json } | null
  /** Its text, in whose bytes citations are counted; null when it is too long to keep. */
  said: string | null
  /** What was told of its sources last. */
  sources: Json | null
  ended: boolean
}

const MAX_SAID = 32_768

/** Every event is a whole answer of its own, with what is new in it. Source: wire facts 4.4. */
export function createStreamParser(): StreamParser {
  let id = ''
  let begun = false
  let failed = false
  let done = false
  let usage: Json = {}
  const choices = new Map<number, Choice>()

  const choiceOf = (index: number): Choice => {
    let choice = choices.get(index)
    if (!choice) {
      choice = { calls: 0, open: null, said: '', sources: null, ended: false }
      choices.set(index, choice)
    }
    return choice
  }

  const begin = (chunk: Json, events: HubEvent[]) => {
    if (begun || (chunk.candidates === undefined && chunk.responseId === undefined)) return
    begun = true
    id = text(chunk.responseId)
    events.push({ type: 'start', id, model: text(chunk.modelVersion), created: createdAt(chunk.createTime) })
  }

  const readShown = (part: Json, choice: number, state: Choice, events: HubEvent[]) => {
    const said = text(part.text)
    if (said !== '') {
      events.push({ type: part.thought === true ? 'reasoning' : 'text', choice, text: said })
      if (part.thought !== true && state.said !== null)
        state.said = state.said.length > MAX_SAID ? null : state.said + said
    }
    const media = answeredMedia(part)
    if (media) events.push({ type: 'media', choice, media })
    if (part.thoughtSignature === undefined) return
    const { signature, redacted, ...sealed } = readSeal(part.thoughtSignature)
    if (redacted !== undefined) events.push({ type: 'redacted', choice, data: redacted, ...sealed })
    if (signature !== undefined) events.push({ type: 'signature', choice, signature, ...sealed })
  }

  const closeCall = (choice: number, state: Choice, events: HubEvent[]) => {
    if (state.open === null) return
    const { call, args } = state.open
    state.open = null
    events.push({ type: 'arguments', choice, call, json: JSON.stringify(args) })
  }

  const readCall = (part: Json, choice: number, state: Choice, events: HubEvent[]) => {
    const { id: own, name, args, partialArgs, willContinue } = record(part.functionCall)
    if (typeof name === 'string' && name !== '') {
      closeCall(choice, state, events)
      const call = state.calls++
      const seal = readCallSeal(part.thoughtSignature)
      events.push({ type: 'tool_call', choice, call, id: text(own) || callId(id, choice, call), name, ...seal })
      state.open = { call, args: isRecord(args) ? args : createArguments() }
    }
    for (const partial of records(partialArgs)) if (state.open) addPartialArgument(state.open.args, partial)
    // A last piece without anything in it ends the call.
    if (willContinue !== true) closeCall(choice, state, events)
  }

  const readCandidate = (candidate: Json, events: HubEvent[]) => {
    const choice = typeof candidate.index === 'number' ? candidate.index : 0
    const state = choiceOf(choice)
    for (const part of records(record(candidate.content).parts)) {
      if (part.functionCall) readCall(part, choice, state, events)
      else readShown(part, choice, state, events)
    }
    const logprobs = candidate.logprobsResult === undefined ? null : parseLogprobs(candidate.logprobsResult)
    if (logprobs) events.push({ type: 'logprobs', choice, logprobs })
    const { groundingMetadata, citationMetadata } = candidate
    if (groundingMetadata !== undefined || citationMetadata !== undefined)
      state.sources = { ...state.sources, ...withoutEmpty({ groundingMetadata, citationMetadata }) }
    if (typeof candidate.finishReason === 'string' && !state.ended) endChoice(candidate, choice, state, events)
  }

  const endChoice = (candidate: Json, choice: number, state: Choice, events: HubEvent[]) => {
    state.ended = true
    closeCall(choice, state, events)
    if (state.sources !== null)
      for (const citation of parseCitations(state.sources, state.said))
        events.push({ type: 'citation', choice, citation })
    const reason = parseFinish(candidate.finishReason, state.calls > 0)
    if (reason !== null) events.push({ type: 'finish', choice, reason })
    else fail({ error: { status: 'INTERNAL', message: failure(candidate) } }, events)
  }

  const fail = (body: Json, events: HubEvent[]) => {
    failed = true
    events.push({ type: 'error', error: parseError(500, body) })
  }

  return {
    push(data) {
      if (data === '[DONE]') return []
      const events: HubEvent[] = []
      begin(data, events)
      for (const candidate of records(data.candidates)) readCandidate(candidate, events)
      if (typeof record(data.promptFeedback).blockReason === 'string' && choices.size === 0) {
        choiceOf(0).ended = true
        events.push({ type: 'finish', choice: 0, reason: 'content_filter' })
      }
      if (isRecord(data.usageMetadata)) {
        usage = addUsageMetadata(usage, data.usageMetadata)
        const read = readUsage(usage)
        if (read) events.push({ type: 'usage', usage: read })
      }
      if (data.error != null) fail(data, events)
      return events
    },
    end() {
      // The format ends by ending: nothing is missing where every candidate has its reason.
      if (done || failed || choices.size === 0 || [...choices.values()].some(({ ended }) => !ended)) return []
      done = true
      return [{ type: 'done' }]
    },
  }
}
