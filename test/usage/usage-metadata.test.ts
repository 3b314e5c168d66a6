import { describe, expect, it } from '@jest/globals'
import { readUsage, usageOf } from '../../src/usage/read-usage.ts'
import { addUsageMetadata } from '../../src/usage/usage-metadata.ts'
import { recordedAnswers, recordedStreams } from '../formats/gemini/recorded.ts'
import { fixturesFolder, NO_FIXTURES } from '../helpers/fixtures.ts'

type Counts = Record<string, number>

describe('what Gemini reports', () => {
  it('is read as it is meant: thoughts beside the candidates, tools beside the prompt, the cache inside it', () => {
    const usageMetadata = {
      promptTokenCount: 100,
      cachedContentTokenCount: 60,
      toolUsePromptTokenCount: 20,
      candidatesTokenCount: 30,
      thoughtsTokenCount: 15,
      totalTokenCount: 165,
      promptTokensDetails: [
        { modality: 'TEXT', tokenCount: 50 },
        { modality: 'IMAGE', tokenCount: 40 },
        { modality: 'AUDIO', tokenCount: 10 },
      ],
      toolUsePromptTokensDetails: [{ modality: 'IMAGE', tokenCount: 5 }],
      cacheTokensDetails: [{ modality: 'AUDIO', tokenCount: 4 }],
      candidatesTokensDetails: [{ modality: 'IMAGE', tokenCount: 25 }],
    }
    expect(usageOf({ candidates: [], usageMetadata })).toBe(usageMetadata)
    expect(readUsage(usageMetadata)).toEqual({
      inputTokens: 120,
      outputTokens: 45,
      cachedTokens: 60,
      cacheWriteTokens: 0,
      reasoningTokens: 15,
      details: {
        input_image_tokens: 45,
        input_audio_tokens: 10,
        cache_audio_read_tokens: 4,
        output_image_tokens: 25,
      },
      source: 'reported',
    })
  })

  it('may leave out what is zero', () => {
    expect(readUsage({ promptTokenCount: 4 })).toMatchObject({ inputTokens: 4, outputTokens: 0, details: null })
    expect(readUsage({ promptTokenCount: 4, thoughtsTokenCount: 9 })).toMatchObject({
      outputTokens: 9,
      reasoningTokens: 9,
    })
    expect(readUsage({ candidatesTokenCount: 3 })).toMatchObject({ inputTokens: 0, outputTokens: 3 })
  })

  it('is nothing where it counts nothing of its own', () => {
    for (const raw of [
      { totalTokenCount: 9 },
      { trafficType: 'ON_DEMAND' },
      { promptTokenCount: null },
      { promptTokenCount: -1 },
    ])
      expect(readUsage(raw)).toBeNull()
  })

  it('is not made less by numbers that are none', () => {
    expect(readUsage({ promptTokenCount: 10, toolUsePromptTokenCount: -5, candidatesTokenCount: 1.5 })).toMatchObject({
      inputTokens: 10,
      outputTokens: 0,
    })
  })

  it('in a stream holds until it is more', () => {
    const first = { promptTokenCount: 10, cachedContentTokenCount: 8, candidatesTokenCount: 1 }
    const then = addUsageMetadata(first, { promptTokenCount: 10, candidatesTokenCount: 5 })
    expect(addUsageMetadata(then, { candidatesTokenCount: 4, thoughtsTokenCount: 2 })).toEqual({
      promptTokenCount: 10,
      cachedContentTokenCount: 8,
      candidatesTokenCount: 5,
      thoughtsTokenCount: 2,
    })
  })
})

if (fixturesFolder === null) it.skip(`of recorded answers adds up (${NO_FIXTURES})`, () => {})
else
  describe('of recorded answers', () => {
    it.each(recordedAnswers)('all is counted: $name', ({ answer }) => {
      const { totalTokenCount, cachedContentTokenCount = 0, thoughtsTokenCount = 0 } = answer.usageMetadata as Counts
      const usage = readUsage(usageOf(answer))!
      expect(usage.inputTokens + usage.outputTokens).toBe(totalTokenCount)
      expect(usage).toMatchObject({ cachedTokens: cachedContentTokenCount, reasoningTokens: thoughtsTokenCount })
    })

    it.each(recordedStreams)('the last event counts all: $name', ({ chunks }) => {
      const counts = chunks.map(({ usageMetadata }) => (usageMetadata ?? {}) as Counts)
      const usage = readUsage(counts.reduce(addUsageMetadata, {}))!
      expect(usage.inputTokens + usage.outputTokens).toBe(counts.at(-1)!.totalTokenCount)
    })
  })
