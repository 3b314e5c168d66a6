import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createReads } from '../../src/admin/frame/reads.ts'
import { groupsAlongTime } from '../../src/admin/usage/chart.ts'
import { readForecast } from '../../src/admin/usage/forecast.ts'
import type { Question } from '../../src/admin/usage/question.ts'
import type { Report } from '../../src/admin/usage/report.ts'
import { formatUsd } from '../../src/money.ts'
import type { LedgerRow } from '../../src/store/store.ts'
import { aRequest, keep, startConsole, type TestConsole, type Visitor } from './helpers.ts'

const HOSTILE = `"'><img src=x onerror=alert(1)><script>alert(2)</script>`
const DAY_MS = 86_400_000
/** In the middle of a month, at noon. */
const NOW = Date.UTC(2026, 10, 21, 12)
const MODELS = 230

let house: TestConsole
let owner: Visitor
let rows: LedgerRow[]
let projectId: string
let tokenId: string

beforeAll(async () => {
  house = await startConsole({ now: () => NOW })
  owner = await house.as('owner')
  const shop = await house.token({ name: HOSTILE, metadata: { team: 'blue', 'cost centre': 7 } }, { name: 'Shop' })
  const other = await house.token({ name: 'search', metadata: { team: 'green' } }, { name: 'Search team' })
  projectId = shop.project.id
  tokenId = shop.token.id
  rows = Array.from({ length: MODELS }, (_, i) => {
    const { token } = i % 3 === 0 ? other : shop
    return aRequest({
      at: NOW - (i % 20) * DAY_MS - 3_600_000,
      tokenId: token.id,
      projectId: token.projectId,
      model: `model-${String(i).padStart(3, '0')}`,
      costNanoUsd: BigInt(i) * 1_000_003n,
      ...(i % 10 === 0 && { status: 500 }),
    })
  })
  rows.push(
    aRequest({ at: NOW - 1_000, model: '=cmd()', provider: 'vllm', costNanoUsd: null, priceSource: null }),
    aRequest({
      at: NOW - 1_000,
      model: HOSTILE,
      costNanoUsd: null,
      priceSource: null,
      tokenId: shop.token.id,
      projectId,
    }),
  )
  await keep(house, rows)
}, 60_000)
afterAll(() => house.stop())

it('reads no sum of each of many models on each of a thousand days', async () => {
  const asked = (models: number, days: number) =>
    groupsAlongTime(
      { groups: ['model'], period: { unit: 'day', slots: Array(days).fill('') } } as unknown as Question,
      { rows: Array(models).fill({}), other: null } as unknown as Report,
    )
  expect(asked(200, 31)).toEqual(['day', 'model'])
  expect(asked(200, 1000)).toEqual(['day'])
})

/** The texts of a table's rows, cell by cell; `title`s in place of what is shortened. */
const tableIn = (html: string, part: 'tbody' | 'tfoot') => {
  const table = /aria-label="(?:Usage|Models without a price)"><table[\s\S]*?<\/table>/.exec(html)![0]
  const inner = new RegExp(`<${part}>([\\s\\S]*?)</${part}>`).exec(table)![1]!
  return [...inner.matchAll(/<tr>([\s\S]*?)<\/tr>/g)].map(([, row]) =>
    [...row!.matchAll(/<t[hd]([^>]*)>([\s\S]*?)<\/t[hd]>/g)].map(
      ([, attributes, text]) => /title="([^"]*)"/.exec(attributes!)?.[1] ?? text!.replace(/<[^>]+>/g, '').trim(),
    ),
  )
}
const sum = (of: (row: LedgerRow) => bigint) => rows.reduce((total, row) => total + of(row), 0n)
const toNano = (text: string) => {
  const [whole = '0', part = ''] = text.replace(/[$,]/g, '').split('.')
  return BigInt(whole) * 1_000_000_000n + BigInt(part.padEnd(9, '0'))
}

