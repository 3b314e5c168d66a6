import { describe, expect, it } from '@jest/globals'
import type { Caller } from '../../../src/domain/token-index.ts'
import { createProviders } from '../../../src/providers/index.ts'
import type { Catalogue } from '../../../src/proxy/catalogue.ts'
import { type Choice, plan } from '../../../src/proxy/plan.ts'
import { caller, ownKey } from './caller.ts'

type Known = {
  /** The providers' own lists, as far as they are known. */
  lists?: Record<string, string[]>
  /** What is in the list of prices, of the providers that it knows. */
  prices?: Record<string, string[]>
  demo?: boolean
  defaultProvider?: string
}

/** A gateway with these keys of its own, and what it knows. `asked`: whose lists it was interested in. */
function gateway(shared: string[], { lists = {}, prices = {}, demo = false, defaultProvider = 'openai' }: Known = {}) {
  const asked: string[] = []
  const catalogue: Catalogue = {
    lists(provider, key, model) {
      asked.push(`${provider.name} ${key}`)
      return lists[provider.name]?.includes(model) ?? null
    },
    prices: (provider, model) => prices[provider.name]?.includes(model) ?? null,
  }
  const config = {
    providers: Object.fromEntries(shared.map((name) => [name, { apiKey: `of-${name}`, baseUrl: URLS[name] ?? null }])),
  }
  const providers = createProviders(config, () => (demo ? 'http://127.0.0.1:9/v1' : null))
  const choice: Choice = { providers, defaultProvider, pick: () => 0, catalogue }
  return { choice, asked }
}
const URLS: Record<string, string> = { ollama: 'http://127.0.0.1:11434/v1', vllm: 'http://127.0.0.1:8000/v1' }

const target = ({ choice }: ReturnType<typeof gateway>, model: string, who: Caller = caller()) => {
  const { provider, model: name, key } = plan(choice, who, model)
  return `${provider.name} ${name} ${key}`
}

describe('a name without a provider goes to', () => {
  const all = ['openai', 'mistral', 'groq', 'ollama']

  it('the provider that lists it', () => {
    const known = { lists: { openai: ['gpt-4o'], mistral: ['mistral-small'], groq: ['llama-3'], ollama: ['qwen3:8b'] } }
    expect(target(gateway(all, known), 'gpt-4o')).toBe('openai gpt-4o of-openai')
    expect(target(gateway(all, known), 'mistral-small')).toBe('mistral mistral-small of-mistral')
    expect(target(gateway(all, known), 'llama-3')).toBe('groq llama-3 of-groq')
    expect(target(gateway(all, known), 'qwen3:8b')).toBe('ollama qwen3:8b of-ollama')
  })

  it('the default provider before the others that list it too, and then to the first of the registry', () => {
    const lists = { openai: [], ollama: ['m'], groq: ['m'], mistral: ['m'] }
    expect(target(gateway(all, { lists, defaultProvider: 'ollama' }), 'm')).toContain('ollama')
    expect(target(gateway(all, { lists }), 'm')).toContain('mistral')
  })

  it('a provider that lists it before one that has a price for it', () => {
    const known = { lists: { openai: [], groq: ['m'] }, prices: { openai: [], mistral: ['m'] } }
    expect(target(gateway(all, known), 'm')).toContain('groq')
  })

  it('the provider that has a price for it, where no list has it or is known', () => {
    const prices = { openai: ['gpt-4o'], mistral: ['mistral-small'], groq: [] }
    expect(target(gateway(all, { prices }), 'mistral-small')).toContain('mistral')
    expect(target(gateway(all, { prices }), 'gpt-4o')).toContain('openai')
    // An alias that no list shows.
    expect(target(gateway(all, { prices, lists: { openai: ['x'], mistral: ['y'] } }), 'mistral-small')).toContain(
      'mistral',
    )
    expect(target(gateway(all, { prices, lists: { openai: ['x'], mistral: ['y'] } }), 'gpt-4o')).toContain('openai')
  })

  it('the default provider, where nobody is known to have it', () => {
    const known = {
      lists: { openai: ['x'], mistral: ['y'], groq: [], ollama: [] },
      prices: { openai: [], mistral: [] },
    }
    expect(target(gateway(all, known), 'ft:gpt-4o:org::abc')).toBe('openai ft:gpt-4o:org::abc of-openai')
  })

  it('the default provider, while it is not known what that one has', () => {
    const known = { lists: { openai: ['gpt-4o'] }, prices: { openai: ['gpt-4o'] }, defaultProvider: 'vllm' }
    const own = gateway(['openai', 'vllm'], known)
    expect(target(own, 'gpt-4o')).toContain('vllm')
    // And nobody else is asked for a list because of it.
    expect(own.asked).toEqual(['vllm of-vllm'])
    expect(target(gateway(['openai', 'vllm'], { ...known, lists: { ...known.lists, vllm: [] } }), 'gpt-4o')).toContain(
      'openai',
    )
  })

  it('no provider without a key for this caller', () => {
    const known = { lists: { openai: ['x'], mistral: ['m'], groq: ['m'] } }
    expect(target(gateway(['openai', 'groq'], known), 'm')).toBe('groq m of-groq')
    const who = caller({ keys: [ownKey('mistral', 'own')] })
    expect(target(gateway(['openai', 'groq'], known), 'm', who)).toBe('mistral m own')
  })

  it('whoever has a key, at once, where there is no more than one', () => {
    const one = gateway(['groq'])
    expect(target(one, 'gpt-4o')).toBe('groq gpt-4o of-groq')
    expect(target(one, 'meta-llama/x')).toBe('groq meta-llama/x of-groq')
    expect(target(one, 'groq/compound')).toBe('groq compound of-groq')
    expect(one.asked).toEqual([])
  })

  it('a list that is asked for with the key that counts for this caller', () => {
    const both = gateway(['openai', 'mistral'], { lists: { openai: [], mistral: ['m'] } })
    target(both, 'm', caller({ keys: [ownKey('mistral', 'a'), ownKey('mistral', 'b')] }))
    expect(both.asked).toEqual(['openai of-openai', 'mistral a'])
  })

  it('anyone but the demo provider, unless it is its name', () => {
    const known = { demo: true, lists: { openai: [], demo: ['x'] } }
    expect(target(gateway(['openai'], known), 'x')).toContain('openai')
    expect(target(gateway(['openai'], known), 'demo')).toContain('demo')
    expect(target(gateway(['openai', 'mistral'], { ...known, lists: { mistral: ['demo'] } }), 'demo')).toContain('demo')
  })
})

