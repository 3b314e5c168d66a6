import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { readOwners } from '../../src/admin/dashboard/owners.ts'
import { createReads } from '../../src/admin/frame/reads.ts'
import { chat } from '../helpers/http.ts'
import { startUpstream, type Upstream } from '../helpers/upstream.ts'
import { aRequest, keep, startConsole, type TestConsole, textOf as textOfAnswer, type Visitor } from './helpers.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
let now = Date.UTC(2026, 10, 21, 14, 20)
let house: TestConsole
let owner: Visitor

beforeEach(() => {
  // What was read a moment ago is shown to everybody.
  now += 20_000
})

const textOf = (html: string) => textOfAnswer({ html })
/** The value of a figure, by its label. */
const figure = (html: string, label: string) =>
  textOf(new RegExp(`stat-label">(?:<a[^>]*>)?${label}.*?stat-value"[^>]*>(.*?)<`, 's').exec(html)?.[1] ?? '')
const titleOf = (html: string, label: string) =>
  new RegExp(`stat-label">(?:<a[^>]*>)?${label}.*?stat-value" title="([^"]*)"`, 's').exec(html)?.[1]

describe('a dashboard with nothing to show', () => {
  it('says how to begin, and to who may not begin what it will show', async () => {
    const empty = await startConsole()
    try {
      const html = (await (await empty.as('owner')).get('/admin')).html
      expect(html).toContain('No requests yet')
      expect(html).toContain('href="/admin/tokens/new"')
      const viewer = (await (await empty.as('viewer')).get('/admin')).html
      expect(viewer).toContain('No requests yet')
      expect(viewer).not.toContain('href="/admin/tokens/new"')
    } finally {
      await empty.stop()
    }
  })
})

describe('the dashboard', () => {
  let mine: Awaited<ReturnType<TestConsole['token']>>
  let other: Awaited<ReturnType<TestConsole['token']>>

  beforeAll(async () => {
    house = await startConsole({ now: () => now })
    owner = await house.as('owner')
    const budgets = [{ period: 'month' as const, limitNanoUsd: 10_000_000, limitTokens: null, resetAt: null }]
    mine = await house.token({ name: 'mine', budgets }, { name: 'Mine' })
    other = await house.token({ name: 'other' }, { name: 'Other' })
    const ofMine = { tokenId: mine.token.id, projectId: mine.project.id }
    const ofOther = { tokenId: other.token.id, projectId: other.project.id }
    await keep(house, [
      aRequest({ ...ofMine, at: now - 10 * 60_000, costNanoUsd: 4_000_000n, latencyMs: 100 }),
      aRequest({ ...ofMine, at: now - 2 * HOUR, costNanoUsd: 5_000_000n, model: 'dear', cache: 'hit' }),
      aRequest({ ...ofOther, at: now - 3 * HOUR, costNanoUsd: 1_000_000n }),
      aRequest({ ...ofOther, at: now - 4 * HOUR, status: 502, error: 'upstream_cut', costNanoUsd: 0n }),
      aRequest({ ...ofOther, at: now - 5 * HOUR, model: 'unpriced', costNanoUsd: null }),
      aRequest({ ...ofMine, at: now - 30 * HOUR, costNanoUsd: 2_000_000n }),
      aRequest({ ...ofMine, at: now - 6 * DAY, costNanoUsd: 8_000_000n }),
      aRequest({ ...ofOther, at: now - 20 * DAY, costNanoUsd: 16_000_000n }),
    ])
  })
  afterAll(() => house.stop())

  it.each([
    ['1h', '$0.004', '1', '$0.004 was'],
    ['24h', '$0.01', '5', 'was $0.002'],
    ['7d', '$0.02', '7', 'was $0.00'],
    ['30d', '$0.036', '8', 'was $0.00'],
  ])('of %s says what was spent and asked, and what before', async (period, spend, requests, before) => {
    const { html } = await owner.get(`/admin?period=${period}`)
    expect(figure(html, 'Spend')).toBe(spend)
    expect(titleOf(html, 'Requests')).toBe(requests)
    if (before.startsWith('was')) expect(textOf(html)).toContain(before)
  })

  it('takes a day for a period that it does not know', async () => {
    expect(titleOf((await owner.get('/admin?period=constructor')).html, 'Requests')).toBe('5')
  })

  it('shows errors, cache hits, and what has no price', async () => {
    const { html } = await owner.get('/admin')
    expect(figure(html, 'Errors')).toBe('20 %')
    expect(figure(html, 'Cache hits')).toBe('20 %')
    expect(textOf(html)).toContain('1 request (1,500 tokens) went to models without a known price')
    expect(html).toMatch(/Recent errors[\s\S]*upstream_cut/)
  })

  it('names the tokens that cost most, and the budgets that are nearly gone', async () => {
    const { html } = await owner.get('/admin')
    const text = textOf(html)
    expect(text).toMatch(/Top tokens by spend.*mine 2 3,000 \$0\.009.*other 3/)
    // 19 of 10 million nano-dollars this month.
    expect(text).toMatch(/Budgets near their limit.*mine token, month 190 %/)
  })

  it('of a viewer of one project has its figures alone', async () => {
    const viewer = await house.as('viewer', other.project.id)
    const { html } = await viewer.get('/admin')
    expect(figure(html, 'Spend')).toBe('$0.001')
    expect(titleOf(html, 'Requests')).toBe('3')
    expect(html).not.toContain(mine.project.name)
    expect(textOf(html)).toContain('No budget is used up to 80 % or more.')
    expect(html).not.toContain('aria-label="Providers"')
  })

  it('adds owners up alike, however many there are', async () => {
    const reads = createReads(house.ctx, null)
    const filter = { from: now - 30 * DAY, to: now }
    const together = await readOwners(reads, filter, 5)
    const many = {
      ...reads,
      usage: (query: Parameters<typeof reads.usage>[0]) =>
        reads.usage({ ...query, ...(query.maxRows && { maxRows: 1 }) }),
    }
    const apart = await readOwners(many, filter, 5)
    expect(together).toEqual(apart)
    expect(together.byProject.map(({ key }) => key)).toEqual([mine.project.id, other.project.id])
  })
})

describe('while requests come', () => {
  let upstream: Upstream
  beforeAll(async () => {
    upstream = await startUpstream()
    now = Date.now()
    house = await startConsole({ upstream: upstream.url })
    owner = await house.as('owner')
  })
  afterAll(async () => {
    await house.stop()
    await upstream.close()
  })

  it('the card of a provider says how it does', async () => {
    const { secret } = await house.token()
    expect((await owner.get('/admin')).html).toMatch(/openai[\s\S]{0,200}unused/)
    for (let i = 0; i < 3; i++) expect((await chat(house.baseUrl, secret)).status).toBe(200)
    const { html } = await owner.get('/admin?period=7d')
    expect(textOf(html)).toMatch(/openai up first event/)
  })
})
