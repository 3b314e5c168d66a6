import { describe, expect, it } from '@jest/globals'
import { createProviders, PROVIDER_NAMES } from '../../src/providers/index.ts'

const off = () => null

describe('a provider', () => {
  it('is reached at its public address, over TLS, unless the operator says another', () => {
    for (const provider of createProviders({ providers: {} }, off).list()) {
      expect(provider.origin).toMatch(/^https:\/\/[\w.-]+$/)
      expect(provider.baseUrl!.startsWith(provider.origin)).toBe(true)
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
    const providers = createProviders({ providers: { openai: { apiKey: 'k', baseUrl } } }, off)
    expect(providers.get('openai')).toMatchObject({ origin, basePath, sharedKey: 'k' })
  })

  it('that nobody knows is none, whatever its name', () => {
    const providers = createProviders({ providers: { nobody: { apiKey: 'k', baseUrl: null } } }, off)
    for (const name of ['nobody', '', 'OPENAI', 'constructor', '__proto__', 'toString'])
      expect(providers.get(name)).toBeNull()
  })

  it('carries its key as a bearer', () => {
    for (const provider of createProviders({ providers: {} }, off).list()) {
      expect(provider.authHeaders('sk-x')).toEqual({ authorization: 'Bearer sk-x' })
    }
  })

  it('is one of those that DESIGN names', () => {
    expect([...PROVIDER_NAMES].sort()).toEqual(['anthropic', 'gemini', 'mistral', 'openai', 'openrouter', 'zai'])
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
