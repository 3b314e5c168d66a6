import { describe, expect, it } from '@jest/globals'
import { anthropicModels, geminiModels, openAiModels } from '../../src/providers/model-listing.ts'

describe('a list of models', () => {
  const card = { id: 'm', object: 'model', created: 1, owned_by: 'x', more: [1] }

  it.each([
    ['as OpenAI gives it', { object: 'list', data: [card] }, [card]],
    ['without what OpenAI says around it', { data: [card] }, [card]],
    ['as Together gives it', [card], [card]],
    ['of an Ollama without any', { object: 'list', data: null }, []],
    ['with entries that are no models', { data: [null, 5, 'm', {}, { id: 7 }, { id: '' }, card] }, [card]],
  ])('%s', (_name, body, models) => {
    expect(openAiModels.read(body)).toEqual({ models, next: null })
  })

  it.each([null, 5, 'x', {}, { data: 'x' }, { data: null }, { models: [] }, { error: {} }])(
    'is none of OpenAI’s: %j',
    (body) => {
      expect(openAiModels.read(body)).toBeNull()
    },
  )

  it('of Anthropic becomes OpenAI’s, page by page, and keeps what it says', () => {
    const one = {
      type: 'model',
      id: 'claude-opus-5',
      display_name: 'Claude Opus 5',
      created_at: '2026-05-01T00:00:00Z',
    }
    expect(anthropicModels.read({ data: [one, { id: 3 }], has_more: true, last_id: 'claude-opus-5' })).toEqual({
      models: [{ ...one, object: 'model', created: 1_777_593_600, owned_by: 'anthropic' }],
      next: 'claude-opus-5',
    })
    expect(anthropicModels.path('a/b')).toBe('/models?limit=1000&after_id=a%2Fb')
    expect(anthropicModels.path(null)).toBe('/models?limit=1000')
    const last = anthropicModels.read({ data: [{ id: 'x', created_at: 'never' }], has_more: false, last_id: 'x' })
    expect(last).toEqual({
      models: [{ id: 'x', object: 'model', owned_by: 'anthropic', created_at: 'never' }],
      next: null,
    })
    for (const body of [null, [], {}, { data: 1 }]) expect(anthropicModels.read(body)).toBeNull()
  })

  it('of Google becomes OpenAI’s, under the names that requests say', () => {
    const one = { displayName: 'Gemini 3 Pro', inputTokenLimit: 1_048_576, supportedGenerationMethods: ['countTokens'] }
    expect(
      geminiModels.read({ models: [{ name: 'models/gemini-3-pro', ...one }, { name: 4 }, 'x'], nextPageToken: 'p2' }),
    ).toEqual({ models: [{ id: 'gemini-3-pro', object: 'model', owned_by: 'google', ...one }], next: 'p2' })
    expect(geminiModels.path('p 2')).toBe('/models?pageSize=1000&pageToken=p%202')
    expect(geminiModels.read({ models: [], nextPageToken: '' })).toEqual({ models: [], next: null })
    for (const body of [null, [], {}, { models: {} }]) expect(geminiModels.read(body)).toBeNull()
  })
})
