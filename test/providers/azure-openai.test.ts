import { describe, expect, it } from '@jest/globals'
import { type ConfiguredProvider, createProviders } from '../../src/providers/index.ts'

const ENDPOINT = 'https://me.openai.azure.com'

const azure = (
  baseUrl: string | null,
  apiVersion: string | null = null,
  models?: string[],
): ConfiguredProvider | null =>
  createProviders(
    { providers: { 'azure-openai': { apiKey: 'k', baseUrl, apiVersion, ...(models && { models }) } } },
    () => null,
  ).get('azure-openai')

/** The whole address of a chat with the deployment `d`. */
const chatAt = ({ origin, basePath, speaks }: ConfiguredProvider) => `${origin}${basePath}${speaks[0]!.path('d', true)}`
/** Where another request goes, below the base URL. */
const below = (provider: ConfiguredProvider | null, path: string, model: string | null = 'd') =>
  provider!.pathOf(path, model)

describe('Azure', () => {
  it('is not there until the operator names his resource', () => {
    expect(azure(null)).toBeNull()
    expect(azure(null, '2024-10-21')).toBeNull()
  })

  it('carries its key in a header of its own', () => {
    expect(azure(ENDPOINT)!.authHeaders('k')).toEqual({ 'api-key': 'k' })
  })

  it.each([
    [ENDPOINT, `${ENDPOINT}/openai/v1/chat/completions`],
    [`${ENDPOINT}/`, `${ENDPOINT}/openai/v1/chat/completions`],
    [`${ENDPOINT}/openai`, `${ENDPOINT}/openai/v1/chat/completions`],
    [`${ENDPOINT}/openai/v1/`, `${ENDPOINT}/openai/v1/chat/completions`],
    ['https://apim.example.com/llm', 'https://apim.example.com/llm/chat/completions'],
  ])('without a version, at %s, is asked as OpenAI is, at %s', (baseUrl, url) => {
    for (const version of [null, 'v1']) expect(chatAt(azure(baseUrl, version)!)).toBe(url)
    expect(below(azure(baseUrl), '/embeddings')).toBe('/embeddings')
    expect(azure(baseUrl)!.speaks.map(({ dialect }) => dialect)).toEqual(['openai-chat', 'openai-responses'])
  })

  it('with the version `preview` is asked in the same place, and told so', () => {
    const provider = azure(ENDPOINT, 'preview')!
    expect(chatAt(provider)).toBe(`${ENDPOINT}/openai/v1/chat/completions?api-version=preview`)
    expect(below(provider, '/files')).toBe('/files?api-version=preview')
  })

  it.each([
    [ENDPOINT, `${ENDPOINT}/openai`],
    [`${ENDPOINT}/openai`, `${ENDPOINT}/openai`],
    [`${ENDPOINT}/openai/v1`, `${ENDPOINT}/openai`],
    ['https://apim.example.com/llm', 'https://apim.example.com/llm'],
  ])('with a date, at %s, has the deployment in the path', (baseUrl, base) => {
    const provider = azure(baseUrl, '2024-10-21')!
    expect(chatAt(provider)).toBe(`${base}/deployments/d/chat/completions?api-version=2024-10-21`)
    expect(provider.speaks).toHaveLength(1)
  })

  it('with a date, has deployments for what works on a model, and nothing else', () => {
    const provider = azure(ENDPOINT, '2025-04-01-preview')
    const version = '?api-version=2025-04-01-preview'
    for (const path of ['/embeddings', '/completions', '/images/generations', '/audio/transcriptions'])
      expect(below(provider, path)).toBe(`/deployments/d${path}${version}`)
    for (const path of ['/files', '/batches', '/models', '/chat/completions/x'])
      expect(below(provider, path)).toBe(`${path}${version}`)
    // A form whose model is not read yet has no place to go.
    expect(below(provider, '/audio/transcriptions', null)).toBeNull()
  })

  it.each([
    ['my gpt/4?', 'my%20gpt%2F4%3F'],
    ['..', '_'],
    ['.', '_'],
  ])('lets no deployment named %j lead elsewhere', (model, segment) => {
    expect(below(azure(ENDPOINT, '2024-10-21'), '/embeddings', model)).toBe(
      `/deployments/${segment}/embeddings?api-version=2024-10-21`,
    )
  })

  it('is asked for usage in streams from the first version on that knows how', () => {
    const takes = (version: string | null) => azure(ENDPOINT, version)!.takesStreamOptions
    expect([null, '2024-06-01', '2024-09-01-preview', '2024-10-21'].map(takes)).toEqual([true, false, true, true])
  })

  it('has the models that the operator names, since its own list is of what could be deployed', () => {
    expect(azure(ENDPOINT)).toMatchObject({ modelListing: null, ownModels: null })
    expect(azure(ENDPOINT, null, ['gpt', 'mini'])!.ownModels).toEqual([{ id: 'gpt' }, { id: 'mini' }])
  })
})
