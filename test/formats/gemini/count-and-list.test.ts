import { describe, expect, it } from '@jest/globals'
import { UnreadableAnswer } from '../../../src/formats/dialect.ts'
import {
  buildCountTokens,
  buildCountTokensAnswer,
  parseCountTokens,
  parseCountTokensAnswer,
} from '../../../src/formats/gemini/count-tokens.ts'
import { buildModel, buildModels, parseModels } from '../../../src/formats/gemini/models.ts'
import { factsOf } from '../../../src/formats/model-facts.ts'
import { fixturesFolder, NO_FIXTURES } from '../../helpers/fixtures.ts'
import { aRequest } from './project.ts'
import { recordedAt } from './recorded.ts'

const PLACE = { model: 'gemini-2.5-flash', stream: null }
const contents = [{ role: 'user', parts: [{ text: 'Hello' }] }]

describe('tokens', () => {
  it('are counted of contents, or of a whole request', () => {
    const bare = parseCountTokens({ contents }, PLACE)
    const whole = parseCountTokens(
      { generate_content_request: { contents, system_instruction: { parts: [{ text: 'Be' }] } } },
      PLACE,
    )
    expect(bare.messages).toHaveLength(1)
    expect(whole.messages).toHaveLength(2)
    expect(whole.model).toBe('gemini-2.5-flash')
  })

  it('are asked for of a whole request', () => {
    const request = aRequest({ messages: [{ role: 'user', parts: [{ type: 'text', text: 'Hello' }] }] })
    expect(buildCountTokens(request, factsOf(request.model), () => {})).toEqual({
      generateContentRequest: { model: 'models/gemini-2.5-flash', contents },
    })
  })

  it('are told and read', () => {
    expect(parseCountTokensAnswer(buildCountTokensAnswer(8))).toBe(8)
    for (const body of [{}, { totalTokens: -1 }, { totalTokens: 'x' }])
      expect(() => parseCountTokensAnswer(body)).toThrow(UnreadableAnswer)
  })

  if (fixturesFolder === null) it.skip(`as they were recorded are read (${NO_FIXTURES})`, () => {})
  else
    it('as they were recorded are read', () => {
      const counted = recordedAt(':countTokens')
      expect(counted.length).toBeGreaterThan(0)
      for (const { request, answer, model } of counted) {
        const asked = parseCountTokens(request, { model, stream: null })
        expect(buildCountTokens(asked, factsOf(model), () => {})).toEqual(request)
        expect(buildCountTokensAnswer(parseCountTokensAnswer(answer))).toEqual(answer)
      }
    })
})

describe('models', () => {
  it('are listed as clients of this dialect look for them', () => {
    const known = { id: 'openai:gpt-4o', name: 'GPT-4o', maxInput: 128_000, maxOutput: 16_384 }
    const unknown = { id: 'local', name: 'local', maxInput: null, maxOutput: null }
    const methods = { supportedGenerationMethods: ['generateContent', 'streamGenerateContent', 'countTokens'] }
    expect(buildModels([known, unknown])).toEqual({
      models: [
        {
          name: 'models/openai:gpt-4o',
          displayName: 'GPT-4o',
          inputTokenLimit: 128_000,
          outputTokenLimit: 16_384,
          ...methods,
        },
        { name: 'models/local', displayName: 'local', ...methods },
      ],
    })
    expect(buildModel(unknown)).toEqual({ name: 'models/local', displayName: 'local', ...methods })
    expect(parseModels(buildModels([known, unknown]))).toEqual([known, unknown])
  })

  it('of a provider that make something else are left out', () => {
    const body = {
      models: [
        { name: 'models/gemini-2.5-flash', supportedGenerationMethods: ['generateContent', 'countTokens'] },
        { name: 'models/gemini-embedding-001', supportedGenerationMethods: ['embedContent'] },
        { name: 'models/veo-3', supportedGenerationMethods: ['predictLongRunning'] },
      ],
    }
    expect(parseModels(body).map(({ id }) => id)).toEqual(['gemini-2.5-flash', 'gemini-embedding-001'])
    expect(parseModels({})).toEqual([])
  })
})
