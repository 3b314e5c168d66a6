import { describe, expect, it } from '@jest/globals'
import { type Json, UnreadableAnswer } from '../../../src/formats/dialect.ts'
import {
  buildEmbedAnswer,
  buildEmbeddings,
  parseEmbedContents,
  parseVectors,
} from '../../../src/formats/gemini/embeddings.ts'
import { fixturesFolder, NO_FIXTURES, RECORDINGS, recordedExchanges } from '../../helpers/fixtures.ts'
import { recordedAt } from './recorded.ts'

describe('embeddings asked for as Gemini has it', () => {
  it('become one request, of a batch and of one', () => {
    const batch = parseEmbedContents({
      requests: [
        { model: 'models/x', content: { parts: [{ text: 'one' }] }, outputDimensionality: 3, taskType: 'CLUSTERING' },
        { model: 'models/x', content: { parts: [{ text: 'tw' }, { text: 'o' }] }, output_dimensionality: 3 },
      ],
    })
    expect(batch).toMatchObject({ isBatch: true, unknown: ['taskType'] })
    expect(buildEmbeddings('text-embedding-3-small', batch)).toEqual({
      model: 'text-embedding-3-small',
      input: ['one', 'two'],
      dimensions: 3,
    })
    const one = parseEmbedContents({ model: 'models/x', content: { parts: { text: 'one' } } })
    expect(one).toMatchObject({ isBatch: false, unknown: [] })
    expect(buildEmbeddings('m', one)).toEqual({ model: 'm', input: ['one'] })
  })

  it.each<[Json, string]>([
    [{ requests: [] }, '`requests` must have at least one'],
    [{ requests: [{}] }, '`requests[0].content` is required'],
    [{ content: { parts: [{ inlineData: {} }] } }, '`content.parts[0].text` is required'],
    [{ content: {}, outputDimensionality: 1.5 }, '`outputDimensionality` must be a whole number'],
    [
      { requests: [{ content: {}, outputDimensionality: 1 }, { content: {} }] },
      '`requests` must all have the same `outputDimensionality`',
    ],
  ])('%j are refused: %s', (body, message) => {
    expect(() => parseEmbedContents(body)).toThrow(message)
  })

  it('are answered in the order of the texts', () => {
    const data = [
      { index: 1, embedding: [0.5] },
      { index: 0, embedding: [1] },
    ]
    const batch = parseEmbedContents({ requests: [{ content: {} }, { content: {} }] })
    expect(buildEmbedAnswer(parseVectors({ data }), batch)).toEqual({
      embeddings: [{ values: [1] }, { values: [0.5] }],
    })
    const one = parseEmbedContents({ content: {} })
    expect(buildEmbedAnswer([[1]], one)).toEqual({ embedding: { values: [1] } })
  })

  it.each([[{}], [{ data: [{}] }], [{ data: [{ embedding: ['x'] }] }], [{ error: {} }]])('are not %j', (body) => {
    expect(() => parseVectors(body)).toThrow(UnreadableAnswer)
  })
})

if (fixturesFolder === null) it.skip(`reads recorded embeddings (${NO_FIXTURES})`, () => {})
else
  it('are read as they were recorded, and written as Gemini has them', () => {
    const batches = recordedAt(':batchEmbedContents')
    expect(batches.length).toBeGreaterThan(0)
    for (const { request, answer } of batches) {
      const asked = parseEmbedContents(request)
      const vectors = (answer.embeddings as { values: number[] }[]).map(({ values }) => values)
      expect(asked.texts).toHaveLength(vectors.length)
      expect(buildEmbedAnswer(vectors, asked)).toEqual(answer)
    }
    const others = RECORDINGS.flatMap(recordedExchanges).filter(
      ({ path, status, host, requestBody }) =>
        path.endsWith('/embeddings') && status === 200 && host.includes('openai') && !requestBody.includes('base64'),
    )
    expect(others.length).toBeGreaterThan(0)
    for (const { responseBody } of others) {
      const vectors = parseVectors(JSON.parse(responseBody.toString()) as Json)
      expect(vectors.every((vector) => vector.length > 100 && vector.every(Number.isFinite))).toBe(true)
    }
  })
