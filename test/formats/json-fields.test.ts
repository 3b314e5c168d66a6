import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { type Field, FieldScanner, prependField, replaceValue, scanFields } from '../../src/formats/json-fields.ts'
import { cutAt, cuts } from './cuts.ts'

/** Strings with all that JSON may escape, and long ones: the scanner takes those another way. */
const awkward = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('\\', '"', '{', '}', '[', ']', ',', ':', '\n', 'é', '😀', '\u0000', '\ud800') }),
  fc.tuple(fc.nat(130), fc.constantFrom('\\', '"', '\\"', '\\\\"')).map(([length, tail]) => 'x'.repeat(length) + tail),
)
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 4 },
    awkward,
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('any'), { maxLength: 4 }),
    fc.dictionary(awkward, tie('any'), { maxKeys: 4 }),
  ),
})).any
const space = fc.string({ unit: fc.constantFrom(' ', '\n', '\t', '\r'), maxLength: 3 })

type Member = { key: string; value: unknown; escaped: boolean; spaces: [string, string, string, string] }
const members = fc.array(
  fc.record({ key: awkward, value, escaped: fc.boolean(), spaces: fc.tuple(space, space, space, space) }),
  { maxLength: 6 },
)

/** The JSON text of an object, spelled as oddly as JSON allows; keys may be doubled. */
const write = (list: Member[]) =>
  `{${list.map(({ key, value, escaped, spaces: [a, b, c, d] }) => `${a}${escaped ? escapeAll(key) : JSON.stringify(key)}${b}:${c}${JSON.stringify(value)}${d}`).join(',')}}`
const escapeAll = (text: string) =>
  `"${Array.from({ length: text.length }, (_, i) => `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`).join('')}"`

const scanPieces = (pieces: Buffer[]) => {
  const fields: Field[] = []
  const scanner = new FieldScanner((field) => void fields.push(field))
  for (const piece of pieces) scanner.push(piece)
  return fields
}
const show = (json: Buffer, fields: Field[]) =>
  fields.map(({ key, valueStart, valueEnd }) => [key, JSON.parse(json.toString('utf8', valueStart, valueEnd))])

describe('the members of a JSON object', () => {
  it('are found where JSON.parse finds them: keys decoded, values to the byte, doubled ones each', () => {
    fc.assert(
      fc.property(members, space, (list, around) => {
        const json = Buffer.from(around + write(list) + around)
        const expected = list.map(({ key, value }) => [key.toWellFormed(), JSON.parse(JSON.stringify(value))])
        const fields = scanFields(json)
        expect(show(json, fields).map(([key, found]) => [String(key).toWellFormed(), found])).toEqual(expected)
        for (const { keyStart, valueStart, valueEnd } of fields) {
          expect(json[keyStart]).toBe(0x22)
          expect(json.toString('utf8', valueStart, valueEnd).trim().length).toBe(
            json.toString('utf8', valueStart, valueEnd).length,
          )
        }
      }),
      { numRuns: 400 },
    )
  })

  it('are the same however the text is cut', () => {
    fc.assert(
      fc.property(members, cuts, (list, places) => {
        const json = Buffer.from(write(list))
        expect(scanPieces(cutAt(json, places))).toEqual(scanFields(json))
      }),
      { numRuns: 300 },
    )
  })

  it.each(['[]', '[{"model":"a"}]', '"text"', '12', 'null', '', '   ', '[[{"a":1}],"x"]'])('are none in %s', (json) => {
    expect(scanFields(Buffer.from(json))).toEqual([])
  })

  it('are none in a text, whatever it says', () => {
    expect(scanFields(Buffer.from(JSON.stringify('[}\\\\}')))).toEqual([])
  })

  it('may be missed in what is no JSON, but nothing throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), cuts, (bytes, places) => {
        scanPieces(cutAt(Buffer.from(bytes), places))
        scanPieces(cutAt(Buffer.from(`{"a${Buffer.from(bytes).toString('latin1')}`), places))
      }),
    )
  })
})

describe('a changed object', () => {
  it('has the new value, and every other byte as it was', () => {
    fc.assert(
      fc.property(members, value, fc.nat(), (list, given, index) => {
        fc.pre(list.length > 0)
        const json = Buffer.from(write(list))
        const field = scanFields(json)[index % list.length]!
        const text = JSON.stringify(given)
        const changed = replaceValue(json, field, text)
        expect(changed.subarray(0, field.valueStart)).toEqual(json.subarray(0, field.valueStart))
        expect(changed.subarray(field.valueStart + Buffer.byteLength(text))).toEqual(json.subarray(field.valueEnd))
        const expected = list.map(({ value }) => JSON.parse(JSON.stringify(value)))
        expected[index % list.length] = JSON.parse(text)
        expect(show(changed, scanFields(changed)).map(([, found]) => found)).toEqual(expected)
      }),
    )
  })

  it('has a new first member, and every other byte as it was', () => {
    fc.assert(
      fc.property(members, value, space, (list, given, around) => {
        const json = Buffer.from(around + write(list))
        const changed = prependField(json, 'stream_options', JSON.stringify(given))
        const fields = scanFields(changed)
        expect(() => JSON.parse(changed.toString())).not.toThrow()
        expect(fields.map(({ key }) => key)).toEqual(['stream_options', ...scanFields(json).map(({ key }) => key)])
        expect(show(changed, fields.slice(0, 1))).toEqual([['stream_options', JSON.parse(JSON.stringify(given))]])
        const rest = json.subarray(json.indexOf('{') + 1)
        expect(changed.subarray(changed.length - rest.length)).toEqual(rest)
      }),
    )
  })

  it('is JSON still when it was empty but for a long stretch of blanks', () => {
    const changed = prependField(Buffer.from(`{${' '.repeat(100)}}`), 'a', '1')
    expect(JSON.parse(changed.toString())).toEqual({ a: 1 })
  })
})
