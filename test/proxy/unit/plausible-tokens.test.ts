import { expect, it } from '@jest/globals'
import { plausibleTokens } from '../../../src/proxy/expected-tokens.ts'

const of = (value: Record<string, unknown>, hasOutput = true) =>
  plausibleTokens({ kind: 'json', bytes: Buffer.from(JSON.stringify(value)), value, problem: null }, hasOutput)

const BYTES = 90_000
const data = (type = 'image/png') => `data:${type};base64,${'QUJD'.repeat(BYTES / 4)}`

it('text counts by its length, three bytes a token', () => {
  const { input } = of({ messages: [{ role: 'user', content: 'x'.repeat(BYTES) }] })
  expect(input).toBeGreaterThanOrEqual(BYTES / 3)
  expect(input).toBeLessThan(BYTES / 3 + 50)
})

it.each<[string, object]>([
  ['a picture of a chat', { messages: [{ content: [{ type: 'image_url', image_url: { url: data() } }] }] }],
  ['a picture of a response', { input: [{ content: [{ type: 'input_image', image_url: data() }] }] }],
  ['a picture elsewhere', { messages: [{ content: [{ image_url: { detail: 'low', url: 'https://x.test/a.png' } }] }] }],
  ['a file', { messages: [{ content: [{ type: 'file', file: { file_data: data('application/pdf') } }] }] }],
])('%s counts as what it shows, not by its bytes', (_what, body) => {
  const { input } = of(body as Record<string, unknown>)
  expect(input).toBeGreaterThanOrEqual(2_000)
  expect(input).toBeLessThan(2_100)
})

it.each<[string, object]>([
  ['as a message', { messages: [{ role: 'user', content: data() }] }],
  ['as a part', { messages: [{ content: [{ type: 'text', text: data() }] }] }],
  ['within a message', { messages: [{ content: `"url":"${data()}` }] }],
  ['as an input', { input: data() }],
  ['as a prompt', { prompt: [data(), 'url', data()] }],
])('what only looks like a picture counts as the text that it is: %s', (_what, body) => {
  expect(of(body as Record<string, unknown>).input).toBeGreaterThanOrEqual(BYTES / 3)
})

it('an answer counts once for each that is written', () => {
  const output = (body: Record<string, unknown>) => of({ max_tokens: 100, ...body }).output
  expect(output({})).toBe(100)
  expect(output({ n: 3 })).toBe(300)
  expect(output({ n: 2, best_of: 5 })).toBe(500)
  expect(output({ prompt: ['a', 'b', 'c'] })).toBe(300)
  expect(output({ prompt: ['a', 'b', 'c'], n: 2 })).toBe(600)
  expect(output({ prompt: [[1, 2], [3]] })).toBe(200)
  expect(output({ prompt: [1, 2, 3] })).toBe(100)
  expect(of({ prompt: ['a', 'b'] }).output).toBe(2 * 4_096)
  expect(of({ prompt: ['a', 'b'] }, false).output).toBe(0)
})
