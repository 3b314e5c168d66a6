import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { asksForUsage, refuseDoubledModel, withModel, withUsageAsked } from '../../../src/proxy/rewrite.ts'

const bytes = (text: string) => Buffer.from(text)
const rename = (text: string, model: string) => withModel(bytes(text), model).toString()
const ask = (text: string) => withUsageAsked(bytes(text), JSON.parse(text) as Record<string, unknown>).toString()

describe('a renamed model', () => {
  it('is all that changes in the body', () => {
    expect(
      rename('{ "seed": 12345678901234567890, "model" : "openai:gpt-4o" , "x":1.0, "caf\\u00e9":"é" }', 'gpt-4o'),
    ).toBe('{ "seed": 12345678901234567890, "model" : "gpt-4o" , "x":1.0, "caf\\u00e9":"é" }')
  })

  it('is found under an escaped name, and not in deeper places', () => {
    expect(rename('{"metadata":{"model":"a"},"\\u006dodel":"openai:b","tools":[{"model":"c"}]}', 'b')).toBe(
      '{"metadata":{"model":"a"},"\\u006dodel":"b","tools":[{"model":"c"}]}',
    )
  })

  it('is written as JSON, whatever it holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (model) => {
        expect(JSON.parse(rename('{"model":"x","n":1}', model))).toEqual({ model, n: 1 })
      }),
    )
  })

  it('changes nothing where there is none', () => {
    expect(rename('{"a":1}', 'x')).toBe('{"a":1}')
  })
})

describe('usage asked for', () => {
  it.each([
    ['{"model":"m"}', '{"stream_options":{"include_usage":true},"model":"m"}'],
    ['  {"model":"m"}\n', '  {"stream_options":{"include_usage":true},"model":"m"}\n'],
    ['{"model":"m","stream_options":null,"n":1.0}', '{"model":"m","stream_options":{"include_usage":true},"n":1.0}'],
    ['{"stream_options":{"include_usage":false}}', '{"stream_options":{"include_usage":true}}'],
    [
      '{"stream_options":{"include_obfuscation":false},"n":1}',
      '{"stream_options":{"include_obfuscation":false,"include_usage":true},"n":1}',
    ],
    ['{"a":{"stream_options":1}}', '{"stream_options":{"include_usage":true},"a":{"stream_options":1}}'],
  ])('in %s leaves every other byte', (before, after) => {
    expect(ask(before)).toBe(after)
  })

  it('is what JSON readers then find, also when the field was there twice', () => {
    const twice = '{"stream_options":{"a":1},"stream_options":{"b":2}}'
    expect(JSON.parse(ask(twice))).toEqual({ stream_options: { b: 2, include_usage: true } })
  })

  it.each([
    [{}, false],
    [{ stream_options: null }, false],
    [{ stream_options: 'include_usage' }, false],
    [{ stream_options: { include_usage: 'true' } }, false],
    [{ stream_options: { include_usage: false } }, false],
    [{ stream_options: { include_usage: true } }, true],
  ])('by the caller himself in %j: %s', (body, expected) => {
    expect(asksForUsage(body)).toBe(expected)
  })
})

describe('a body with two models', () => {
  it.each([
    '{"model":"a","model":"b"}',
    '{"model":"a","messages":[],"model":"a"}',
    '{"model":"a","\\u006dodel":"b"}',
    '{"\\u006dodel":"a","mode\\u006C":"b"}',
    '{"mod\\u0065l":{"x":1},"model":"b"}',
    '{"model":null,"model":"b"}',
  ])('is refused: %s', (body) => {
    expect(() => refuseDoubledModel(bytes(body))).toThrow(
      expect.objectContaining({ code: 'invalid_json', param: 'model' }),
    )
  })

  it.each([
    '{"model":"a"}',
    '{"model":"model"}',
    '{"model":"a","metadata":{"model":"b"}}',
    '{"messages":[{"content":"\\"model\\":\\"b\\""}],"model":"a"}',
    '{"messages":[{"model":"b"},{"model":"c"}],"model":"a\\u0041"}',
    '{"models":["b"],"model":"a"}',
  ])('is not one that only speaks of them: %s', (body) => {
    expect(() => refuseDoubledModel(bytes(body))).not.toThrow()
  })

  it('is found however it is spelled', () => {
    const spelled = fc
      .tuple(
        ...[...'model'].map((letter) =>
          fc.constantFrom(
            letter,
            `\\u00${letter.charCodeAt(0).toString(16)}`,
            `\\u00${letter.charCodeAt(0).toString(16).toUpperCase()}`,
          ),
        ),
      )
      .map((letters) => letters.join(''))
    const filler = fc.jsonValue().map((value) => JSON.stringify(value))
    fc.assert(
      fc.property(spelled, spelled, filler, filler, (one, other, a, b) => {
        expect(() => refuseDoubledModel(bytes(`{"x":${a},"${one}":"1","y":${b},"${other}":"2"}`))).toThrow()
        expect(() => refuseDoubledModel(bytes(`{"x":${a},"${one}":"1","y":${b},"Model":"2"}`))).not.toThrow()
      }),
    )
  })
})