describe('usage', () => {
  it('shows the two hundred most expensive rows, and the rest in one, so that all adds up to the ledger', async () => {
    const { html } = await owner.get('/admin/usage?by=model')
    const body = tableIn(html, 'tbody')
    const [total] = tableIn(html, 'tfoot')
    expect(body).toHaveLength(201)
    expect(body[0]![0]).toBe('model-229')
    expect(body.at(-1)![0]).toBe('All others')
    const spent = sum(({ costNanoUsd }) => costNanoUsd ?? 0n)
    expect(total![1]).toBe(`$${formatUsd(spent)}`)
    expect(body.reduce((all, row) => all + toNano(row[1]!), 0n)).toBe(spent)
    for (const [column, of] of [
      [3, () => 1n],
      [4, ({ status }) => (status >= 400 ? 1n : 0n)],
      [5, ({ usage }) => BigInt(usage.inputTokens + usage.outputTokens)],
    ] as [number, (row: LedgerRow) => bigint][]) {
      const figure = (row: string[]) => BigInt(row[column]!.replaceAll(',', ''))
      expect(body.reduce((all, row) => all + figure(row), 0n)).toBe(sum(of))
      expect(figure(total!)).toBe(sum(of))
    }
  })

  it.each([
    ['by=token', 3],
    ['by=project', 3],
    ['by=provider', 2],
    ['by=endpoint', 1],
    ['by=status', 2],
    ['by=day', 20],
    ['by=hour&period=7d', 7],
    ['by=metadata.team', 3],
    ['by=project&and=status', 5],
    ['by=day&and=provider', 21],
  ])('?%s has a row for each', async (query, count) => {
    const { html, status } = await owner.get(`/admin/usage?${query}`)
    expect(status).toBe(200)
    expect(tableIn(html, 'tbody')).toHaveLength(count)
  })

  it('names tokens and projects and leads to them, and runs nothing that is in a name', async () => {
    for (const query of ['by=token', 'by=project', 'by=model', 'by=token&measure=requests', 'unpriced=1']) {
      const { html } = await owner.get(`/admin/usage?${query}`)
      expect(html).not.toMatch(/<img src=x|<script>alert/)
    }
    expect((await owner.get('/admin/usage?by=token')).html).toContain(`href="/admin/tokens/${tokenId}"`)
    expect((await owner.get('/admin/usage?by=project')).html).toContain(`href="/admin/projects/${projectId}">Shop<`)
  })

  it('offers the keys that tokens have in their metadata', async () => {
    const { html } = await owner.get('/admin/usage')
    expect(html).toContain('<option value="metadata.team"')
    expect(html).toContain('<option value="metadata.cost centre"')
    expect(
      tableIn((await owner.get('/admin/usage?by=metadata.team&sort=name')).html, 'tbody').map(([key]) => key),
    ).toEqual(expect.arrayContaining(['blue', 'green', 'none']))
  })

  it('is sorted by spend, and by what is asked for', async () => {
    const first = async (query: string) =>
      tableIn((await owner.get(`/admin/usage?by=project&${query}`)).html, 'tbody')[0]![0]
    expect(await first('')).toBe('Shop')
    expect(await first('sort=-spend')).toBe('none')
    expect(await first('sort=-name')).toBe('Search team')
    const { html } = await owner.get('/admin/usage?by=project&sort=requests')
    expect(html).toContain('aria-sort="descending"><a href="/admin/usage?by=project&amp;sort=-requests"')
  })

  it('filters by project, model and provider, and by time', async () => {
    const requests = async (query: string) =>
      tableIn((await owner.get(`/admin/usage?${query}`)).html, 'tfoot')[0]!.at(3)
    const ofShop = rows.filter((row) => row.projectId === projectId).length
    expect(await requests('project=shop')).toBe(String(ofShop))
    expect(await requests(`project=${projectId}`)).toBe(String(ofShop))
    expect(await requests('model=model-007')).toBe('1')
    expect(await requests('provider=vllm')).toBe('1')
    const days = rows.filter(({ at }) => at >= NOW - 2.5 * DAY_MS).length
    expect(await requests('from=2026-11-19T00:00&to=2026-11-22')).toBe(String(days))
    expect((await owner.get('/admin/usage?model=none')).html).toContain('Nothing in this time')
  })

  it.each([
    ['from=yesterday', 'from', 'must be a time'],
    ['from=2026-11-21&to=2026-11-20', 'from', 'must be before the end'],
    ['from=2001-01-01', 'from', 'must be at most three years'],
    ['by=colour', 'by', 'must be one of'],
    ['and=model', 'and', 'must be something else'],
    ['by=hour&period=30d&from=2026-01-01', 'by', 'by the hour goes for 31 days'],
    ['project=nobody', 'project', 'is no project that you can see'],
  ])('says of ?%s at its field what is wrong', async (query, field, reason) => {
    const { status, html } = await owner.get(`/admin/usage?${query}`)
    expect(status).toBe(200)
    expect(html).toMatch(new RegExp(`id="f-${field}-error">[^<]*${reason}`))
    expect((await owner.get(`/admin/usage?format=csv&${query}`)).status).toBe(422)
  })

  it('draws the six largest along the time and the rest as one more layer, which add up', async () => {
    const chartOf = async (query: string) => {
      const { html } = await owner.get(`/admin/usage?${query}`)
      const text = /data-chart="([^"]+)"/
        .exec(html)![1]!
        .replaceAll('&#34;', '"')
        .replaceAll('&#39;', "'")
        .replaceAll('&lt;', '<')
        .replaceAll('&gt;', '>')
        .replaceAll('&amp;', '&')
      return JSON.parse(text) as {
        type: string
        labels: string[]
        series: { label: string; data: (number | null)[] }[]
      }
    }
    const total = (series: { data: (number | null)[] }[]) =>
      series.flatMap(({ data }) => data).reduce<number>((all, one) => all + (one ?? 0), 0)
    const spend = await chartOf('by=model')
    expect(spend.series.map(({ label }) => label)).toEqual([
      'model-229',
      'model-228',
      'model-227',
      'model-226',
      'model-225',
      'model-224',
      'other',
    ])
    expect(total(spend.series)).toBeCloseTo(Number(sum(({ costNanoUsd }) => costNanoUsd ?? 0n)) / 1e9, 6)
    const requests = await chartOf('by=project&measure=requests')
    expect(requests.type).toBe('stacked')
    expect(total(requests.series)).toBe(rows.length)
    expect(requests.series.map(({ label }) => label)).toEqual(['Shop', 'Search team', 'other'])
    const few = await chartOf('by=status&measure=requests')
    expect(total(few.series)).toBe(rows.length)
    expect((await chartOf('by=provider&measure=latency')).type).toBe('line')
    expect((await chartOf('by=metadata.team')).type).toBe('bar')
    expect((await chartOf('by=day')).labels).toHaveLength(30)
  })

  it('comes as CSV with names and ids, in which no text is a formula', async () => {
    const { html } = await owner.get('/admin/usage?by=project&and=model&format=csv')
    const lines = html.trim().split('\r\n')
    expect(lines[0]).toMatch(/^project_id,project,model,requests,/)
    expect(lines).toHaveLength(rows.length + 1)
    expect(html).toContain(`${projectId},Shop,model-229,1,0,1200,`)
    expect(html).toContain(",'=cmd(),1,")
  })

  it('tells which models have no price, and what to do', async () => {
    const { html } = await owner.get('/admin/usage?unpriced=1')
    expect(tableIn(html, 'tbody').map(([, provider, requests]) => [provider, requests])).toEqual(
      expect.arrayContaining([
        ['vllm', '1'],
        ['openai', '1'],
      ]),
    )
    expect(tableIn(html, 'tfoot')[0]).toEqual(['Total', '2', '3,000', ''])
    expect(html).toContain('llm-proxy prices reprice --from')
    expect((await owner.get('/admin/usage')).html).toContain('went to models without a known price')
    expect((await owner.get('/admin/usage?unpriced=1&model=model-001')).html).toContain('Everything has a price')
  })

  it('a viewer of one project sees its usage alone', async () => {
    const viewer = await house.as('viewer', projectId)
    const { html } = await viewer.get('/admin/usage?by=token')
    expect(tableIn(html, 'tbody')).toHaveLength(1)
    expect((await viewer.get('/admin/usage?by=metadata.team')).html).not.toContain('green')
    expect((await viewer.get('/admin/usage?project=Search+team')).html).toContain('is no project that you can see')
  })
})

