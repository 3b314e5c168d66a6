import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { type Json, UnreadableAnswer } from '../../../src/formats/dialect.ts'
import {
  buildEmbedAnswer,
  buildEmbedContents,
  buildEmbeddings,
  buildEmbeddingsAnswer,
  MAX_BATCH,
  parseEmbedContents,
  parseEmbeddings,
  parseEmbeddingsAnswer,
} from '../../../src/formats/gemini/embeddings.ts'
import { fixturesFolder, NO_FIXTURES, RECORDINGS, recordedExchanges, recordedPayloads } from '../../helpers/fixtures.ts'
import { recordedAt } from './recorded.ts'

describe('embeddings asked for as OpenAI has it', () => {
  it('become a batch', () => {
    const asked = parseEmbeddings({
      model: 'gemini-embedding-001',
      input: ['one', 'two'],
      dimensions: 256,
      encoding_format: 'base64',
      user: 'ann',
    })
    expect(asked).toMatchObject({ encoding: 'base64', unknown: ['user'] })
    const rest = { model: 'models/gemini-embedding-001', outputDimensionality: 256 }
    expect(buildEmbedContents(asked)).toEqual({
      requests: [
        { content: { parts: [{ text: 'one' }] }, ...rest },
        { content: { parts: [{ text: 'two' }] }, ...rest },
      ],
    })
  })

  it('of one text are a batch of one', () => {
    expect(buildEmbedContents(parseEmbeddings({ model: 'm', input: 'one' }))).toEqual({
      requests: [{ content: { parts: [{ text: 'one' }] }, model: 'models/m' }],
    })
  })

  it.each<[Json, string]>([
    [{ input: 'x' }, '`model` is required'],
    [{ model: 'm' }, '`input` must be text or a list of texts'],
    [{ model: 'm', input: [] }, '`input` must be text or a list of texts'],
    [{ model: 'm', input: [[1, 2]] }, '`input[0]` must be text: tokens are not translated'],
    [{ model: 'm', input: 'x', encoding_format: 'hex' }, '`encoding_format` must be float or base64'],
    [{ model: 'm', input: 'x', dimensions: 1.5 }, '`dimensions` must be a whole number'],
  ])('%j are refused: %s', (body, message) => {
    expect(() => parseEmbeddings(body)).toThrow(message)
  })

  it('of more texts than a batch takes are refused', () => {
    const asked = parseEmbeddings({ model: 'm', input: Array.from({ length: MAX_BATCH + 1 }, String) })
    expect(() => buildEmbedContents(asked)).toThrow('`input` must have at most 100 texts')
  })

  it('are answered in the encoding that was asked for', () => {
    const { vectors } = parseEmbeddingsAnswer({ embeddings: [{ values: [0.5, -1] }, { values: [2, 0.25] }] })
    const asked = { model: 'gemini-embedding-001', encoding: 'float' as const }
    expect(buildEmbeddingsAnswer(vectors, asked, 7)).toEqual({
      object: 'list',
      data: [
        { object: 'embedding', index: 0, embedding: [0.5, -1] },
        { object: 'embedding', index: 1, embedding: [2, 0.25] },
      ],
      model: 'gemini-embedding-001',
      usage: { prompt_tokens: 7, total_tokens: 7 },
    })
    const bytes = Buffer.from([0, 0, 0, 0x3f, 0, 0, 0x80, 0xbf])
    expect(buildEmbeddingsAnswer([[0.5, -1]], { ...asked, encoding: 'base64' }, 0).data).toMatchObject([
      { embedding: bytes.toString('base64') },
    ])
  })

  it('come back out of base64 as they went in', () => {
    const float32 = fc.float({ noNaN: true, noDefaultInfinity: true })
    fc.assert(
      fc.property(fc.array(fc.array(float32, { minLength: 1 }), { minLength: 1 }), (vectors) => {
        const answer = buildEmbeddingsAnswer(vectors, { model: 'm', encoding: 'base64' }, 3)
        expect(parseEmbeddingsAnswer(answer)).toEqual({ vectors, promptTokens: 3 })
      }),
    )
  })
})

