import { describe, expect, it } from '@jest/globals'
import { load, problemsOf } from './load-from.ts'

const yaml = (...lines: string[]) => ({ 'llm-proxy.yaml': `${['prices:', ...lines].join('\n')}\n` })

describe('prices in the configuration', () => {
  it('are read from YAML', () => {
    const { config } = load(
      {},
      yaml(
        '  discounts: { openai: 10, "azure-openai": 15.5 }',
        '  models:',
        '    - { provider: openai, model: "my-*", input: 3, output: 12, cached_input: 1.5, cache_write: 3.75, request: 0.001 }',
        '    - { provider: vllm, model: "*", request: 0.5 }',
      ),
    )
    expect(config.prices).toEqual({
      discounts: { openai: 10, 'azure-openai': 15.5 },
      models: [
        { provider: 'openai', model: 'my-*', input: 3, output: 12, cachedInput: 1.5, cacheWrite: 3.75, request: 0.001 },
        { provider: 'vllm', model: '*', request: 0.5 },
      ],
    })
    expect(Object.isFrozen(config.prices.models[0])).toBe(true)
  })

  it('are none unless said', () => {
    expect(load({}).config.prices).toEqual({ discounts: {}, models: [] })
  })

  it('may be JSON in the environment, which wins', () => {
    const env = {
      PRICE_DISCOUNTS: '{"gemini": 5}',
      PRICE_MODELS: '[{"provider": "vllm", "model": "*", "input": 0, "output": 0}]',
    }
    const { config, shown } = load(env, yaml('  discounts: { openai: 10 }'))
    expect(config.prices).toEqual({
      discounts: { gemini: 5 },
      models: [{ provider: 'vllm', model: '*', input: 0, output: 0 }],
    })
    expect(shown.PRICE_DISCOUNTS).toBe('{"gemini":5}')
    expect(shown.PRICE_MODELS).toBe('[{"provider":"vllm","model":"*","input":0,"output":0}]')
  })

  it('may have variables in them', () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: this is the syntax that users write
    const files = yaml('  models:', '    - { provider: "${NAME}", model: "*", input: "${USD:-2.5}", output: 0 }')
    expect(load({ NAME: 'vllm' }, files).config.prices.models).toEqual([
      { provider: 'vllm', model: '*', input: 2.5, output: 0 },
    ])
    expect(problemsOf({}, files)).toContain(
      'llm-proxy.yaml: prices.models: needs the environment variable NAME, which is not set',
    )
  })

  it('tell all that is wrong with them at once, each with its place', () => {
    const problems = problemsOf(
      {},
      yaml(
        '  discounts: { openai: 101, opanai: 5 }',
        '  models:',
        '    - { provider: openai, model: "", input: -1, output: 1 }',
        '    - { provider: openai, model: a, input: 1 }',
        '    - { provider: openai, model: b, cached_input: 1, request: 1 }',
        '    - { provider: openai, model: c, input: 1, output: 1, cache_read: 2 }',
        '    - { provider: openai, model: d }',
        '    - gpt-4o',
      ),
    )
    const at = (place: string, text: string) => `llm-proxy.yaml: prices.${place} ${text}`
    expect(problems).toEqual([
      at('discounts:', 'openai must be a percentage from 0 to 100'),
      expect.stringContaining('prices.discounts: opanai has no list prices'),
      at('models:', 'entry 1 model must not be empty'),
      at('models:', 'entry 1 input must be a price in USD from 0 to 100000'),
      at('models:', 'entry 2 output is missing; say 0 for what is free'),
      at('models:', 'entry 3 input is missing; say 0 for what is free'),
      at('models:', 'entry 3 output is missing; say 0 for what is free'),
      at('models:', 'entry 4 has unknown keys: cache_read'),
      at('models:', 'entry 5 input is missing; say 0 for what is free'),
      at('models:', 'entry 5 output is missing; say 0 for what is free'),
      at('models:', 'entry 6 must hold provider, model and prices'),
    ])
  })

  it('take off nothing where there is no list', () => {
    expect(problemsOf({ PRICE_DISCOUNTS: '{"vllm": 5}' })).toEqual([
      expect.stringMatching(
        /^PRICE_DISCOUNTS: vllm has no list prices; those that have are openai, anthropic, gemini,/,
      ),
    ])
    expect(problemsOf({ PRICE_DISCOUNTS: 'openai=5' })).toEqual([
      'PRICE_DISCOUNTS: must hold providers with percentages ({"openai": 10}) (now "openai=5")',
    ])
    expect(problemsOf({}, yaml('  model: []'))).toEqual([
      'llm-proxy.yaml: prices.model: unknown key; did you mean prices.models?',
    ])
  })
})
