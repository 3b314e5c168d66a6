import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { ExportError } from '../../../src/usage/reconcile/export.ts'
import { readJsonDocuments } from '../../../src/usage/reconcile/json-documents.ts'

describe('JSON in a file', () => {
  it('is one document, one on each line, or one behind the other', () => {
    fc.assert(
      fc.property(
        fc.array(fc.jsonValue({ noUnicodeString: false }), { minLength: 1, maxLength: 4 }),
        fc.constantFrom('\n', '\r\n', '\n\n', ' '),
        fc.boolean(),
        (values, between, pretty) => {
          const text = values.map((value) => JSON.stringify(value, null, pretty ? 2 : 0)).join(between)
          // `-0` is written as `0`.
          expect(readJsonDocuments(`${text}\n`)).toEqual(values.map((value) => JSON.parse(JSON.stringify(value))))
        },
      ),
    )
  })

  it('is refused exactly when it is not valid, also in a later document', () => {
    const mutated = fc
      .tuple(
        fc.jsonValue(),
        fc.nat(),
        fc.constantFrom('', '"', '{', '}', '[', ']', ',', ':', '1', '-', '.', 'e', 't', '\\', '\n', ' '),
      )
      .map(([value, at, put]) => {
        const text = JSON.stringify(value, null, 1)
        const place = at % (text.length + 1)
        return text.slice(0, place) + put + text.slice(place + (at % 3))
      })
    fc.assert(
      fc.property(mutated, (text) => {
        const json = attempt(() => JSON.parse(`[${text}]`))
        const ours = attempt(() => readJsonDocuments(`{}\n[${text}]`))
        if (json.error) expect(ours.error).toBeInstanceOf(ExportError)
        else expect(ours).toEqual({ value: [{}, json.value] })
      }),
      { numRuns: 2000 },
    )
  })

  it.each([
    ['{"a": 1,\n "b": }', 'line 2, column 7'],
    ['{"a": 1\n "b": 2}', 'line 2, column 2'],
    ['[1, 2,]', 'line 1, column 7'],
    ['{"a": 01}', 'line 1, column 7'],
    ['{"a": True}', 'line 1, column 7'],
    ['{"a": "x\ny"}', 'line 1, column 9'],
    ['{"a": "\\q"}', 'line 1, column 8'],
    ['{"a": 1}\n{"a": 2}\n{"a"}', 'line 3, column 5'],
    ['{"a": 1}}', 'line 1, column 9'],
    ['[{"a": 1', 'line 1, column 9: it ends too early'],
    ['["abc', 'line 1, column 6: it ends too early'],
  ])('%j: it is said where: %s', (text, where) => {
    expect(() => readJsonDocuments(text)).toThrow(where)
  })

  it('may be nested as deep as it likes', () => {
    const deep = '['.repeat(200_000)
    expect(() => readJsonDocuments(deep)).toThrow('column 200001: it ends too early')
  })
})

function attempt(act: () => unknown): { value?: unknown; error?: unknown } {
  try {
    return { value: act() }
  } catch (error) {
    return { error }
  }
}
