import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { createStreamObserver } from '../../src/usage/stream-observer.ts'
import { cutAt, cuts } from '../formats/cuts.ts'
import { chatEvents } from '../helpers/upstream.ts'
import { shownAs, watch } from './watch.ts'

/** Ours at the provider; none of these streams quotes it. */
const KEY = 'key-of-ours'

const USAGE = { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 }
const chat = (hideUsage: boolean) => createStreamObserver({ secret: KEY, terminator: 'done', hideUsage })
const eols = fc.constantFrom('\n', '\r\n', '\r')
const withEol = (events: string[], eol: string) => events.join('').replaceAll('\n', eol)

/** What models write, with all that could be taken for something else. */
const word = fc.oneof(
  fc.constantFrom(
    'usage',
    ' usage',
    '"usage"',
    '"usage":null',
    ',"usage":null',
    '"usage":{"prompt_tokens":1}',
    '\n\n',
    'data: [DONE]\n\n',
    '\r',
    'é',
    '😀',
    '"error":{"message":"x"}',
    '"finish_reason":"stop"',
    'x'.repeat(500),
  ),
  fc.string({ maxLength: 8, unit: 'grapheme' }),
)
const words = fc.array(word, { maxLength: 12 })

describe('a stream passes', () => {
  it('byte for byte, however it is cut and whatever it is', () => {
    const stream = fc.oneof(
      fc.tuple(words, eols).map(([said, eol]) => withEol(chatEvents(said, USAGE), eol)),
      fc
        .array(
          fc.constantFrom(
            'data: ',
            '[DONE]',
            '\n',
            '\n\n',
            '\r\n\r\n',
            '\r',
            '{"usage":',
            'null}',
            'event: error',
            ': ping',
          ),
          { maxLength: 30 },
        )
        .map((parts) => parts.join('')),
    )
    const terminator = fc.constantFrom('done', 'response_event', 'none')
    fc.assert(
      fc.property(stream, terminator, cuts, (text, how, places) => {
        const observer = createStreamObserver({ secret: KEY, terminator: how as 'done', hideUsage: false })
        expect(watch(observer, cutAt(Buffer.from(text), places)).shown).toBe(shownAs(text))
      }),
      { numRuns: 400 },
    )
  })

  it('as if nobody had asked for usage, when the gateway did', () => {
    fc.assert(
      fc.property(words, eols, cuts, (said, eol, places) => {
        const observer = chat(true)
        const { shown } = watch(observer, cutAt(Buffer.from(withEol(chatEvents(said, USAGE), eol)), places))
        expect(shown).toBe(shownAs(withEol(chatEvents(said), eol)))
        expect(observer.result().usage).toMatchObject({ inputTokens: 9, outputTokens: 3, source: 'reported' })
      }),
      { numRuns: 400 },
    )
  })

  it.each([
    ['{"usage":null,"choices":[{"delta":{}}]}', '{"choices":[{"delta":{}}]}'],
    ['{"choices":[{"delta":{}}], "usage" : null}', '{"choices":[{"delta":{}}]}'],
    ['{"choices":[{"delta":{}}],"usage":null,"x":1}', '{"choices":[{"delta":{}}],"x":1}'],
    ['{"choices":[{"delta":{"content":"usage"}}],"usage":null}', '{"choices":[{"delta":{"content":"usage"}}]}'],
    [
      '{"choices":[{"delta":{"content":"a"}}],"usage":{"prompt_tokens":1,"completion_tokens":1}}',
      '{"choices":[{"delta":{"content":"a"}}],"usage":{"prompt_tokens":1,"completion_tokens":1}}',
    ],
    ['{"choices":[],"prompt_filter_results":[]}', '{"choices":[],"prompt_filter_results":[]}'],
    ['{"choices":[],"usage":null}', '{"choices":[]}'],
  ])('as %s without what was not asked for', (said, expected) => {
    expect(watch(chat(true), [Buffer.from(`data: ${said}\n\n`)]).shown).toBe(`data: ${expected}\n\n`)
  })

  it('with its comments and its blank lines', () => {
    const text = ': OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\n\n\n'
    for (const hide of [true, false]) expect(watch(chat(hide), [Buffer.from(text)]).shown).toBe(text)
  })

  it('in the turn that it came in, but for the event that ends it', () => {
    const events = chatEvents(['Hel', 'lo'], USAGE).map((event) => Buffer.from(event))
    const observer = chat(false)
    for (const event of events.slice(0, -1)) expect(observer.push(event)).toBe(event)
    expect(observer.push(events.at(-1)!)).toBeNull()
    expect([observer.finished(), observer.end()?.toString()]).toEqual([true, 'data: [DONE]\n\n'])
  })

  it('with the word of the end supplied, but not behind half an event, which it would make a whole one', () => {
    const said = chatEvents(['Hello']).slice(0, -1).join('')
    for (const [left, supplied] of [
      ['', 'data: [DONE]\n\n'],
      ['data: {"usage"', ''],
    ] as const)
      expect(watch(chat(false), [Buffer.from(said + left)]).shown).toBe(said + left + supplied)
  })

  it('with its last byte held back until it is settled, wherever it is cut', () => {
    fc.assert(
      fc.property(words, fc.boolean(), cuts, (said, hide, places) => {
        const text = chatEvents(said, USAGE).join('')
        const observer = chat(hide)
        const { shown, early } = watch(observer, cutAt(Buffer.from(text), places))
        expect(observer.finished()).toBe(true)
        expect(early.length).toBeLessThan(shown.length)
        expect(early).not.toMatch(/data: \[DONE\]\n\n$/)
      }),
      { numRuns: 200 },
    )
  })
})

