import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { Caller } from '../../../src/domain/token-index.ts'
import { createProviders } from '../../../src/providers/index.ts'
import { type Choice, pickWeighted, plan } from '../../../src/proxy/plan.ts'
import { caller, ownKey } from './caller.ts'

/** A gateway with these keys of its own. */
function gateway(shared: string[], { demo = false, defaultProvider = 'openai' } = {}): Choice {
  const providers = Object.fromEntries(shared.map((name) => [name, { apiKey: `shared-${name}`, baseUrl: null }]))
  return {
    providers: createProviders({ providers }, () => (demo ? 'http://127.0.0.1:9/v1' : null)),
    defaultProvider,
    pick: () => 0,
    catalogue: { lists: () => null, prices: () => null },
  }
}

/** Where a model goes: `provider model key`. */
function target(choice: Choice, who: Caller, model: string | null): string {
  const { provider, model: name, key } = plan(choice, who, model)
  return `${provider.name} ${name} ${key}`
}
const everybody = caller()

describe('a model goes to', () => {
  it.each([
    ['gpt-4o', 'openai gpt-4o shared-openai'],
    ['openai:gpt-4o', 'openai gpt-4o shared-openai'],
    ['openai/gpt-4o', 'openai gpt-4o shared-openai'],
    ['mistral:small', 'mistral small shared-mistral'],
    ['mistral/small', 'mistral small shared-mistral'],
    ['openrouter:openai/gpt-4o', 'openrouter openai/gpt-4o shared-openrouter'],
    ['openrouter/openai/gpt-4o:free', 'openrouter openai/gpt-4o:free shared-openrouter'],
    ['ft:gpt-4o:org::abc', 'openai ft:gpt-4o:org::abc shared-openai'],
    ['meta-llama/llama-3', 'openai meta-llama/llama-3 shared-openai'],
    ['OpenAI:gpt-4o', 'openai OpenAI:gpt-4o shared-openai'],
    ['mistral', 'openai mistral shared-openai'],
    ['mistral:', 'openai mistral: shared-openai'],
    [':gpt-4o', 'openai :gpt-4o shared-openai'],
    ['', 'openai  shared-openai'],
  ])('the provider it names, else to the default one: %j', (model, expected) => {
    expect(target(gateway(['openai', 'mistral', 'openrouter']), everybody, model)).toBe(expected)
  })

  it('the provider that DEFAULT_PROVIDER names, where there is a key for it', () => {
    expect(target(gateway(['openai', 'mistral'], { defaultProvider: 'mistral' }), everybody, 'x')).toBe(
      'mistral x shared-mistral',
    )
    expect(target(gateway(['openai'], { defaultProvider: 'mistral' }), everybody, 'x')).toBe('openai x shared-openai')
    expect(target(gateway(['gemini']), everybody, 'gemini-3')).toBe('gemini gemini-3 shared-gemini')
  })

  it('OpenRouter as it spells it, where there is no key for the provider that the spelling names', () => {
    expect(target(gateway(['openrouter']), everybody, 'anthropic/claude-4')).toBe(
      'openrouter anthropic/claude-4 shared-openrouter',
    )
    expect(target(gateway(['openrouter', 'anthropic']), everybody, 'anthropic/claude-4')).toBe(
      'anthropic claude-4 shared-anthropic',
    )
  })

  it('OpenRouter as it spells it, also where another provider is the default', () => {
    expect(target(gateway(['openai', 'openrouter']), everybody, 'anthropic/claude-4')).toBe(
      'openrouter anthropic/claude-4 shared-openrouter',
    )
  })

  it('no other provider than the one it names with a colon', () => {
    expect(() => plan(gateway(['openai']), everybody, 'anthropic:claude-4')).toThrow(
      expect.objectContaining({ code: 'model_not_found' }),
    )
  })

  it('nobody where there is no key at all, and the caller hears which one is missing', () => {
    for (const [model, says] of [
      ['gpt-4o', 'no provider key'],
      ['anthropic:claude', 'no key for the provider `anthropic`'],
    ] as const) {
      expect(() => plan(gateway([]), everybody, model)).toThrow(
        expect.objectContaining({ code: 'model_not_found', param: 'model', message: expect.stringContaining(says) }),
      )
    }
    expect(() => plan(gateway([]), everybody, null)).toThrow(expect.objectContaining({ code: 'no_healthy_upstream' }))
  })

  it('the default provider when a request names none', () => {
    expect(target(gateway(['openai', 'mistral']), everybody, null)).toBe('openai null shared-openai')
  })
})

