import { describe, expect, it } from '@jest/globals'
import { createStreamObserver } from '../../src/usage/stream-observer.ts'
import { keepsLessThan } from './garbage.ts'
import { watch } from './watch.ts'

/** Ours at the provider; none of these streams quotes it. */
const KEY = 'key-of-ours'

const MB = 1024 * 1024
const observe = (hideUsage = false, terminator: 'done' | 'none' = 'none') =>
  createStreamObserver({ secret: KEY, terminator, hideUsage })

function* repeated(text: string, times: number, head = ''): Iterable<Buffer> {
  if (head) yield Buffer.from(head)
  for (let i = 0; i < times; i++) yield Buffer.from(text)
}

describe('a picture of several megabytes in one event', () => {
  const picture = `event: image_generation.completed\ndata: ${JSON.stringify({ type: 'image_generation.completed', b64_json: 'A'.repeat(3 * MB), usage: { input_tokens: 50, output_tokens: 4160, total_tokens: 4210 } })}\n\n`

  it.each([1_000, 16_384, 65_537, 4 * MB])('passes byte for byte in pieces of %d, and its usage is read', (size) => {
    const bytes = Buffer.from(picture + picture)
    const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
      Buffer.from(bytes.subarray(i * size, (i + 1) * size)),
    )
    for (const hide of [true, false]) {
      const observer = observe(hide)
      expect(
        watch(
          observer,
          pieces.map((piece) => Buffer.from(piece)),
        ).shown === bytes.toString('latin1'),
      ).toBe(true)
      expect(observer.result().usage).toMatchObject({ inputTokens: 50, outputTokens: 4160 })
    }
  })

  it('does not hide what comes behind it', () => {
    for (let cut = 0; cut < 40; cut++) {
      const text = `data: {"x":"${'A'.repeat(2 * MB)}"}\n\ndata: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":1}}\n\ndata: [DONE]\n\n`
      const at = text.indexOf('"}\n\n') + cut - 2
      const bytes = Buffer.from(text)
      const observer = observe(false, 'done')
      watch(
        observer,
        [bytes.subarray(0, MB + 5), bytes.subarray(MB + 5, at), bytes.subarray(at, at + 1), bytes.subarray(at + 1)].map(
          (piece) => Buffer.from(piece),
        ),
      )
      expect([cut, observer.result().usage?.inputTokens, observer.finished()]).toEqual([cut, 7, true])
    }
  })

  it('that is cut off is known to be', () => {
    const observer = observe()
    watch(observer, [Buffer.from(picture.slice(0, 2 * MB)), Buffer.from(picture.slice(2 * MB, 2 * MB + 9))])
    expect(observer.truncated()).toBe(true)
  })
})

describe('memory', () => {
  it.each([
    ['an event without end', () => repeated('x'.repeat(65_536), 1_600, 'data: {"a":"')],
    ['blank lines', () => repeated('\n'.repeat(65_536), 2)],
    ['half a line end', () => repeated('data: x\r', 20_000)],
    [
      'a hundred megabytes of text',
      () => repeated(`data: {"choices":[{"index":0,"delta":{"content":"${'x'.repeat(30_000)}"}}]}\n\n`, 3_300),
    ],
  ])('is bounded over %s', async (_what, stream) => {
    for (const hide of [true, false]) {
      await keepsLessThan(12 * MB, () => {
        const observer = observe(hide, 'done')
        for (const piece of stream()) observer.push(piece)
        return observer
      })
    }
  })

  it('keeps no more text for an estimate than a model writes', () => {
    const observer = observe(false, 'done')
    for (const piece of repeated(`data: {"choices":[{"delta":{"content":"${'x'.repeat(30_000)}"}}]}\n\n`, 600))
      observer.push(piece)
    expect(observer.result().text()!.length).toBeLessThan(5 * MB)
  })
})