describe('a whole stream is told from a cut one', () => {
  const text = chatEvents(['Hello', ' world'], USAGE).join('')
  const endsAt = text.indexOf('"finish_reason":"stop"')
  const whole = text.indexOf('\n\n', endsAt)

  it('at every byte', () => {
    for (let length = 0; length <= text.length; length++) {
      const observer = chat(false)
      watch(observer, [Buffer.from(text.slice(0, length))])
      expect([length, observer.truncated()]).toEqual([length, length < whole])
    }
  })

  it('by the end of each of its choices', () => {
    const chunk = (index: number, finish: string | null) =>
      `data: ${JSON.stringify({ choices: [{ index, delta: { content: 'x' }, finish_reason: finish }] })}\n\n`
    const cut = chat(false)
    watch(cut, [Buffer.from(chunk(0, null) + chunk(1, null) + chunk(0, 'stop'))])
    const done = chat(false)
    watch(done, [Buffer.from(chunk(0, null) + chunk(1, null) + chunk(0, 'stop') + chunk(1, 'length'))])
    expect([cut.truncated(), done.truncated()]).toEqual([true, false])
  })

  it('by the last event of a response', () => {
    const event = (type: string, more = {}) => `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`
    for (const [last, truncated, failed] of [
      ['response.output_text.done', true, false],
      ['response.completed', false, false],
      ['response.incomplete', false, false],
    ] as const) {
      const observer = createStreamObserver({ secret: KEY, terminator: 'response_event', hideUsage: false })
      watch(observer, [
        Buffer.from(
          event('response.created') +
            event('response.output_text.delta', { delta: 'x' }) +
            event(last, { response: { usage: { input_tokens: 4, output_tokens: 2 } } }),
        ),
      ])
      expect([observer.truncated(), observer.failed(), observer.result().usage?.inputTokens]).toEqual([
        truncated,
        failed,
        4,
      ])
    }
  })

  it('never, where the format has no end of its own', () => {
    const observer = createStreamObserver({ secret: KEY, terminator: 'none', hideUsage: false })
    watch(observer, [Buffer.from('data: {"type":"image_generation.partial_image"}\n\n')])
    expect([observer.truncated(), observer.finished()]).toEqual([false, false])
  })
})

describe('an error inside a stream', () => {
  it.each([
    ['alone', 'data: {"error":{"message":"x","type":"server_error"}}\n\n'],
    ['alone, as vLLM tells it', 'data: {"object":"error","message":"x","type":"BadRequestError","code":400}\n\n'],
    ['alone, without a blank', 'data:{"error":{"message":"x"}}\n\n'],
    ['as an event', 'event: error\ndata: {"type":"error","error":{"code":"insufficient_quota"}}\n\n'],
    ['as an event with CRLF', 'event: error\r\ndata: {"message":"x"}\r\n\r\n'],
    [
      'beside choices',
      'data: {"id":"1","error":{"code":400},"choices":[{"delta":{"content":""},"finish_reason":null}]}\n\n',
    ],
    [
      'with usage and no choices',
      'data: {"error":{"code":400},"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":0}}\n\n',
    ],
  ])('%s is a failure, and passes on', (_how, event) => {
    for (const hide of [true, false]) {
      const observer = chat(hide)
      const text = `${chatEvents(['Hi'])[1]}${event}`
      expect(watch(observer, [Buffer.from(text)]).shown).toBe(text)
      expect([observer.failed(), observer.truncated()]).toEqual([true, false])
    }
  })

  it('fails a response', () => {
    const observer = createStreamObserver({ secret: KEY, terminator: 'response_event', hideUsage: false })
    const failed = { type: 'response.failed', response: { error: { code: 'x' } } }
    watch(observer, [Buffer.from(`event: response.failed\ndata: ${JSON.stringify(failed)}\n\n`)])
    expect([observer.failed(), observer.truncated()]).toEqual([true, false])
  })

  it.each([
    ['that a model talks about', '{"choices":[{"delta":{"content":"\\"error\\":{\\"a\\":1}"}}]}'],
    ['of a tool', '{"choices":[{"delta":{"tool":{"error":{"a":1}}}}]}'],
    ['that is null', '{"error":null,"choices":[]}'],
  ])('%s is none', (_what, body) => {
    const observer = chat(false)
    watch(observer, [Buffer.from(`data: ${body}\n\n`)])
    expect(observer.failed()).toBe(false)
  })
})

it('the served model is the first that the provider names', () => {
  for (const [events, expected] of [
    [['{"model":"","choices":[]}', '{"model":"gpt-4o-2024","choices":[]}', '{"model":"other"}'], 'gpt-4o-2024'],
    [['{"type":"response.created","response":{"model":"gpt-5"}}'], 'gpt-5'],
    [['{"choices":[]}', '{"model":5}'], null],
  ] as const) {
    const observer = chat(false)
    watch(
      observer,
      events.map((event) => Buffer.from(`data: ${event}\n\n`)),
    )
    expect(observer.result().servedModel).toBe(expected)
  }
})

it('the text of a stream that reports no usage is there for an estimate, however it is cut', () => {
  fc.assert(
    fc.property(words, cuts, (said, places) => {
      const observer = chat(false)
      watch(observer, cutAt(Buffer.from(chatEvents(said).join('')), places))
      expect([observer.result().usage, observer.result().text()]).toEqual([null, said.join('').toWellFormed()])
    }),
    { numRuns: 100 },
  )
})
