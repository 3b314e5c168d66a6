import { describe, expect, it } from '@jest/globals'
import type { Config } from '../../src/config/config.ts'
import { factsOf } from '../../src/formats/model-facts.ts'
import {
  type ConfiguredProvider,
  createProviders,
  factsAt,
  hasSharedKey,
  NO_KEY,
  PROVIDER_NAMES,
  providerNamesOf,
} from '../../src/providers/index.ts'

const off = () => null
/** The provider as it is with this configuration; it has to be there. */
function configured(name: string, own: Partial<Config['providers'][string]> = {}): ConfiguredProvider {
  const providers = { [name]: { apiKey: null, baseUrl: null, ...own } }
  return createProviders({ providers }, off).get(name)!
}
const everywhere = createProviders({ providers: {} }, off).list()

describe('a provider', () => {
  it('is reached at its public address, over TLS, unless the operator says another', () => {
    for (const provider of everywhere) {
      expect(provider.origin).toMatch(/^https:\/\/[\w.-]+$/)
      expect(provider.baseUrl.startsWith(provider.origin)).toBe(true)
      expect([provider.basePath.endsWith('/'), provider.sharedKey]).toEqual([false, null])
    }
  })

  it.each([
    ['https://llm.example.com', 'https://llm.example.com', ''],
    ['https://llm.example.com/', 'https://llm.example.com', ''],
    ['http://10.0.0.5:8000/v1', 'http://10.0.0.5:8000', '/v1'],
    ['http://10.0.0.5:8000/api/v1///', 'http://10.0.0.5:8000', '/api/v1'],
    ['http://[::1]:9/v1', 'http://[::1]:9', '/v1'],
  ])('configured at %s is asked at %s below %j', (baseUrl, origin, basePath) => {
    expect(configured('openai', { apiKey: 'k', baseUrl })).toMatchObject({ origin, basePath, sharedKey: 'k' })
  })

  it('that nobody knows is none, whatever its name', () => {
    const providers = createProviders({ providers: { nobody: { apiKey: 'k', baseUrl: null } } }, off)
    for (const name of ['nobody', '', 'OPENAI', 'constructor', '__proto__', 'toString'])
      expect(providers.get(name)).toBeNull()
  })

  it('carries its key as a bearer in requests of OpenAI’s API', () => {
    for (const provider of everywhere) expect(provider.authHeaders('sk-x')).toEqual({ authorization: 'Bearer sk-x' })
  })

  it.each([
    ['anthropic', '/messages', { 'x-api-key': 'k' }],
    ['gemini', '/models/gemini-3-pro:generateContent', { 'x-goog-api-key': 'k' }],
    ['openrouter', '/chat/completions', undefined],
  ])('%s is spoken to in its first dialect at %s', (name, path, auth) => {
    const [speech] = configured(name).speaks
    expect([speech!.path('gemini-3-pro', false), speech!.authHeaders?.('k')]).toEqual([path, auth])
  })

  it.each([
    ['openai', ['openai-chat', 'openai-responses']],
    ['xai', ['openai-chat', 'openai-responses']],
    ['openrouter', ['openai-chat', 'anthropic-messages']],
    ['deepseek', ['openai-chat', 'anthropic-messages']],
    ['anthropic', ['anthropic-messages']],
    ['gemini', ['gemini']],
    ['groq', ['openai-chat']],
  ])('%s understands %j by itself', (name, dialects) => {
    expect(configured(name).speaks.map(({ dialect }) => dialect)).toEqual(dialects)
  })

  it('is one of those that issue and DESIGN name', () => {
    expect([...PROVIDER_NAMES].sort()).toEqual(
      'anthropic azure-openai deepseek fireworks gemini groq mistral ollama openai openrouter together vllm xai zai'.split(
        ' ',
      ),
    )
  })

  it('says of a model what it refuses itself', () => {
    expect(factsAt(configured('deepseek'), 'deepseek-chat')).toMatchObject({ takesSchema: false, takesThinking: true })
    expect(factsAt(configured('openai'), 'gpt-5')).toEqual(factsOf('gpt-5'))
  })
})

describe('DeepSeek', () => {
  it.each([
    ['https://api.deepseek.com', ['/chat/completions', '/anthropic/v1/messages']],
    ['https://api.deepseek.com/v1', ['/chat/completions']],
    ['https://gateway.example.com/deepseek', ['/chat/completions']],
  ])('at %s is spoken to at %j', (baseUrl, paths) => {
    expect(configured('deepseek', { baseUrl }).speaks.map((speech) => speech.path('m', false))).toEqual(paths)
  })
})

