import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { boundaryOf, MultipartField } from '../../src/formats/multipart.ts'
import { keepsLessThan } from '../usage/garbage.ts'
import { cutAt, cuts } from './cuts.ts'

const part = (head: string, body: string) => `--B\r\n${head}\r\n\r\n${body}\r\n`
const field = (name: string, value: string) => part(`Content-Disposition: form-data; name="${name}"`, value)
const form = (...parts: string[]) => Buffer.from(`${parts.join('')}--B--\r\n`)

/** What is read as the field `model`, from a body in these pieces; `unreadable` where it says that readers may differ. */
function read(pieces: Buffer[], boundary = 'B'): string[] {
  const found: string[] = []
  const scanner = new MultipartField(
    boundary,
    'model',
    (value) => void found.push(value),
    () => void found.push('unreadable'),
  )
  for (const piece of pieces) scanner.push(piece)
  return found
}
const readWhole = (body: Buffer) => read([body])

describe('the model of a form', () => {
  it.each([
    ['quoted', 'Content-Disposition: form-data; name="model"'],
    ['bare', 'Content-Disposition: form-data; name=model'],
    ['in capitals', 'CONTENT-DISPOSITION: FORM-DATA; NAME="model"'],
    ['without blanks', 'content-disposition:form-data;name="model"'],
    ['behind another header', 'Content-Type: text/plain\r\nContent-Disposition: form-data; name="model"'],
    ['before another header', 'Content-Disposition: form-data; name="model"\r\nContent-Type: text/plain'],
    ['with a file name', 'Content-Disposition: form-data; filename="a.txt"; name="model"'],
  ])('is read when its name is %s', (_how, head) => {
    expect(readWhole(form(part(head, 'whisper-1')))).toEqual(['whisper-1'])
  })

  it.each([
    ['another name', 'Content-Disposition: form-data; name="models"'],
    ['a name of other case', 'Content-Disposition: form-data; name="Model"'],
    ['a file of that name', 'Content-Disposition: form-data; name="file"; filename="model"'],
    ['another header', 'X-Thing: form-data; name="model"\r\nContent-Disposition: form-data; name="file"'],
  ])('is not taken from %s', (_what, head) => {
    expect(readWhole(form(part(head, 'whisper-1')))).toEqual([])
  })

  it('is found before, between and behind files, and as often as it stands there', () => {
    const file = part(
      'Content-Disposition: form-data; name="file"; filename="a.mp3"',
      '\r\n\r\n--C\r\nname="model"\u0000--B\n',
    )
    expect(readWhole(form(field('model', 'a'), file, field('model', 'b'), file, field('model', 'c')))).toEqual([
      'a',
      'b',
      'c',
    ])
  })

  it.each(['', ' ', '\r\n', 'a\r\nb', '\r\n-', 'caf\u00e9 😀'])('may be %j', (value) => {
    expect(readWhole(form(field('model', value)))).toEqual([value])
  })

  it('is there before a body of many gigabytes has ended, and though it never ends', () => {
    const bytes = Buffer.from(
      field('model', 'm') + part('Content-Disposition: form-data; name="file"; filename="x"', 'abc'),
    )
    expect(readWhole(bytes)).toEqual(['m'])
  })

  it('is the same however the body is cut', () => {
    const content = fc.string({ unit: fc.constantFrom('\r', '\n', '-', 'B', 'x', '\r\n--', '\r\n\r\n'), maxLength: 40 })
    const parts = fc.array(
      fc.oneof(
        content.map((text) => field('model', text.replaceAll('\r\n--B', ''))),
        content.map((text) =>
          part('Content-Disposition: form-data; name="file"; filename="f"', text.replaceAll('\r\n--B', '')),
        ),
      ),
      { maxLength: 5 },
    )
    fc.assert(
      fc.property(parts, content, cuts, (list, preamble, places) => {
        const body = Buffer.concat([Buffer.from(`${preamble.replaceAll('--B', '')}\r\n`), form(...list)])
        expect(read(cutAt(body, places))).toEqual(readWhole(body))
      }),
      { numRuns: 300 },
    )
  })

  it.each([
    ['another parameter that imitates its name', 'Content-Disposition: form-data; x="; name=file"; name="model"'],
    ['a file name that imitates another', 'Content-Disposition: form-data; filename="; name=file;"; name="model"'],
    ['two names', 'Content-Disposition: form-data; name="file"; name="model"'],
    ['two dispositions', 'Content-Disposition: form-data; name="file"\r\nContent-Disposition: form-data; name="model"'],
    ['a folded line', 'Content-Disposition: form-data;\r\n name="model"'],
    ['an escaped name', 'Content-Disposition: form-data; name="mod\\el"'],
    ['a name in another alphabet', "Content-Disposition: form-data; name*=utf-8''model"],
    ['a bare line feed', 'Content-Disposition: form-data; name="file"\nContent-Disposition: form-data; name="model"'],
    ['a bare carriage return', 'X-A: b\rContent-Disposition: form-data; name="model"'],
    ['a head longer than any', `X-Pad: ${'x'.repeat(20_000)}\r\nContent-Disposition: form-data; name="model"`],
  ])('is read, or the form is said to be unreadable, with %s', (_what, head) => {
    const body = form(part(head, 'gpt-4o'))
    for (const pieces of [[body], cutAt(body, [30]), cutAt(body, [17_000])]) {
      const found = read(pieces)
      expect(found.includes('gpt-4o') || found.includes('unreadable')).toBe(true)
    }
  })

  it('is found behind a line that only begins like the boundary, or the form is said to be unreadable', () => {
    const trap = part(
      'Content-Disposition: form-data; name="file"',
      'a\r\n--BX\r\nContent-Disposition: form-data; name="file"',
    )
    const found = readWhole(form(trap, field('model', 'gpt-4o')))
    expect(found.includes('gpt-4o') || found.includes('unreadable')).toBe(true)
  })

  it('that is too long to be one is not passed over: the form is said to be unreadable', () => {
    const body = form(field('model', `gpt-4o${' '.repeat(2_000)}`))
    for (const pieces of [[body], cutAt(body, [1_500])]) expect(read(pieces)).not.toEqual([])
  })

  it('is not taken from a file whose name imitates it, without a word', () => {
    const head = 'Content-Disposition: form-data; filename="a; name=model; b"; name="file"'
    expect(readWhole(form(part(head, 'whisper-1')))).not.toEqual(['whisper-1'])
  })
})

