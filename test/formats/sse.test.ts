import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { dataEvent, dataOf, endOfEvent, jsonOf } from '../../src/formats/sse.ts'

const line = fc.oneof(
  fc.string({ maxLength: 20 }).map((text) => `data: ${text.replace(/[\r\n]/g, '')}`),
  fc.constantFrom('event: message', ': a comment', 'id: 7', 'data', 'data:{"a":1}', 'retry: 10', 'data: caf\u00e9 😀'),
)
const event = fc.array(line, { minLength: 1, maxLength: 4 })
const ending = fc.constantFrom('\n', '\r\n', '\r')

/** Where each event ends, asked for one after the other. */
function ends(bytes: Buffer): number[] {
  const found: number[] = []
  for (let from = 0; ; ) {
    const end = endOfEvent(bytes, from)
    if (end === -1) return found
    found.push(end)
    from = end
  }
}

describe('the end of an event', () => {
  it('is just behind its blank line, whichever way lines end', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 5 }), ending, (events, eol) => {
        const texts = events.map((lines) => lines.join(eol) + eol + eol)
        let at = 0
        const expected = texts.map((text) => (at += Buffer.byteLength(text)))
        expect(ends(Buffer.from(texts.join('')))).toEqual(expected)
      }),
      { numRuns: 300 },
    )
  })

  it('is not there before all of the blank line is', () => {
    fc.assert(
      fc.property(event, ending, (lines, eol) => {
        const whole = Buffer.from(lines.join(eol) + eol + eol)
        for (let length = 0; length < whole.length; length++) expect(endOfEvent(whole.subarray(0, length), 0)).toBe(-1)
      }),
      { numRuns: 100 },
    )
  })

  it('is not mistaken where a line ends in LF and the next begins with CR', () => {
    expect(endOfEvent(Buffer.from('data: a\n\rdata: b\n\n'), 0)).toBe(18)
  })
})

describe('the data of an event', () => {
  it('is its data lines, joined, whichever way lines end', () => {
    fc.assert(
      fc.property(event, ending, (lines, eol) => {
        const expected = lines.filter((one) => one.startsWith('data:')).map((one) => one.slice(5).replace(/^ /, ''))
        const data = dataOf(Buffer.from(lines.join(eol) + eol + eol))
        if (expected.length === 0) expect(data).toBeNull()
        else expect(data?.trimEnd()).toBe(expected.join('\n').trimEnd())
      }),
      { numRuns: 300 },
    )
  })

  it.each([
    ['data: {"a":1}\n\n', { a: 1 }],
    ['data:{"a":1}\r\n\r\n', { a: 1 }],
    ['event: x\ndata: {"a":\ndata: 1}\n\n', { a: 1 }],
    ['data: {"a":1}', { a: 1 }],
    ['data: [DONE]\n\n', null],
    ['data: [1]\n\n', null],
    ['data: {"a":\n\n', null],
    ['data:\n\n', null],
    [': ping\n\n', null],
    ['\n\n', null],
  ])('%j holds the object %j', (text, expected) => {
    expect(jsonOf(Buffer.from(text))).toEqual(expected)
  })
})

it('writes events that it reads', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
      const bytes = dataEvent(value)
      expect(endOfEvent(bytes, 0)).toBe(bytes.length)
      expect(jsonOf(bytes)).toEqual(JSON.parse(JSON.stringify(value)))
    }),
  )
})
