import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { Dialect, Json } from '../../../src/formats/dialect.ts'
import { DIALECTS } from '../../../src/formats/dialects.ts'
import { gemini } from '../../../src/formats/gemini/index.ts'
import type { HubEvent, HubMessage } from '../../../src/formats/hub.ts'
import { factsOf } from '../../../src/formats/model-facts.ts'
import { endOfEvent, jsonOf } from '../../../src/formats/sse.ts'
import { translateRequest } from '../../../src/formats/translate-request.ts'
import { fixturesFolder, NO_FIXTURES } from '../../helpers/fixtures.ts'
import { cutAt, cuts } from '../cuts.ts'
import { loseNothing } from '../samples.ts'
import { aRequest, eventsOf, projectAnswer, projectEvents, readSse } from './project.ts'
import { recordedAnswers, recordedErrors, recordedRequests, recordedStreams } from './recorded.ts'

const openai = DIALECTS['openai-chat']!
const anthropic = DIALECTS['anthropic-messages']!
const CLIENTS: Dialect[] = [openai, anthropic, gemini]
const facts = {
  model: 'asked',
  now: 1_790_000_000,
  lose: loseNothing,
  request: aRequest({ streamUsage: true, reasoning: { effort: null, budgetTokens: null, shown: true } }),
}

const isCached = ({ request }: { request: object }) => 'cachedContent' in request

if (fixturesFolder === null) it.skip(`reads and translates what was recorded of Gemini (${NO_FIXTURES})`, () => {})
else describeRecordings()