describe('a key', () => {
  it("is the project's own before the operator's", () => {
    const who = caller({ keys: [ownKey('openai', 'own'), ownKey('mistral', 'other')] })
    expect(target(gateway(['openai']), who, 'gpt-4o')).toBe('openai gpt-4o own')
    expect(target(gateway([]), who, 'mistral:x')).toBe('mistral x other')
    expect(target(gateway(['gemini']), who, 'gemini:x')).toBe('gemini x shared-gemini')
  })

  it('of another project is never used', () => {
    expect(() => plan(gateway([]), caller(), 'gpt-4o')).toThrow()
  })

  it('is picked among several by their weights', () => {
    const who = caller({ keys: [ownKey('openai', 'a', 1), ownKey('mistral', 'm', 50), ownKey('openai', 'b', 3)] })
    const asked: number[][] = []
    const choice = { ...gateway([]), pick: (weights: number[]) => asked.push(weights) }
    expect(target(choice, who, 'gpt-4o')).toBe('openai gpt-4o b')
    expect(asked).toEqual([[1, 3]])
  })

  it('is used in proportion to its weight', () => {
    let seed = 0
    const random = () => (seed++ % 1_000) / 1_000
    const counts = [0, 0, 0]
    for (let i = 0; i < 1_000; i++) counts[pickWeighted([1, 7, 2], random)]!++
    expect(counts).toEqual([100, 700, 200])
  })

  it('of weight zero is used only where there is no other', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (chance) => {
        expect(pickWeighted([0, 3, 0], () => chance)).toBe(1)
        expect(pickWeighted([0, 0], () => chance)).toBe(0)
      }),
    )
  })

  it('is always one of those there are', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (weights, chance) => {
          const index = pickWeighted(weights, () => chance)
          expect(index).toBeGreaterThanOrEqual(0)
          expect(index).toBeLessThan(weights.length)
        },
      ),
    )
  })
})

describe('an allow-list', () => {
  const open = gateway(['openai', 'mistral', 'openrouter'])
  const may = (allowed: string[], model: string) => {
    try {
      plan(open, caller({ token: { allowedModels: allowed } }), model)
      return true
    } catch (error) {
      expect(error).toMatchObject({
        code: 'model_not_allowed',
        status: 403,
        details: { model, allowed_models: allowed },
      })
      return false
    }
  }

  it.each([
    [['gpt-4o'], 'gpt-4o', true],
    [['gpt-4o'], 'openai:gpt-4o', true],
    [['gpt-4o'], 'openai/gpt-4o', true],
    [['openai:gpt-4o'], 'gpt-4o', true],
    [['openai/*'], 'gpt-4o', true],
    [['openai:*'], 'mistral:small', false],
    [['gpt-4o'], 'gpt-4o-mini', false],
    [['gpt-*'], 'gpt-4o-mini', true],
    [[], 'gpt-4o', false],
    [['mistral:*'], 'gpt-4o', false],
    [['*-mini', 'o3'], 'o3', true],
  ])('of %j on %s says %s', (allowed, model, expected) => {
    expect(may(allowed, model)).toBe(expected)
  })

  it('of the project counts beside that of the token', () => {
    const who = caller({ token: { allowedModels: ['gpt-*'] }, project: { allowedModels: ['*-mini'] } })
    expect(target(open, who, 'gpt-4o-mini')).toContain('openai')
    for (const model of ['gpt-4o', 'o3-mini'])
      expect(() => plan(open, who, model)).toThrow(expect.objectContaining({ code: 'model_not_allowed' }))
  })

  it('that names a provider does not hold for a model of another one that is spelled like it', () => {
    expect(may(['openai/*'], 'openrouter/openai/gpt-4o')).toBe(false)
  })
})

describe('the demo model', () => {
  it('answers by its name while the demo is on, and no other model does', () => {
    const choice = gateway([], { demo: true })
    expect(target(choice, everybody, 'demo')).toBe('demo demo demo')
    expect(target(choice, everybody, 'demo:demo')).toBe('demo demo demo')
    expect(() => plan(choice, everybody, 'gpt-4o')).toThrow(expect.objectContaining({ code: 'model_not_found' }))
    expect(target(choice, everybody, null)).toBe('demo null demo')
  })

  it('is a model like any other while the demo is off', () => {
    expect(target(gateway(['openai']), everybody, 'demo')).toBe('openai demo shared-openai')
    expect(() => plan(gateway([]), everybody, 'demo')).toThrow(expect.objectContaining({ code: 'model_not_found' }))
  })
})
