import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import type { ConfiguredProvider } from '../../../src/providers/index.ts'
import { anthropicModels } from '../../../src/providers/model-listing.ts'
import { choiceOf, plan } from '../../../src/proxy/plan.ts'
import { startTestGateway, type TestGateway } from '../../helpers/gateway.ts'
import { eventually } from '../../helpers/http.ts'
import { sendJson, startUpstream, type Upstream } from '../../helpers/upstream.ts'
import { caller } from './caller.ts'

let first: Upstream
let second: Upstream
let gateway: TestGateway

beforeEach(async () => {
  const lister = (id: string) =>
    startUpstream((_req, res) => sendJson(res, 200, { object: 'list', data: [{ id }, { id: 'shared' }] }))
  first = await lister('of-first')
  second = await lister('of-second')
  const own = (url: string) => ({ kind: 'openai' as const, apiKey: 'sk-0123456789', baseUrl: url })
  gateway = await startTestGateway({
    config: { providers: { first: own(first.url), second: own(second.url) }, defaultProvider: 'first' },
  })
})
afterEach(async () => {
  jest.restoreAllMocks()
  await gateway.stop()
  await Promise.all([first.close(), second.close()])
})

const provider = (name: string): ConfiguredProvider => gateway.ctx.providers.get(name)!
const names = (name: string) => gateway.ctx.modelLists.names(provider(name), 'sk-0123456789')
const known = (name: string) => eventually(() => names(name), `the models of ${name}`)
const goesTo = (model: string) => plan(choiceOf(gateway.ctx), caller(), model).provider.name
/** As if so much time had passed for all who measure it. */
function advance(ms: number): void {
  const now = performance.now.bind(performance)
  jest.spyOn(performance, 'now').mockImplementation(() => now() + ms)
}

describe('a bare name', () => {
  it('goes to the default provider at once, and to who has it as soon as that is known', async () => {
    expect(goesTo('of-second')).toBe('first')
    await known('first')
    goesTo('of-second')
    await known('second')
    expect([goesTo('of-second'), goesTo('of-first'), goesTo('shared'), goesTo('nobody-s')]).toEqual([
      'second',
      'first',
      'first',
      'first',
    ])
    expect([first.seen.length, second.seen.length]).toEqual([1, 1])
  })

  it('goes to who has the list of prices on its side, while nobody’s models are known', async () => {
    await gateway.stop()
    const own = { apiKey: 'sk-0123456789', baseUrl: first.url }
    gateway = await startTestGateway({
      config: { providers: { openai: own, mistral: { ...own, baseUrl: second.url } } },
    })
    expect([goesTo('mistral-small-latest'), goesTo('gpt-4o'), goesTo('claude-opus-4-5')]).toEqual([
      'mistral',
      'openai',
      'openai',
    ])
  })
})

describe('the models of a provider', () => {
  it('are asked for once by all who look, and nobody waits', async () => {
    for (let i = 0; i < 50; i++) expect(names('first')).toBeNull()
    expect([...(await known('first'))]).toEqual(['of-first', 'shared'])
    expect(first.seen).toHaveLength(1)
  })

  it('stay known while they are asked for anew, and when that fails', async () => {
    await known('first')
    first.script((_req, res) => sendJson(res, 200, { data: [{ id: 'newer' }] }))
    advance(5.1 * 60_000)
    expect(names('first')!.has('of-first')).toBe(true)
    await eventually(() => names('first')!.has('newer'), 'the newer list')
    first.script((_req, res) => sendJson(res, 500, {}))
    jest.restoreAllMocks()
    advance(20 * 60_000)
    expect(names('first')!.has('newer')).toBe(true)
    await eventually(() => first.seen.length === 3, 'the question that fails')
    expect(names('first')!.has('newer')).toBe(true)
  })

  it('are not asked for again and again of one that fails', async () => {
    first.script((_req, res) => sendJson(res, 500, {}))
    names('first')
    await eventually(() => gateway.logs().includes('the models of a provider are not known'), 'the failure')
    for (let i = 0; i < 50; i++) expect(names('first')).toBeNull()
    expect(first.seen).toHaveLength(1)
    // But by who must know, at once.
    await expect(gateway.ctx.modelLists.load(provider('first'), 'sk-0123456789')).rejects.toMatchObject({
      code: 'upstream_unreachable',
    })
    advance(30_001)
    names('first')
    await eventually(() => first.seen.length === 3, 'another try')
  })

  it('are counted as tries at the provider', async () => {
    await known('first')
    const metrics = await gateway.ctx.metrics.registry.metrics()
    expect(metrics).toContain('llmproxy_upstream_attempts_total{provider="first",outcome="answered"} 1')
    expect(metrics).toMatch(/llmproxy_active_requests\{provider="first"\} 0/)
  })

  it('may come on many pages, but not on any number', async () => {
    let pages = 0
    second.script((_req, res) => {
      pages++
      sendJson(res, 200, { data: [{ id: `m${pages}` }], has_more: true, last_id: `m${pages}` })
    })
    const endless = { ...provider('second'), modelListing: anthropicModels }
    const models = await gateway.ctx.modelLists.load(endless, 'k')
    expect([models.length, pages]).toEqual([10, 10])
  })

  it('take no more than so much memory, however many keys there are', async () => {
    const big = 'x'.repeat(7 * 1024 * 1024)
    first.script((_req, res) => sendJson(res, 200, { data: [{ id: 'm', big }] }))
    for (let key = 0; key < 10; key++) await gateway.ctx.modelLists.load(provider('first'), `key-${key}`)
    first.script((_req, res) => sendJson(res, 500, {}))
    const kept = Array.from({ length: 10 }, (_, key) => gateway.ctx.modelLists.names(provider('first'), `key-${key}`))
    expect(kept.map((list) => list !== null)).toEqual([false, ...Array(9).fill(true)])
  })
})

describe('models that the operator names', () => {
  it('are known at once, and nobody is asked', async () => {
    const own = { ...provider('first'), ownModels: [{ id: 'a' }] }
    expect([...gateway.ctx.modelLists.names(own, 'k')!]).toEqual(['a'])
    expect(await gateway.ctx.modelLists.load(own, 'k')).toEqual([{ id: 'a' }])
    expect(first.seen).toEqual([])
  })

  it('are none where the provider’s own list says nothing of what may be asked for', async () => {
    const silent = { ...provider('first'), modelListing: null }
    expect(gateway.ctx.modelLists.names(silent, 'k')).toBeNull()
    expect(await gateway.ctx.modelLists.load(silent, 'k')).toEqual([])
    expect(first.seen).toEqual([])
  })
})