describe('a name that begins with a provider goes to', () => {
  const lists = { openai: ['gpt-4o'], groq: ['openai/gpt-oss-120b', 'groq/compound'], openrouter: ['openai/gpt-4o'] }

  it('that provider', () => {
    const everyone = gateway(['openai', 'groq', 'openrouter'], { lists })
    expect(target(everyone, 'openai/gpt-4o')).toBe('openai gpt-4o of-openai')
    expect(target(everyone, 'openai:gpt-4o')).toBe('openai gpt-4o of-openai')
    expect(target(everyone, 'groq:openai/gpt-oss-120b')).toBe('groq openai/gpt-oss-120b of-groq')
  })

  it('another one, where a slash is part of a name that only this other one is known to have', () => {
    const everyone = gateway(['openai', 'groq'], { lists })
    expect(target(everyone, 'openai/gpt-oss-120b')).toBe('groq openai/gpt-oss-120b of-groq')
    expect(target(everyone, 'groq/compound')).toBe('groq groq/compound of-groq')
    expect(target(everyone, 'openai:gpt-oss-120b')).toBe('openai gpt-oss-120b of-openai')
  })

  it('that provider, as long as it is not known to lack it', () => {
    expect(target(gateway(['openai', 'groq'], { lists: { groq: lists.groq } }), 'openai/gpt-oss-120b')).toContain(
      'openai',
    )
  })

  it('whoever lists the whole name, where there is no key for that provider', () => {
    const known = { lists: { groq: ['openai/gpt-oss-120b'] } }
    expect(target(gateway(['openrouter', 'groq'], known), 'openai/gpt-oss-120b')).toContain('groq')
  })

  it('nobody else, where there is a colon and no key', () => {
    const known = {
      lists: { openai: ['claude-4'], ollama: ['mistral:7b'] },
      prices: { openai: ['anthropic:claude-4'] },
    }
    for (const model of ['anthropic:claude-4', 'mistral:7b'])
      expect(() => target(gateway(['openai', 'ollama'], known), model)).toThrow(
        expect.objectContaining({ code: 'model_not_found' }),
      )
  })
})

describe('an allow-list', () => {
  it('is asked about the provider that was found', () => {
    const known = { lists: { openai: [], groq: ['llama-3'] } }
    const may = (allowed: string) =>
      target(gateway(['openai', 'groq'], known), 'llama-3', caller({ token: { allowedModels: [allowed] } }))
    for (const allowed of ['llama-*', 'groq:*', 'groq/llama-3']) expect(may(allowed)).toContain('groq')
    expect(() => may('openai:*')).toThrow(expect.objectContaining({ code: 'model_not_allowed' }))
  })
})
