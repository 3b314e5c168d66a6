// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${NAME} is what users write in YAML
import { describe, expect, it } from '@jest/globals'
import { load, problemsOf } from './load-from.ts'

const yaml = (...lines: string[]) => ({
  'llm-proxy.yaml': `providers:\n${lines.map((line) => `  ${line}\n`).join('')}`,
})
const providersOf = (lines: string[], env: Record<string, string> = {}) => load(env, yaml(...lines)).config.providers

describe('providers of the operator’s own', () => {
  it('stand beside the built-in ones, as many as there are', () => {
    const providers = providersOf(
      [
        'openai: { api_key: sk-o }',
        'my-llm:',
        '  kind: openai',
        '  base_url: https://llm.example.com/v1/',
        '  api_key: ${MY_KEY}',
        '  models: [small, large, small]',
        '  headers: { X-Team: a, HTTP-Referer: "${SITE:-https://example.com}" }',
        '  stream_options: false',
        'other2: { kind: Anthropic, base_url: "${OTHER}" }',
      ],
      { MY_KEY: 'sk-mine', OTHER: 'http://10.0.0.1/v1' },
    )
    expect(providers.openai).toEqual({ apiKey: 'sk-o', baseUrl: null })
    expect(providers['my-llm']).toEqual({
      kind: 'openai',
      baseUrl: 'https://llm.example.com/v1',
      apiKey: 'sk-mine',
      models: ['small', 'large'],
      headers: { 'x-team': 'a', 'http-referer': 'https://example.com' },
      streamOptions: false,
    })
    expect(providers.other2).toEqual({ kind: 'anthropic', baseUrl: 'http://10.0.0.1/v1', apiKey: null })
    expect(Object.isFrozen(providers['my-llm']!.headers)).toBe(true)
  })

  it('need no key, and a key without a value is none', () => {
    expect(providersOf(['my-llm: { kind: openai, base_url: "http://h/v1", api_key: }'])['my-llm']!.apiKey).toBeNull()
    expect(
      providersOf(['my-llm: { kind: openai, base_url: "http://h/v1", api_key: "${NONE:-}" }'])['my-llm']!.apiKey,
    ).toBeNull()
  })

  it('can be the default one', () => {
    const files = yaml('my-llm: { kind: openai, base_url: "http://h/v1" }')
    expect(load({ DEFAULT_PROVIDER: 'My-LLM' }, files).config.defaultProvider).toBe('my-llm')
    expect(problemsOf({ DEFAULT_BACKEND: 'your-llm' }, files)).toEqual([
      expect.stringMatching(/^DEFAULT_BACKEND: must be one of openai, .*, vllm, my-llm \(now "your-llm"\)$/),
    ])
    expect(problemsOf({}, { 'llm-proxy.yaml': 'default_provider: acme' })).toEqual([
      expect.stringMatching(/^llm-proxy\.yaml: default_provider: must be one of openai, .* \(now "acme"\)$/),
    ])
  })

  it('have prices like any other', () => {
    const files = { 'llm-proxy.yaml': 'prices: { models: [{ provider: my-llm, model: "*", input: 1, output: 2 }] }' }
    expect(load({}, files).config.prices.models[0]).toMatchObject({ provider: 'my-llm', input: 1 })
  })

  it('tell all that is wrong with them at once, each with the name to change', () => {
    const problems = problemsOf(
      {},
      yaml(
        'My_LLM: { kind: openai, base_url: "http://h/v1" }',
        'x: { kind: openai, base_url: "http://h/v1" }',
        'demo: { kind: openai, base_url: "http://h/v1" }',
        'manage: { kind: openai, base_url: "http://h/v1" }',
        'one: { kind: cohere, base_url: "ftp://h", api_key: "with space", models: [""], headers: { "a b": x, Host: y }, stream_options: maybe }',
        'two: { kind: openai, baseurl: "http://h/v1" }',
        'three: { kind: openai, base_url: "${NOWHERE}", headers: { a: 5 } }',
        'four: { kind: , base_url: "http://h/v1?x=1" }',
      ),
    )
    const at = (place: string, text: string) => `llm-proxy.yaml: providers.${place}: ${text}`
    expect(problems).toEqual([
      at('My_LLM', "a provider's name has 2 to 31 lower-case letters, digits and hyphens, a letter first"),
      at('x', "a provider's name has 2 to 31 lower-case letters, digits and hyphens, a letter first"),
      at('demo', 'is the name of a built-in provider; choose another'),
      at('manage', 'is a path of the gateway; choose another name'),
      at('one.kind', 'must be one of openai, anthropic, gemini (now "cohere")'),
      expect.stringContaining('providers.one.api_key: must be visible ASCII characters'),
      at('one.base_url', 'must be an address that starts with http:// or https://'),
      at('one.models', 'entry 1 must not be empty'),
      at('one.headers', 'a b is no header name'),
      at('one.headers', 'Host is set by the gateway'),
      at('one.stream_options', 'must be true or false (now "maybe")'),
      at('two.baseurl', 'unknown key; did you mean base_url?'),
      at('two.base_url', "is missing: the provider's address with its version path"),
      at('three.base_url', 'needs the environment variable NOWHERE, which is not set'),
      at('three.headers', 'a must be text (in YAML, put it in quotes)'),
      at('four.kind', 'is missing: openai, anthropic or gemini'),
      at('four.base_url', 'must not contain a query (?) or a fragment (#)'),
    ])
  })

  it('are told from misspelt ones by their kind', () => {
    expect(problemsOf({}, yaml('opnai: { api_key: x }'))).toEqual([
      'llm-proxy.yaml: providers.opnai: unknown key; did you mean providers.openai?',
    ])
    expect(problemsOf({}, yaml('my-llm: { base_url: "http://h/v1" }', 'your-llm: http://h'))).toEqual([
      'llm-proxy.yaml: providers.my-llm: unknown provider; one of your own needs kind (openai, anthropic or gemini)',
      'llm-proxy.yaml: providers.your-llm: unknown provider; one of your own needs kind (openai, anthropic or gemini)',
    ])
    expect(problemsOf({}, yaml('openai: { kind: openai, base_url: "http://h/v1" }'))).toEqual([
      'llm-proxy.yaml: providers.openai.kind: unknown key',
    ])
  })

  it('never have their secrets quoted', () => {
    const problems = problemsOf(
      { SECRET: 'planted secret' },
      yaml(
        'my-llm: { kind: "${SECRET}", base_url: "https://me:planted@h/v1", api_key: planted secret, headers: planted }',
      ),
    )
    expect(problems).toHaveLength(4)
    expect(problems.join()).not.toContain('planted')
  })

  it('cannot reach into the program by their names', () => {
    const providers = providersOf(['constructor: { kind: openai, base_url: "http://h/v1" }'])
    expect(Object.hasOwn(providers, 'constructor')).toBe(true)
    expect(problemsOf({}, yaml('__proto__: { kind: openai, base_url: "http://h/v1" }'))).toHaveLength(1)
  })
})

