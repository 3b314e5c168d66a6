import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { createJsonObserver } from '../../src/usage/json-observer.ts'
import { cutAt, cuts } from '../formats/cuts.ts'
import { keepsLessThan } from './garbage.ts'
import { shownAs, watch } from './watch.ts'

const USAGE = { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12, prompt_tokens_details: { cached_tokens: 4 } }
const READ = {
  inputTokens: 9,
  outputTokens: 3,
  cachedTokens: 4,
  cacheWriteTokens: 0,
  reasoningTokens: 0,
  details: null,
  source: 'reported',
}

/** An answer with so much text; usage at its front or its end; as OpenAI spells it, or compactly. */
function answer(length: number, { first = false, pretty = false, text = 'x' } = {}): string {
  const choices = [
    { message: { content: text.repeat(Math.ceil(length / text.length)), usage: { prompt_tokens: 1 }, model: 'inner' } },
  ]
  const body = first ? { usage: USAGE, model: 'gpt-4o-2024', choices } : { model: 'gpt-4o-2024', choices, usage: USAGE }
  return JSON.stringify(body, null, pretty ? 2 : 0)
}

describe('a JSON answer', () => {
  it.each([0, 100, 65_000, 66_000, 1_000_000, 1_100_000])(
    'of %d bytes passes as it is, and its usage and model are read, wherever they stand',
    (length) => {
      for (const first of [true, false]) {
        for (const pretty of [true, false]) {
          const text = answer(length, { first, pretty })
          for (const [size, isText] of [
            [1_000, true],
            [16_384, false],
            [50_000, true],
            [text.length, false],
          ] as const) {
            const observer = createJsonObserver(isText)
            const bytes = Buffer.from(text)
            const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
              bytes.subarray(i * size, (i + 1) * size),
            )
            expect(watch(observer, pieces).shown).toBe(shownAs(text))
            expect(observer.result()).toMatchObject({ usage: READ, servedModel: 'gpt-4o-2024' })
          }
        }
      }
    },
  )

  it.each([100, 70_000, 1_100_000])('of Gemini, of %d bytes, is read by its own names', (length) => {
    const usageMetadata = { promptTokenCount: 12, candidatesTokenCount: 4, thoughtsTokenCount: 6 }
    const candidates = [{ content: { parts: [{ text: 'x'.repeat(length) }] } }]
    const observer = createJsonObserver(true)
    watch(observer, [Buffer.from(JSON.stringify({ candidates, usageMetadata, modelVersion: 'gemini-2.5-flash' }))])
    expect(observer.result()).toMatchObject({
      usage: { inputTokens: 12, outputTokens: 10 },
      servedModel: 'gemini-2.5-flash',
    })
  })

  it('is read the same however it is cut', () => {
    const text = fc.constantFrom('x', '\\"usage\\":{', '"', '{"model":"a"}', 'é😀', '\\\\')
    const length = fc.constantFrom(0, 500, 65_300, 65_536, 70_000)
    fc.assert(
      fc.property(text, length, fc.boolean(), cuts, (filler, size, first, places) => {
        const observer = createJsonObserver(false)
        const json = answer(size, { first, text: filler })
        expect(watch(observer, cutAt(Buffer.from(json), places)).shown === shownAs(json)).toBe(true)
        expect(observer.result()).toMatchObject({ usage: READ, servedModel: 'gpt-4o-2024' })
      }),
      { numRuns: 60 },
    )
  })

  it('gives the text it generated, for an estimate, when it is small', () => {
    const observer = createJsonObserver(true)
    watch(observer, [Buffer.from('{"choices":[{"message":{"content":"Hello"}}]}')])
    expect([observer.result().usage, observer.result().text()]).toEqual([null, 'Hello'])
  })

  it('gives the text it generated also when that is long', () => {
    const observer = createJsonObserver(true)
    watch(observer, [Buffer.from(JSON.stringify({ choices: [{ message: { content: 'word '.repeat(20_000) } }] }))])
    expect(observer.result().text()).toHaveLength(100_000)
  })

  it.each([
    '',
    'null',
    '5',
    '"usage"',
    '[{"usage":{"prompt_tokens":1}}]',
    '{"usage":',
    '<html>',
    '{"usage":"none","model":5}',
  ])('that is none reports nothing: %s', (text) => {
    for (const padding of ['', ' '.repeat(1_100_000)]) {
      const observer = createJsonObserver(false)
      expect(watch(observer, [Buffer.from(text + padding)]).shown).toBe(text + padding)
      expect(observer.result()).toMatchObject({ usage: null, servedModel: null })
      expect([observer.finished(), observer.truncated(), observer.failed()]).toEqual([false, false, false])
    }
  })

  describe('of Gemini, a stream without events', () => {
    const event = (text: string, usageMetadata: object) => ({
      candidates: [{ content: { parts: [{ text }] } }],
      usageMetadata,
      modelVersion: 'gemini-2.5-flash',
    })
    const list = (length: number) => [
      event('x'.repeat(length), { promptTokenCount: 9, cachedContentTokenCount: 4 }),
      event('end', { promptTokenCount: 9, candidatesTokenCount: 1, thoughtsTokenCount: 2 }),
    ]
    const usage = { ...READ, reasoningTokens: 2 }

    it.each([0, 1_000, 70_000, 1_100_000])('which is a list of %d bytes: every part of it counts', (length) => {
      const json = ` ${JSON.stringify(list(length), null, length % 3)}`
      fc.assert(
        fc.property(cuts, fc.boolean(), (places, isText) => {
          const observer = createJsonObserver(isText)
          expect(watch(observer, cutAt(Buffer.from(json), places)).shown === shownAs(json)).toBe(true)
          expect(observer.result()).toMatchObject({ usage, servedModel: 'gemini-2.5-flash' })
        }),
        { numRuns: 20 },
      )
    })

    it('gives its text, for an estimate, and what had come of it when it broke off', () => {
      const json = JSON.stringify(list(3))
      const whole = createJsonObserver(true)
      watch(whole, [Buffer.from(json)])
      expect(whole.result().text()).toBe('xxxend')
      const cut = createJsonObserver(true)
      watch(cut, [Buffer.from(json.slice(0, json.indexOf('end')))])
      expect(cut.result().text()).toBe('xxx')
      expect(cut.result().usage).toMatchObject({ inputTokens: 9, outputTokens: 0 })
    })

    it('has failed where one of its parts is an error', () => {
      const observer = createJsonObserver(true)
      watch(observer, [Buffer.from(JSON.stringify([...list(1), { error: { code: 503, message: 'Overloaded' } }]))])
      expect(observer.failed()).toBe(true)
    })
  })

  it.each([true, false])('of a hundred megabytes does not stay in memory (of text: %s)', async (isText) => {
    const observer = createJsonObserver(isText)
    await keepsLessThan(4 * 1024 * 1024, () => {
      observer.push(Buffer.from('{"data":[{"b64_json":"'))
      for (let i = 0; i < 1_600; i++) observer.push(Buffer.alloc(65_536, 'A'))
      return observer
    })
    observer.push(Buffer.from('"}],"usage":{"input_tokens":50,"output_tokens":6}}'))
    expect(observer.result().usage).toMatchObject({ inputTokens: 50, outputTokens: 6 })
  })
})