describe('embeddings asked for as Gemini has it', () => {
  it('become one request, of a batch and of one', () => {
    const batch = parseEmbedContents(
      {
        requests: [
          { model: 'models/x', content: { parts: [{ text: 'one' }] }, outputDimensionality: 3, taskType: 'CLUSTERING' },
          { model: 'models/x', content: { parts: [{ text: 'tw' }, { text: 'o' }] }, output_dimensionality: 3 },
        ],
      },
      'models/text-embedding-3-small',
    )
    expect(batch.unknown).toEqual(['taskType'])
    expect(buildEmbeddings(batch)).toEqual({ model: 'text-embedding-3-small', input: ['one', 'two'], dimensions: 3 })
    const one = parseEmbedContents(
      { model: 'models/text-embedding-3-small', content: { parts: { text: 'one' } } },
      null,
    )
    expect(buildEmbeddings(one)).toEqual({ model: 'text-embedding-3-small', input: ['one'] })
  })

  it.each<[Json, string]>([
    [{ requests: [] }, '`requests` must have at least one'],
    [{ requests: [{}] }, '`requests[0].content` is required'],
    [{ content: { parts: [{ inlineData: {} }] } }, '`content.parts[0].text` is required'],
    [
      { requests: [{ content: {}, outputDimensionality: 1 }, { content: {} }] },
      '`requests` must all have the same `outputDimensionality`',
    ],
  ])('%j are refused: %s', (body, message) => {
    expect(() => parseEmbedContents(body, 'm')).toThrow(message)
  })

  it('are answered in the order of the texts, however the vectors were written', () => {
    const base64 = Buffer.from(new Float32Array([0.5]).buffer).toString('base64')
    const { vectors } = parseEmbeddingsAnswer({
      data: [
        { index: 1, embedding: base64 },
        { index: 0, embedding: [1] },
      ],
    })
    expect(buildEmbedAnswer(vectors, true)).toEqual({ embeddings: [{ values: [1] }, { values: [0.5] }] })
    expect(buildEmbedAnswer(vectors.slice(0, 1), false)).toEqual({ embedding: { values: [1] } })
  })

  it('of one are read too', () => {
    expect(parseEmbeddingsAnswer({ embedding: { values: [1, 2] } })).toEqual({ vectors: [[1, 2]], promptTokens: null })
  })

  it.each([[{}], [{ embeddings: [{}] }], [{ data: [{ embedding: ['x'] }] }], [{ error: {} }]])('are not %j', (body) => {
    expect(() => parseEmbeddingsAnswer(body)).toThrow(UnreadableAnswer)
  })
})

if (fixturesFolder === null) it.skip(`reads recorded embeddings (${NO_FIXTURES})`, () => {})
else
  it('as they were recorded, of both, are what the other side gets', () => {
    const batches = recordedAt(':batchEmbedContents')
    expect(batches.length).toBeGreaterThan(0)
    for (const { request, answer, model } of batches) {
      const asked = parseEmbedContents(request, model)
      expect(buildEmbedContents(asked)).toEqual(request)
      expect(buildEmbedAnswer(parseEmbeddingsAnswer(answer).vectors, true)).toEqual(answer)
    }
    const payloads = recordedPayloads('google-vertex')
    expect(payloads.map(({ bytes }) => parseEmbeddingsAnswer(JSON.parse(bytes.toString()) as Json))).toMatchObject([
      { vectors: [expect.any(Array), expect.any(Array)], promptTokens: 11 },
    ])
    const others = RECORDINGS.flatMap(recordedExchanges).filter(
      ({ path, status, host }) => path.endsWith('/embeddings') && status === 200 && host.includes('openai'),
    )
    expect(others.length).toBeGreaterThan(0)
    for (const { requestBody, responseBody, name } of others) {
      const body = JSON.parse(requestBody.toString()) as Json
      const answer = JSON.parse(responseBody.toString()) as { usage: { prompt_tokens: number }; data: object[] }
      const { vectors, promptTokens } = parseEmbeddingsAnswer(answer)
      expect([name, promptTokens]).toEqual([name, answer.usage.prompt_tokens])
      expect(vectors).toHaveLength(parseEmbeddings(body).texts.length)
      expect(vectors.every((vector) => vector.length > 100 && vector.every(Number.isFinite))).toBe(true)
    }
  })