function describeRecordings() {
  it('is all there: answers, streams, requests and errors', () => {
    expect(recordedAnswers.length).toBeGreaterThanOrEqual(30)
    expect(recordedStreams.length).toBeGreaterThanOrEqual(12)
    expect(recordedRequests.length).toBeGreaterThanOrEqual(30)
    expect(recordedErrors.length).toBeGreaterThanOrEqual(6)
  })

  describe.each(recordedAnswers)('the answer $name', ({ answer, model }) => {
    const hub = gemini.parseAnswer(answer)
    const meant = projectAnswer(hub)

    it('is read whole', () => {
      const [candidate] = answer.candidates as { content: { parts: Record<string, unknown>[] } }[]
      const parts = candidate!.content.parts
      const texts = parts.filter(({ text, thought }) => text !== undefined && thought !== true)
      expect(meant.text).toBe(texts.map(({ text }) => text).join(''))
      expect(meant.calls).toEqual(
        parts.flatMap(({ functionCall }) => {
          const call = functionCall as { name: string; args?: object } | undefined
          return call ? [{ name: call.name, arguments: call.args ?? {} }] : []
        }),
      )
      expect(meant.finish).toBe(meant.calls.length > 0 ? 'tool_calls' : 'stop')
      expect(hub.model).toBe(model)
      const { totalTokenCount } = answer.usageMetadata as { totalTokenCount: number }
      expect(meant.usage!.inputTokens + meant.usage!.outputTokens).toBe(totalTokenCount)
    })

    it.each(CLIENTS)('means the same to a client of $name', (client) => {
      const { thought, ...rest } = projectAnswer(client.parseAnswer(client.buildAnswer(hub, facts)))
      expect({ ...rest, thought }).toEqual(meant)
    })
  })

  describe.each(recordedStreams)('the stream $name', ({ chunks }) => {
    const events = eventsOf(gemini, chunks)
    const meant = projectEvents(events)

    it('is read whole, and comes to its end', () => {
      expect(events[0]!.type).toBe('start')
      expect(events.at(-1)).toEqual({ type: 'done' })
      expect(events.filter(({ type }) => type === 'finish')).toHaveLength(1)
      expect(events.some(({ type }) => type === 'error')).toBe(false)
      expect(meant.text + meant.thought + JSON.stringify(meant.calls)).not.toBe('[]')
    })

    it('is not at its end before its last event', () => {
      const parser = gemini.createStreamParser()
      for (const chunk of chunks.slice(0, -1)) parser.push(chunk, null)
      expect(parser.end()).toEqual([])
    })

    it.each(CLIENTS)('means the same to a client of $name', (client) => {
      const builder = client.createStreamBuilder(facts)
      const { names, chunks: sent } = readSse(events.map((event) => builder.push(event)).join(''))
      const told = eventsOf(client, sent, names)
      expect(told.at(-1)).toEqual({ type: 'done' })
      expect(projectEvents(told)).toEqual(meant)
    })
  })

  describe.each(recordedRequests.filter((one) => !isCached(one)))('the request $name', ({ request, model }) => {
    const place = { model, stream: false }
    const hub = gemini.parseRequest(request, place)

    it('is read: every content, every part that others have', () => {
      const contents = request.contents as { parts: object[] }[]
      const parts = contents.flatMap((content) => content.parts)
      const unknown = parts.filter((part) => 'executableCode' in part || 'codeExecutionResult' in part)
      const read = hub.messages
        .flatMap((message) => message.parts)
        .filter((part) => !(part.type === 'reasoning' && part.text === ''))
      const instructions = request.systemInstruction ? 1 : 0
      expect(read).toHaveLength(parts.length - unknown.length + instructions)
      expect(hub.unknown.length > 0).toBe(
        unknown.length > 0 || /code_execution|google_search/.test(JSON.stringify(request)),
      )
    })

    it.each([
      [openai, 'gpt-4o'],
      [anthropic, 'claude-sonnet-4-5'],
    ] as const)('translates: each result finds its call', (to, target) => {
      const { body } = translateRequest({ from: gemini, to }, request, place, { model: target, streamUsage: false })
      const again = to.parseRequest({ max_tokens: 1, ...body }, { model: null, stream: null })
      const parts = again.messages.flatMap((message) => message.parts)
      const calls = parts.flatMap((part) => (part.type === 'tool_call' ? [part.id] : []))
      const results = parts.flatMap((part) => (part.type === 'tool_result' ? [part.id] : []))
      expect(new Set(calls).size).toBe(calls.length)
      expect(results).toEqual(calls)
      expect(calls).toHaveLength(JSON.stringify(request).split('"functionCall":').length - 1)
    })

    it('comes out as it went in, but for what the hub has no place for', () => {
      const again = gemini.parseRequest(
        gemini.buildRequest(hub, factsOf(model), () => {}),
        place,
      )
      const said = (messages: HubMessage[]) =>
        messages.map(({ role, parts }) => ({ role, parts: parts.filter(({ type }) => type !== 'reasoning') }))
      // Seals of texts stand on the text, wherever the client kept them.
      const seals = (messages: HubMessage[]) =>
        messages.flatMap(({ parts }) =>
          parts.flatMap((part) => (part.type === 'reasoning' ? (part.signature ?? []) : [])),
        )
      expect(said(again.messages)).toEqual(said(hub.messages))
      expect(seals(again.messages)).toEqual(seals(hub.messages))
    })
  })

  it('a request for what another provider keeps is refused, not answered without it', () => {
    const cached = recordedRequests.filter(isCached)
    expect(cached.length).toBeGreaterThan(0)
    for (const { request, model } of cached)
      expect(() => gemini.parseRequest(request, { model, stream: false })).toThrow('`cachedContent` is kept by another')
  })

  it.each(recordedErrors)('the error $name has a kind of its own', ({ status, body }) => {
    const error = gemini.parseError(status, body)
    expect(error.message).toBe((body.error as { message: string }).message)
    expect(error.code).toBe((body.error as { status: string }).status)
    const kinds: Record<string, string> = {
      'API key not valid. Please pass a valid API key.': 'authentication',
      'The input token count (1250074) exceeds the maximum number of tokens allowed (1048576).': 'context_length',
    }
    const usual = { 400: 'invalid_request', 404: 'not_found', 429: 'rate_limit' } as Record<number, string>
    expect(error.kind).toBe(kinds[error.message] ?? usual[status])
    expect(error.retryAfterMs !== null).toBe(status === 429)
  })

  it('is the same however its bytes were cut', () => {
    const streams = recordedStreams.map(({ chunks }) => ({
      bytes: Buffer.from(chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\r\n\r\n`).join('')),
      events: eventsOf(gemini, chunks),
    }))
    fc.assert(
      fc.property(fc.constantFrom(...streams), cuts, ({ bytes, events }, places) => {
        const parser = gemini.createStreamParser()
        const read: HubEvent[] = []
        let waiting: Buffer = Buffer.alloc(0)
        for (const piece of cutAt(bytes, places)) {
          waiting = Buffer.concat([waiting, piece])
          for (let end = endOfEvent(waiting, 0); end !== -1; end = endOfEvent(waiting, 0)) {
            read.push(...parser.push(jsonOf(waiting.subarray(0, end))!, null))
            waiting = waiting.subarray(end)
          }
        }
        expect([...read, ...parser.end()]).toEqual(events)
      }),
      { numRuns: 60 },
    )
  })

  it('is the same whether its parts come in one event or in many', () => {
    const others = (events: HubEvent[]) => events.filter(({ type }) => type !== 'usage')
    for (const { chunks } of recordedStreams) {
      const single = chunks.flatMap((chunk) => {
        const [candidate] = chunk.candidates as [Json & { content: { parts: Json[] } }]
        const { finishReason, ...rest } = candidate
        const parts = candidate.content.parts.map((part) => ({ ...rest, content: { parts: [part] } }))
        return [...parts, { ...rest, content: {}, finishReason }].map((one) => ({ ...chunk, candidates: [one] }))
      })
      expect(others(eventsOf(gemini, single))).toEqual(others(eventsOf(gemini, chunks)))
    }
  })
}
