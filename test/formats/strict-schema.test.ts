import { describe, expect, it } from '@jest/globals'
import { isClosedSchema, toStrictSchema } from '../../src/formats/strict-schema.ts'

describe('a schema that a model keeps to while it writes', () => {
  it('has closed objects, at every depth', () => {
    const schema = {
      type: 'object',
      properties: {
        a: { type: 'object', properties: { b: { type: ['object', 'null'], properties: {} } } },
        list: { type: 'array', items: { type: 'object', properties: {}, additionalProperties: true } },
      },
      $defs: { c: { properties: { d: { type: 'string' } } } },
      anyOf: [{ type: 'object', properties: {} }],
    }
    expect(toStrictSchema(schema)).toEqual({
      type: 'object',
      additionalProperties: false,
      properties: {
        a: {
          type: 'object',
          additionalProperties: false,
          properties: { b: { type: ['object', 'null'], properties: {}, additionalProperties: false } },
        },
        list: { type: 'array', items: { type: 'object', properties: {}, additionalProperties: false } },
      },
      $defs: { c: { properties: { d: { type: 'string' } }, additionalProperties: false } },
      anyOf: [{ type: 'object', properties: {}, additionalProperties: false }],
    })
  })

  it('tells the model of bounds that cannot be enforced', () => {
    expect(toStrictSchema({ type: 'integer', description: 'Years', minimum: 0, maximum: 150 })).toEqual({
      type: 'integer',
      description: 'Years (minimum: 0, maximum: 150)',
    })
    expect(toStrictSchema({ type: 'string', pattern: '^a', format: 'phone' })).toEqual({
      type: 'string',
      description: '(pattern: "^a", format: "phone")',
    })
    expect(toStrictSchema({ type: 'object', additionalProperties: { type: 'string' } })).toEqual({
      type: 'object',
      additionalProperties: false,
      description: '(additionalProperties: {"type":"string"})',
    })
  })

  it('keeps what is enforced', () => {
    const schema = {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'array',
      title: 'Days',
      minItems: 1,
      items: { type: 'string', format: 'date', enum: ['2026-01-01'], default: '2026-01-01' },
    }
    expect(toStrictSchema(schema)).toEqual(schema)
  })

  it('takes properties for what they are, whatever they are called', () => {
    const schema = {
      type: 'object',
      properties: { pattern: { type: 'string' }, minimum: { const: { pattern: 1 } }, enum: { enum: [{ not: 1 }] } },
      required: ['pattern'],
      additionalProperties: false,
    }
    expect(toStrictSchema(schema)).toEqual(schema)
  })

  it('says in its words what other ways of writing schemas say in theirs', () => {
    expect(toStrictSchema({ oneOf: [{ type: 'string' }, { type: 'null' }] })).toEqual({
      anyOf: [{ type: 'string' }, { type: 'null' }],
    })
    expect(toStrictSchema({ type: 'string', nullable: true })).toEqual({ type: ['string', 'null'] })
    expect(toStrictSchema({ nullable: false, type: 'string' })).toEqual({ type: 'string' })
  })

  it('ends where it nests without end', () => {
    let schema: Record<string, unknown> = { type: 'string' }
    for (let depth = 0; depth < 10_000; depth++) schema = { type: 'array', items: schema }
    expect(toStrictSchema(schema)).toMatchObject({ type: 'array' })
    expect(isClosedSchema(schema)).toBe(false)
  })
})

describe('a schema may be promised', () => {
  const closed = {
    type: 'object',
    properties: { a: { type: 'string' }, b: { type: 'array', items: { $ref: '#/$defs/c' } } },
    required: ['a', 'b'],
    additionalProperties: false,
    $defs: { c: { type: 'object', properties: {}, additionalProperties: false } },
  }

  it('when all of its objects are closed and all of their properties required', () => {
    expect(isClosedSchema(closed)).toBe(true)
    expect(isClosedSchema({ type: 'string', enum: ['a'] })).toBe(true)
  })

  it.each([
    ['a property may be left out', { ...closed, required: ['a'] }],
    ['an object is open', { ...closed, additionalProperties: undefined }],
    ['an object inside is open', { ...closed, $defs: { c: { type: 'object', properties: {} } } }],
    ['an alternative is open', { anyOf: [closed, { type: ['object', 'null'] }] }],
  ])('but not when %s', (_, schema) => {
    expect(isClosedSchema(schema)).toBe(false)
  })
})