describe('a form without end', () => {
  it.each([
    ['preamble', '', 'x'],
    ['head', '--B\r\n', 'X-A: b\r\n'],
    ['value', '--B\r\nContent-Disposition: form-data; name="model"\r\n\r\n', 'x'],
    ['file', '--B\r\nContent-Disposition: form-data; name="file"\r\n\r\n', '\r\n--'],
  ])('of 26 MB of %s does not stay in memory', async (_what, head, filler) => {
    const piece = filler.repeat(Math.ceil(65_536 / filler.length))
    await keepsLessThan(2 * 1024 * 1024, () => {
      const scanner = new MultipartField('B', 'model', () => {})
      scanner.push(Buffer.from(head))
      for (let i = 0; i < 400; i++) scanner.push(Buffer.from(piece))
      return scanner
    })
  })
})

describe('the boundary of a content type', () => {
  it.each([
    ['multipart/form-data; boundary=abc', 'abc'],
    ['multipart/form-data; boundary="a b"', 'a b'],
    ['multipart/form-data;boundary=abc;charset=utf-8', 'abc'],
    ['Multipart/Form-Data; charset=utf-8; BOUNDARY=abc', 'abc'],
    ['multipart/mixed; boundary=----WebKitFormBoundaryX', '----WebKitFormBoundaryX'],
    ['multipart/form-data', null],
    ['multipart/form-data; boundary=', null],
    ['multipart/form-data; xboundary=abc', null],
    ['application/json; boundary=abc', null],
    ['', null],
    [undefined, null],
  ])('of %j is %j', (type, expected) => {
    expect(boundaryOf(type)).toBe(expected)
  })

  it('is the one that is meant, and none where there are two', () => {
    expect(boundaryOf('multipart/form-data; x="; boundary=A"; boundary=B')).toBe('B')
    expect(boundaryOf('multipart/form-data; boundary=A; boundary=B')).toBeNull()
  })

  it.each([
    ['empty', '""'],
    ['too long', 'x'.repeat(71)],
    ['too long, in quotes', `"${'x'.repeat(71)}"`],
  ])('is none when it is %s', (_how, boundary) => {
    expect(boundaryOf(`multipart/form-data; boundary=${boundary}`)).toBeNull()
  })
})
