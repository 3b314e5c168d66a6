import { describe, expect, it } from '@jest/globals'
import { GatewayError } from '../../../src/errors.ts'
import { anthropicMessages } from '../../../src/formats/anthropic-messages/index.ts'
import type { Dialect, Json } from '../../../src/formats/dialect.ts'
import { openaiChat } from '../../../src/formats/openai-chat/index.ts'
import { openaiResponses } from '../../../src/formats/openai-responses/index.ts'
import { record, records } from '../../../src/formats/read.ts'
import { translateRequest } from '../../../src/formats/translate-request.ts'
import { fixturesFolder, NO_FIXTURES } from '../../helpers/fixtures.ts'
import {
  callIdsIn,
  contentOf,
  contentOfInput,
  contentOfItem,
  countMessages,
  hasBuiltInItems,
  hasBuiltIns,
  isForeign,
  meaningOf,
  messagesIn,
  withPairs,
} from './meaning.ts'
import {
  factsFor,
  readSse,
  recordedAnswers,
  recordedResponses,
  recordedStreams,
  type SseEvent,
  tell,
  typesOf,
  understand,
} from './streams.ts'

const describeRecorded = fixturesFolder === null ? describe.skip : describe
const suffix = fixturesFolder === null ? ` (${NO_FIXTURES})` : ''

const nowhere = { model: null, stream: null }
const requests = recordedResponses().map(({ name, requestBody }) => ({
  name,
  body: JSON.parse(requestBody.toString()) as Json,
}))

describeRecorded(`recorded requests${suffix}`, () => {
  const refused = requests.filter(({ body }) => body.previous_response_id != null || hasBuiltIns(body))
  const taken = requests.filter((one) => !refused.includes(one))

  it('are many', () => {
    expect(taken.length).toBeGreaterThan(60)
  })

  for (const { name, body } of taken)
    it(`${name} is understood with nothing lost`, () => {
      const request = openaiResponses.parseRequest(body, nowhere)
      expect(request.unknown).toEqual([])
      expect(contentOf(request.messages.flatMap(({ parts }) => parts))).toEqual(contentOfInput(body))
    })

  for (const { name, body } of taken)
    it(`${name} says the same to a chat model and to Claude`, () => {
      for (const to of [openaiChat, anthropicMessages]) {
        const { body: built, dropped } = translateTo(to, body)
        expect(dropped).toEqual(to === anthropicMessages ? lostAtClaude(body) : lostAtChat(body))
        // What is thought at one provider is of no use at another but for its seal.
        const read = to.parseRequest(built, nowhere).messages.flatMap(({ parts }) => parts)
        expect(withPairs(contentOf(read))).toEqual(expect.arrayContaining(withPairs(contentOfInput(body))))
        expect(callIdsIn(contentOf(read)).every((id) => id.length <= 40 || to === anthropicMessages)).toBe(true)
      }
    })

  for (const { name, body } of refused)
    it(`${name} is refused, because it counts on what is kept or run elsewhere`, () => {
      expect(() => openaiResponses.parseRequest(body, nowhere)).toThrow(GatewayError)
    })
})

describeRecorded(`recorded answers${suffix}`, () => {
  const answers = recordedAnswers()

  for (const { name, body } of answers)
    it(`${name} is understood, text, calls, thoughts and usage`, () => {
      const answer = openaiResponses.parseAnswer(body)
      const { parts } = answer.candidates[0]!
      const output = records(body.output)
      expect(contentOf(parts)).toEqual(output.flatMap(contentOfItem))
      const seals = output.flatMap(({ encrypted_content }) => encrypted_content ?? [])
      expect(parts.flatMap((part) => (part.type === 'reasoning' ? part.signature : []))).toEqual(seals)
      const { input_tokens, output_tokens } = record(body.usage)
      expect(answer.usage).toMatchObject({ inputTokens: input_tokens, outputTokens: output_tokens })
    })

  for (const { name, body } of answers.filter(({ body }) => !hasBuiltInItems(body) && countMessages(body) < 2))
    it(`${name} is written again as it was`, () => {
      const request = openaiResponses.parseRequest({ model: 'm', input: 'Hi' }, nowhere)
      const answer = openaiResponses.parseAnswer(body)
      const built = openaiResponses.buildAnswer(answer, factsFor(request))
      expect(built).toMatchObject({
        id: String(body.id).startsWith('resp_') ? body.id : `resp_${body.id}`,
        object: 'response',
        created_at: body.created_at,
        status: body.status,
        model: body.model,
      })
      expect(meaningOf(records(built.output))).toEqual(meaningOf(records(body.output)))
      const { total_tokens, output_tokens_details } = record(body.usage)
      expect(built.usage).toMatchObject({ total_tokens, output_tokens_details: record(output_tokens_details) })
      // Every field that the API has always had, and its SDKs have types for.
      expect(Object.keys(built)).toEqual(expect.arrayContaining(LASTING_FIELDS))
    })
})

