import { describe, expect, it } from '@jest/globals'
import type { Dialect, Json } from '../../src/formats/dialect.ts'
import { statusOf } from '../../src/formats/error-kind.ts'
import type { HubEvent, HubRequest } from '../../src/formats/hub.ts'
import { parseObject } from '../../src/formats/read.ts'
import { translateRequest } from '../../src/formats/translate-request.ts'
import { fixturesFolder, NO_FIXTURES } from '../helpers/fixtures.ts'
import { assembleChat, assembleMessage, dataOfStream } from './assemble.ts'
import { conversationOf, meaningOf } from './projection.ts'
import { answers, errors, type RecordedStream, requests, streams } from './recorded.ts'
import { loseNothing } from './samples.ts'

if (fixturesFolder === null) it.skip(`translates recorded traffic (${NO_FIXTURES})`, () => {})

/** Models of the other side that take whatever can be translated. */
const MODELS: Record<string, string> = { 'openai-chat': 'gpt-4.1', 'anthropic-messages': 'claude-sonnet-4-5' }
const PLACE = { model: null, stream: null }
/** What no model of another provider has: they are named as dropped, every one. */
const DROPPED = new Set([
  'web_search_options',
  'tools.web_search_20260318',
  'tools.code_execution_20260521',
  'messages.server_tool_use',
  'messages.web_search_tool_result',
  'messages.document.citations',
  'thinking',
  'reasoning_effort',
  'n',
  'seed',
  'input_audio',
  'audio',
])

const request = { tools: [], messages: [], streamUsage: true } as unknown as HubRequest
const facts = (model: string) => ({ model, now: 1_700_000_000, request, lose: loseNothing })

const assemble = (dialect: Dialect, events: string[]): Json => {
  const chunks = events.filter((data) => data !== '[DONE]').map((data) => JSON.parse(data) as Json)
  if (dialect.name === 'openai-chat') return assembleChat(chunks)
  // Some say the start twice.
  return assembleMessage(chunks.filter(({ type }, index) => type !== 'message_start' || index === 0))
}

function eventsOf({ dialect, events }: Pick<RecordedStream, 'dialect' | 'events'>): HubEvent[] {
  const parser = dialect.createStreamParser()
  return [
    ...events.flatMap((data) => parser.push(data === '[DONE]' ? data : (JSON.parse(data) as Json), null)),
    ...parser.end(),
  ]
}

function streamed(dialect: Dialect, events: HubEvent[]): string {
  const builder = dialect.createStreamBuilder(facts('asked'))
  return events.map((event) => builder.push(event)).join('')
}

if (fixturesFolder !== null) {
  it('finds traffic of every kind', () => {
    expect([requests, answers, streams, errors].map(({ length }) => length)).toEqual([81, 81, 53, 10])
  })

  describe('a recorded request', () => {
    it.each(requests)('keeps its conversation and its tools: $name', ({ dialect, other, body }) => {
      const {
        request: asked,
        body: built,
        dropped,
      } = translateRequest({ from: dialect, to: other }, body, PLACE, {
        model: MODELS[other.name]!,
        streamUsage: true,
      })
      const heard = other.parseRequest(built, PLACE)
      expect(conversationOf(heard)).toEqual(conversationOf(asked))
      expect(heard.stream).toBe(asked.stream)
      expect(heard.maxTokens).toBeLessThanOrEqual(asked.maxTokens ?? Infinity)
      expect(dropped.filter((name) => !DROPPED.has(name))).toEqual([])
    })
  })

  describe('a recorded answer', () => {
    it.each(answers)('keeps text, thoughts, calls, reason and usage: $name', ({ dialect, other, body }) => {
      const answer = dialect.parseAnswer(body)
      const heard = other.parseAnswer(other.buildAnswer(answer, facts(answer.model)))
      expect(meaningOf(heard)).toEqual(meaningOf(answer))
    })
  })

  describe('a recorded stream', () => {
    const whole = streams.filter(({ name }) => !name.includes('spliced'))

    it.each(whole)('means what its whole answer means: $name', ({ dialect, other, events }) => {
      const answer = dialect.parseAnswer(assemble(dialect, events))
      const translated = assemble(other, dataOfStream(streamed(other, eventsOf({ dialect, events }))))
      const heard = other.parseAnswer(translated)
      expect(meaningOf(heard)).toEqual(meaningOf(answer))
      expect(bare(translated)).toEqual(bare(other.buildAnswer(answer, facts(answer.model))))
    })

    it.each(whole)('has one start and one end: $name', ({ dialect, events }) => {
      const types = eventsOf({ dialect, events }).map(({ type }) => type)
      expect(types[0]).toBe('start')
      expect(types.at(-1)).toBe('done')
      expect(types.filter((type) => type === 'start' || type === 'done' || type === 'error')).toEqual(['start', 'done'])
    })

    it.each(whole)('that is cut never ends: $name', ({ dialect, events }) => {
      const isEnd = (data: string) => data === '[DONE]' || data.includes('"message_stop"')
      const last =
        dialect.name === 'openai-chat'
          ? events.findIndex((data) => /"finish_reason":\s*"/.test(data))
          : events.findIndex(isEnd)
      for (let length = 0; length < last; length++)
        expect(eventsOf({ dialect, events: events.slice(0, length) }).map(({ type }) => type)).not.toContain('done')
    })

    it('of two messages, one inside of the other, is no answer', () => {
      const [spliced] = streams.filter(({ name }) => name.includes('spliced'))
      expect(() => eventsOf(spliced!)).toThrow('A second message began')
    })
  })

  describe('a recorded error', () => {
    it.each(errors)('says the same in the other dialect: $name ($status)', ({ dialect, other, status, body }) => {
      const error = dialect.parseError(status, body)
      const heard = other.parseError(statusOf(error.kind), other.buildError(error, statusOf(error.kind)))
      expect(heard.kind).toBe(error.kind)
      expect(heard.message).toContain(error.message)
      expect(statusOf(error.kind)).toBe(status)
    })
  })
}

/** Without what streams and answers spell differently: nothing said, the time, blanks in JSON. */
function bare(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(bare)
  if (typeof value === 'string' && value.startsWith('{')) return parseObject(value) ?? value
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(
        ([name, one]) =>
          one !== null && one !== '' && !['created', 'service_tier', 'reasoning_details', 'index'].includes(name),
      )
      .map(([name, one]) => [name, bare(one)]),
  )
}
