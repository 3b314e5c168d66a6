import { describe, expect, it } from '@jest/globals'
import { anthropicMessages } from '../../../src/formats/anthropic-messages/index.ts'
import type { HubEvent } from '../../../src/formats/hub.ts'
import { openaiChat } from '../../../src/formats/openai-chat/index.ts'
import { openaiResponses } from '../../../src/formats/openai-responses/index.ts'
import { record } from '../../../src/formats/read.ts'
import { fixturesFolder, NO_FIXTURES, recordedPayloads } from '../../helpers/fixtures.ts'
import { readLines, readSse, tell, understand } from './streams.ts'

const PROVIDERS = ['anthropic', 'deepseek', 'groq', 'mistral', 'openai-compatible', 'perplexity', 'xai']

const streams = PROVIDERS.flatMap(recordedPayloads)
  // Two answers in one stream are none.
  .filter(({ kind, name }) => kind === 'chunks' && !name.includes('spliced-message-start'))
  .map(({ name, bytes }) => ({ name, chunks: readLines(bytes.toString()) }))
  .flatMap(({ name, chunks }) => {
    const dialect = chunks.some(({ type }) => type === 'message_start') ? anthropicMessages : openaiChat
    const hub = understand(
      chunks.map((data) => ({ name: null, data })),
      dialect,
    )
    return hub.length === 0 ? [] : [{ name, hub }]
  })

const joined = (events: HubEvent[], type: 'text' | 'reasoning') =>
  events.flatMap((event) => (event.type === type && event.choice === 0 ? event.text : [])).join('')
const callsOf = (events: HubEvent[]) =>
  events.flatMap((event) => (event.type === 'tool_call' ? [[event.id, event.name]] : []))
const argumentsOf = (events: HubEvent[]) =>
  callsOf(events).map((_, call) =>
    events.flatMap((event) => (event.type === 'arguments' && event.call === call ? event.json : [])).join(''),
  )
const sealsOf = (events: HubEvent[]) => events.flatMap((event) => (event.type === 'signature' ? event.signature : []))

const describeRecorded = fixturesFolder === null ? describe.skip : describe

describeRecorded(`recorded streams of others${fixturesFolder === null ? ` (${NO_FIXTURES})` : ''}`, () => {
  it('are many', () => {
    expect(streams.length).toBeGreaterThan(10)
  })

  for (const { name, hub } of streams)
    it(`${name} says the same to a client of the Responses API, piece by piece and as a whole`, () => {
      const told = readSse(tell(hub))
      const heard = understand(told)
      const last = told.at(-1)!.data
      expect(heard.at(-1)!.type).toBe(hub.at(-1)!.type)
      expect(joined(heard, 'text')).toBe(joined(hub, 'text'))
      expect(joined(heard, 'reasoning')).toBe(joined(hub, 'reasoning'))
      expect(callsOf(heard)).toEqual(callsOf(hub))
      expect(argumentsOf(heard)).toEqual(argumentsOf(hub).map((json) => json || '{}'))
      expect(sealsOf(heard)).toEqual(sealsOf(hub))
      if (hub.at(-1)!.type !== 'done') return
      const { parts } = openaiResponses.parseAnswer(record(last.response)).candidates[0]!
      expect(parts.flatMap((part) => (part.type === 'text' ? part.text : [])).join('')).toBe(joined(hub, 'text'))
      expect(parts.flatMap((part) => (part.type === 'tool_call' ? part.arguments : []))).toEqual(argumentsOf(heard))
    })
})