describeRecorded(`recorded streams${suffix}`, () => {
  const all = recordedStreams()
  const streams = all.filter(({ events }) => !events.some(isForeign) && messagesIn(events) < 2)

  it('are many', () => {
    expect(streams.length).toBeGreaterThan(20)
  })

  for (const { name, events } of streams)
    it(`${name} is told again in the same events, in the same order`, () => {
      const built = readSse(tell(understand(events)))
      expect(typesOf(built)).toEqual(typesOf(events))
      expect(built.map(({ data }) => data.sequence_number)).toEqual(built.map((_, index) => index))
      expect(built.every(({ name, data }) => name === data.type)).toBe(true)
      for (const [index, { data }] of built.entries()) expectSameEvent(data, events[index]!.data)
    })

  for (const { name, events } of all)
    it(`${name} tells as much to a chat client, and ends as it did`, () => {
      const hub = understand(events)
      const whole = record(events.at(-1)!.data.response)
      const said = records(whole.output).flatMap(contentOfItem)
      if (whole.status === 'failed') return expect(hub.at(-1)).toMatchObject({ type: 'error' })
      expect(hub.at(-1)).toEqual({ type: 'done' })
      const chat = understand(readSse(tell(hub, factsFor(), openaiChat)), openaiChat)
      const text = chat.flatMap((event) => (event.type === 'text' ? event.text : [])).join('')
      const json = chat.flatMap((event) => (event.type === 'arguments' ? event.json : [])).join('')
      const calls = chat.flatMap((event) => (event.type === 'tool_call' ? event.id : []))
      // Some recordings leave pieces out that the whole answer has.
      expect(text).toBe(piecesOf(events, 'response.output_text.delta'))
      expect(json).toBe(said.flatMap(([kind, , , what]) => (kind === 'tool_call' ? what! : [])).join(''))
      expect(calls).toEqual(said.flatMap(([kind, what]) => (kind === 'tool_call' ? what! : [])))
    })
})

/** All that the recorded event has, but for what is random, or made up by each side for itself. */
function expectSameEvent(data: Json, { obfuscation, item_id, response, item, ...recorded }: Json): void {
  expect(data).toMatchObject(recorded)
  if (response) expect(record(data.response).status).toBe(record(response).status)
  if (item_id) expect(data.item_id).toEqual(expect.any(String))
  if (item) expect(record(data.item).type).toBe(record(item).type)
  // A seal grows while the thought does, and holds at its end.
  if (data.type === 'response.output_item.done')
    expect(meaningOf([record(data.item)])).toEqual(meaningOf([record(item)]))
}

const LASTING_FIELDS = (
  'id object created_at status background error incomplete_details instructions max_output_tokens max_tool_calls model output ' +
  'parallel_tool_calls previous_response_id prompt_cache_key reasoning safety_identifier service_tier store temperature text ' +
  'tool_choice tools top_logprobs top_p truncation usage user metadata'
).split(' ')

/** It does not reason, and keeps to schemas that are closed. */
const lostAtChat = ({ reasoning }: Json) =>
  [undefined, null, 'none'].includes(record(reasoning).effort as string) ? [] : ['reasoning']

/** It keeps to no JSON without a schema by itself, and takes one of the two samplings. */
const lostAtClaude = ({ text, temperature, top_p }: Json) => [
  ...(record(record(text).format).type === 'json_object' ? ['text.format'] : []),
  ...(temperature !== undefined && top_p !== undefined ? ['top_p'] : []),
]

const piecesOf = (events: SseEvent[], type: string) =>
  events.flatMap(({ data }) => (data.type === type ? String(data.delta) : [])).join('')

function translateTo(to: Dialect, body: Json) {
  const target = { model: to === openaiChat ? 'gpt-4o' : 'claude-sonnet-4-6', streamUsage: true }
  return translateRequest({ from: openaiResponses, to }, body, nowhere, target)
}