describe('the forecast of the month', () => {
  const forecastOf = (filter: object, now = NOW) =>
    readForecast(createReads(house.ctx, null), { filter, now, known: null })

  it('is what was spent and the rate of the last full days for the rest of the month', async () => {
    const { soFarNanoUsd, expected } = await forecastOf({})
    const from = Date.UTC(2026, 10, 1)
    const spent = (from: number, to: number) =>
      rows.filter(({ at }) => at >= from && at < to).reduce((all, { costNanoUsd }) => all + (costNanoUsd ?? 0n), 0n)
    const midnight = Date.UTC(2026, 10, 21)
    const week = spent(midnight - 7 * DAY_MS, midnight)
    expect(soFarNanoUsd).toBe(spent(from, NOW))
    // Nine and a half days are left.
    expect(expected).toEqual({ nanoUsd: soFarNanoUsd + (week * 19n) / 14n, perDayNanoUsd: week / 7n, days: 7 })
  })

  it('is the same whether its days were read before or are read for it', async () => {
    const { html } = await owner.get('/admin/usage?period=30d')
    const { expected } = await forecastOf({})
    expect(html).toContain(`title="$${formatUsd(expected!.nanoUsd)}"`)
    expect((await owner.get('/admin/usage?period=24h')).html).toContain(`title="$${formatUsd(expected!.nanoUsd)}"`)
    expect(html).toContain('as in the last 7 full days')
  })

  it('is not ventured without a full day to go by', async () => {
    expect((await forecastOf({ model: '=cmd()' })).expected).toBeNull()
    expect((await owner.get('/admin/usage?provider=vllm')).html).toContain('known after a full day with requests')
  })
})