describe('a provider that needs no key', () => {
  it.each(['ollama', 'vllm'])('is not there until the operator says where it is: %s', (name) => {
    expect(everywhere.map((provider) => provider.name)).not.toContain(name)
    expect(configured(name, { baseUrl: 'http://127.0.0.1:1/v1' })).toMatchObject({ name, sharedKey: NO_KEY })
    expect(hasSharedKey({ providers: { [name]: { apiKey: null, baseUrl: 'http://127.0.0.1:1/v1' } } })).toBe(true)
  })

  it('is sent no key where there is none, and the one that there is', () => {
    const { authHeaders, sharedKey } = configured('vllm', { baseUrl: 'http://127.0.0.1:1/v1' })
    expect([authHeaders(sharedKey!), authHeaders('k')]).toEqual([{}, { authorization: 'Bearer k' }])
    expect(configured('vllm', { baseUrl: 'http://127.0.0.1:1/v1', apiKey: 'k' }).sharedKey).toBe('k')
  })

  it('is none of those that need one, also at another address', () => {
    expect(configured('openai', { baseUrl: 'http://127.0.0.1:1/v1' }).sharedKey).toBeNull()
    expect(hasSharedKey({ providers: { openai: { apiKey: null, baseUrl: 'http://127.0.0.1:1/v1' } } })).toBe(false)
  })
})

describe('a provider of the operator’s own', () => {
  const baseUrl = 'https://llm.example.com/v2'

  it.each([
    ['openai', ['openai-chat'], '/chat/completions', { authorization: 'Bearer k' }, '/embeddings'],
    ['anthropic', ['anthropic-messages'], '/messages', { 'x-api-key': 'k' }, null],
    ['gemini', ['gemini'], '/models/m:generateContent', { 'x-goog-api-key': 'k' }, null],
  ] as const)('of kind %s speaks as that one does', (kind, dialects, path, auth, embeddings) => {
    const own = configured('my-llm', { kind, baseUrl, apiKey: 'k' })
    const [speech] = own.speaks
    expect(own).toMatchObject({ name: 'my-llm', origin: 'https://llm.example.com', basePath: '/v2', sharedKey: 'k' })
    expect(own.speaks.map(({ dialect }) => dialect)).toEqual(dialects)
    expect([speech!.path('m', false), own.authHeaders('k')]).toEqual([path, auth])
    expect(own.pathOf('/embeddings', 'm')).toBe(embeddings)
  })

  it('gets its headers wherever its key goes, and without a key the headers alone', () => {
    const headers = { 'x-team': 'a' }
    const own = configured('my-llm', { kind: 'anthropic', baseUrl, headers })
    const auths = [own.authHeaders, own.speaks[0]!.authHeaders!, own.modelListing!.authHeaders!, own.probe.authHeaders!]
    for (const auth of auths) {
      expect(auth(own.sharedKey!)).toEqual(headers)
      expect(auth('k')).toEqual({ 'x-api-key': 'k', ...headers })
    }
  })

  it('stands behind the built-in ones, in the order of the file', () => {
    const own = { kind: 'openai' as const, apiKey: null, baseUrl }
    const config = { providers: { zeta: own, alpha: own } }
    const names = createProviders(config, () => 'http://127.0.0.1:7/v1').list()
    expect(names.map(({ name }) => name).slice(-3)).toEqual(['zeta', 'alpha', 'demo'])
    expect(providerNamesOf(config)).toEqual([...PROVIDER_NAMES, 'zeta', 'alpha'])
  })

  it('is asked for usage in streams unless it is said that it refuses that', () => {
    expect(configured('my-llm', { kind: 'openai', baseUrl }).takesStreamOptions).toBe(true)
    expect(configured('my-llm', { kind: 'openai', baseUrl, streamOptions: false }).takesStreamOptions).toBe(false)
  })
})

it('the demo provider is there while it is on, and listed last', () => {
  let url: string | null = null
  const providers = createProviders({ providers: {} }, () => url)
  expect(providers.get('demo')).toBeNull()
  expect(providers.list().map(({ name }) => name)).not.toContain('demo')
  url = 'http://127.0.0.1:7/v1'
  expect(providers.get('demo')).toMatchObject({ origin: 'http://127.0.0.1:7', basePath: '/v1', sharedKey: 'demo' })
  expect(providers.list().at(-1)?.name).toBe('demo')
})