describe('Azure', () => {
  it('is configured by the names that its own SDKs use', () => {
    const env = {
      AZURE_API_KEY: 'k',
      AZURE_OPENAI_ENDPOINT: 'https://me.openai.azure.com/',
      OPENAI_API_VERSION: '2024-10-21',
      AZURE_OPENAI_DEPLOYMENTS: 'gpt, mini',
    }
    expect(load(env).config.providers['azure-openai']).toEqual({
      apiKey: 'k',
      baseUrl: 'https://me.openai.azure.com',
      apiVersion: '2024-10-21',
      models: ['gpt', 'mini'],
    })
  })

  it('or in YAML', () => {
    const own =
      'azure-openai: { api_key: k, base_url: "https://me.openai.azure.com", api_version: preview, deployments: [gpt] }'
    expect(providersOf([own])['azure-openai']).toMatchObject({ apiVersion: 'preview', models: ['gpt'] })
  })

  it('is nothing without its address, and says so', () => {
    expect(load({ AZURE_OPENAI_API_KEY: 'k' }).warnings).toEqual([
      'AZURE_OPENAI_API_KEY: has no effect without AZURE_OPENAI_BASE_URL',
    ])
    expect(load({ AZURE_OPENAI_API_KEY: 'k', AZURE_OPENAI_ENDPOINT: 'https://me' }).warnings).toEqual([])
  })

  it('has versions that exist', () => {
    expect(problemsOf({ AZURE_OPENAI_API_VERSION: 'latest' })).toEqual([
      'AZURE_OPENAI_API_VERSION: must be a version as 2024-10-21 or 2025-04-01-preview, or preview, or v1 (now "latest")',
    ])
  })
})

it.each([
  ['TOGETHERAI_API_KEY', 'together'],
  ['TOGETHER_AI_API_KEY', 'together'],
  ['FIREWORKS_AI_API_KEY', 'fireworks'],
  ['XAI_API_KEY', 'xai'],
  ['DEEPSEEK_API_KEY', 'deepseek'],
])('%s is the key of %s', (name, provider) => {
  expect(load({ [name]: 'k' }).config.providers[provider]?.apiKey).toBe('k')
})
