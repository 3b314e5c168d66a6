import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { LedgerRow, Project, Token } from '../../src/store/store.ts'
import { KEEPS_ALL } from '../bodies/given.ts'
import { aRequest, keep, startConsole, type TestConsole, type Visitor } from './helpers.ts'

const HOSTILE = `"'><img src=x onerror=alert(1)><script>alert(2)</script>`
const MINUTE_MS = 60_000

let house: TestConsole
let owner: Visitor
let token: Token
let project: Project
let secret: string
let rows: LedgerRow[]

beforeAll(async () => {
  house = await startConsole({ config: { bodyLog: KEEPS_ALL } })
  owner = await house.as('owner')
  ;({ token, project, secret } = await house.token(
    { name: 'billing-bot', metadata: { team: 'Blue' } },
    { name: 'Shop' },
  ))
  const { token: other } = await house.token({ name: 'search' }, { name: 'Search team' })
  const now = Date.now()
  const ofToken = { tokenId: token.id, projectId: project.id }
  rows = Array.from({ length: 120 }, (_, i) =>
    aRequest({ ...ofToken, at: now - (i + 10) * MINUTE_MS, model: `m-${i}` }),
  )
  rows.push(
    aRequest({ ...ofToken, at: now - 9 * MINUTE_MS, model: 'dear', costNanoUsd: 2_500_000_000n }),
    aRequest({ ...ofToken, at: now - 8 * MINUTE_MS, model: 'slow', latencyMs: 61_000 }),
    aRequest({
      ...ofToken,
      at: now - 7 * MINUTE_MS,
      model: 'failed',
      status: 504,
      error: 'upstream_timeout',
      attempts: [
        { provider: 'openai', model: 'a', outcome: 'failed', status: 500, durationMs: 900, error: 'status' },
        { provider: 'gemini', model: 'b', outcome: 'failed', status: null, durationMs: 3000, error: 'timeout' },
      ],
      latencyMs: 4_000,
    }),
    aRequest({ ...ofToken, at: now - 6 * MINUTE_MS, model: 'refused', status: 429, provider: 'gemini' }),
    aRequest({ at: now - 5 * MINUTE_MS, tokenId: other.id, projectId: other.projectId, model: '=1+1' }),
    aRequest({
      at: now - 4 * MINUTE_MS,
      model: HOSTILE,
      error: HOSTILE,
      endpoint: '/v1/embeddings',
      changes: [HOSTILE],
    }),
  )
  await keep(house, rows)
}, 60_000)
afterAll(() => house.stop())

/** Ids of the requests of a page, in their order. */
const idsIn = (html: string) =>
  [...html.matchAll(/<td class="tight"><a href="\/admin\/requests\/(req_\w+)"/g)].map(([, id]) => id!)
const idOf = (model: string) => rows.find((row) => row.model === model)!.requestId
const nextIn = (html: string) => /href="([^"]+)" rel="next"/.exec(html)?.[1]?.replaceAll('&amp;', '&')

describe('the list of requests', () => {
  it('pages through all of them, newest first, without loss or doubles', async () => {
    const seen: string[] = []
    let pages = 0
    for (let path: string | undefined = '/admin/requests'; path; pages++) {
      const { html } = await owner.get(path)
      seen.push(...idsIn(html))
      path = nextIn(html)
    }
    const expected = rows.toSorted((a, b) => b.at - a.at).map(({ requestId }) => requestId)
    expect(seen).toEqual(expected)
    expect(pages).toBe(3)
  })

  it.each([
    ['model=dear', 'dear'],
    ['min_cost=2', 'dear'],
    ['min_latency=60000', 'slow'],
    ['status=429', 'refused'],
    ['error=upstream_timeout', 'failed'],
    ['project=search+team', '=1+1'],
    ['endpoint=/v1/embeddings', HOSTILE],
  ])('shows with ?%s what fits alone', async (query, model) => {
    expect(idsIn((await owner.get(`/admin/requests?${query}`)).html)).toEqual([idOf(model)])
  })

  it('filters by token, failures, provider, metadata and time together', async () => {
    const from = new Date(Date.now() - 7.5 * MINUTE_MS).toISOString()
    const ids = async (query: string) => idsIn((await owner.get(`/admin/requests?token=${token.id}&${query}`)).html)
    expect(await ids(`failed=1&from=${from}`)).toEqual([idOf('refused'), idOf('failed')])
    expect(await ids(`failed=1&to=${from}`)).toEqual([])
    expect(await ids('failed=1&provider=gemini&metadata=blue')).toEqual([idOf('refused')])
    expect(await ids('failed=1&metadata=green')).toEqual([])
  })

  it.each([
    ['status=abc', 'status', 'must be a status from 100 to 599, as 429'],
    ['status=99999', 'status', 'must be a status from 100 to 599'],
    ['min_cost=lots', 'min_cost', 'must be US dollars'],
    ['min_latency=-1', 'min_latency', 'must be milliseconds'],
    ['from=yesterday', 'from', 'must be a time'],
    ['token=billing-bot', 'token', 'must be the id of a token'],
    ['project=nobody', 'project', 'is no project that you can see'],
    ['endpoint=chat', 'endpoint', 'must be a path'],
  ])('says of ?%s at its field what is wrong, and looks for nothing', async (query, field, reason) => {
    const { status, html } = await owner.get(`/admin/requests?${query}`)
    expect(status).toBe(200)
    expect(html).toMatch(new RegExp(`id="f-${field}-error">[^<]*${reason}`))
    expect(html).toContain('Nothing was looked for')
    expect(idsIn(html)).toEqual([])
    expect((await owner.get(`/admin/requests?format=csv&${query}`)).status).toBe(422)
  })

  it('shows the columns that were chosen, and keeps them on the way to the next page', async () => {
    const { html } = await owner.get('/admin/requests?cols=id&cols=bytes')
    const heads = [...html.matchAll(/<th scope="col"[^>]*>([^<]+)</g)].map(([, label]) => label)
    expect(heads).toEqual(['Time', 'Sizes', 'Id'])
    expect(nextIn(html)).toContain('cols=id&cols=bytes&after=req_')
    expect((await owner.get('/admin/requests?cols=nonsense')).html).toContain('>Latency<')
  })

  it('tells nothing yet from nothing that matches', async () => {
    expect((await owner.get('/admin/requests?model=none')).html).toContain('Nothing matches')
    const empty = await startConsole()
    try {
      expect((await (await empty.as('owner')).get('/admin/requests')).html).toContain('No requests yet')
    } finally {
      await empty.stop()
    }
  })

  it('comes as CSV with the same filter, in which no text is a formula', async () => {
    const { html, headers } = await owner.get('/admin/requests?format=csv&project=Search+team')
    const [head, row, end] = html.split('\r\n')
    expect(headers.get('content-type')).toContain('text/csv')
    expect(head).toContain('at,id,status,error,project_id,project,token_id,token')
    expect(row).toContain(idOf('=1+1'))
    expect(row).toContain('Search team')
    expect(row).toContain(",'=1+1,")
    expect(end).toBe('')
  })

  it('runs nothing that callers named', async () => {
    for (const path of ['/admin/requests', `/admin/requests/${idOf(HOSTILE)}`, '/admin/requests?model=%3Cscript%3E']) {
      const { html } = await owner.get(path)
      expect(html).not.toMatch(/<img src=x|<script>alert/)
    }
    expect((await owner.get(`/admin/requests/${idOf(HOSTILE)}`)).html).toContain('&lt;script&gt;alert(2)')
  })

  it('sends a new request to who watches, by itself', async () => {
    const controller = new AbortController()
    const cookie = [...owner.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const stream = await fetch(`${house.url}/admin/requests?live=1&model=demo`, {
      headers: { cookie },
      signal: controller.signal,
    })
    const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    const until = async (wanted: string) => {
      while (!text.includes(wanted)) text += (await reader.read()).value ?? ''
    }
    await until('Nothing matches')
    const answer = await send('demo', { messages: [{ role: 'user', content: 'hello' }] })
    await until(answer.headers.get('x-llm-proxy-request-id')!)
    controller.abort()
    expect(text).not.toContain('live=1')
  }, 20_000)
})

const send = async (model: string, body: object) => {
  const answer = await fetch(`${house.baseUrl}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json', 'user-agent': HOSTILE },
    body: JSON.stringify({ model, ...body }),
  })
  await answer.text()
  return answer
}

describe('one request', () => {
  it('says why it failed, what to do, and how its tries went', async () => {
    const { html } = await owner.get(`/admin/requests/${idOf('failed')}`)
    expect(html).toContain('The provider did not answer within the time limits.')
    expect(html).toContain('add another provider to the route')
    const bars = [...html.matchAll(/<rect class="bar bad" x="(\d+)" width="(\d+)"/g)].map(([, x, width]) => [
      +x!,
      +width!,
    ])
    // 900 ms, a pause of 100, then 3,000 of 4,000.
    expect(bars).toEqual([
      [0, 225],
      [250, 750],
    ])
    expect(html).toContain(`href="/admin/tokens/${token.id}"`)
    expect(html).toContain(`href="/admin/projects/${project.id}"`)
    expect(html).toContain(`href="/admin/routing?model=failed&amp;token=${token.id}#explain"`)
  })

  it('says that a cost is estimated, and why', async () => {
    const row = aRequest({
      estimateReason: 'client_abort',
      usage: { ...aRequest().usage, source: 'estimated', details: { web_searches: 2 } },
      status: 499,
      error: 'client_closed',
      reservedNanoUsd: 5_000_000n,
    })
    await keep(house, [row])
    const { html } = await owner.get(`/admin/requests/${row.requestId}`)
    expect(html).toContain('estimated here: the client hung up before the provider told')
    expect(html).toContain('web searches')
    expect(html).toContain('$0.005, until the cost was known')
    expect(html).toContain('genai-prices 0.1.8')
  })

  it('has a help for every error that the ledger can name', async () => {
    const { helpFor } = await import('../../src/admin/requests/error-help.ts')
    const { ERROR_CODES } = await import('../../src/errors.ts')
    // Of callers whom nobody knows, and of the management, there are no rows.
    const never = ['invalid_api_key', 'unauthorized', 'forbidden', 'not_found', 'conflict', 'validation_failed']
    const general = helpFor({ status: 418, error: 'no such code' })
    const without = ERROR_CODES.filter((code) => helpFor({ status: 418, error: code })!.meaning === general!.meaning)
    expect(without.filter((code) => !never.includes(code))).toEqual(['headers_too_large', 'method_not_allowed'])
    expect(helpFor({ status: 200, error: null })).toBeNull()
    expect(helpFor({ status: 503, error: null })!.meaning).toContain('The provider failed')
  })

  it('that is not there is not found', async () => {
    expect((await owner.get('/admin/requests/req_nothing')).status).toBe(404)
  })
})

describe('bodies', () => {
  const question = `it's "quoted" ${HOSTILE}`
  const read = (visitor: Visitor, id: string) => visitor.post(`/admin/requests/${id}/read-bodies`)

  it('of a stream are shown put together, and the reading is in the audit log', async () => {
    const answer = await send('demo', { stream: true, messages: [{ role: 'user', content: question }] })
    const id = answer.headers.get('x-llm-proxy-request-id')!
    const { html: before } = await owner.get(`/admin/requests/${id}`)
    expect(before).not.toContain('quoted')
    const { status, html } = await read(owner, id)
    expect(status).toBe(200)
    expect(html).toMatch(/<pre class="said" tabindex="0">it&#39;s &#34;quoted&#34; /)
    expect(html).toContain('<span class="j-key">&#34;stream&#34;</span>')
    expect(html).not.toMatch(/<img src=x|<script>alert/)
    // For a shell: what is quoted stays quoted, and the token is not there.
    expect(html).toContain('Authorization: Bearer $LLM_PROXY_TOKEN')
    expect(html).toContain('it&#39;\\&#39;&#39;s')
    expect(html).not.toContain(secret)
    const { data } = await house.ctx.store.audit.list({ action: 'request.read_bodies', targetId: id }, { limit: 5 })
    expect(data).toHaveLength(1)
    expect(data[0]).toMatchObject({ actor: `admin:${owner.user.name}`, outcome: 'success', projectId: project.id })
  })

  it('are told to be missing, and why', async () => {
    const { status, html } = await read(owner, idOf('dear'))
    expect(status).toBe(200)
    expect(html).toContain('Nothing was kept of this request')
    const { data } = await house.ctx.store.audit.list({ targetId: idOf('dear') }, { limit: 5 })
    expect(data).toEqual([])
  })

  it('are for owners and admins, not for viewers', async () => {
    const [admin, viewer, restricted] = await Promise.all([
      house.as('admin'),
      house.as('viewer'),
      house.as('viewer', project.id),
    ])
    expect((await read(admin, idOf('slow'))).status).toBe(200)
    expect((await read(viewer, idOf('slow'))).status).toBe(403)
    expect((await read(restricted, idOf('slow'))).status).toBe(403)
    expect((await viewer.get(`/admin/requests/${idOf('slow')}`)).html).not.toContain('Read bodies')
  })
})

describe('a viewer of one project', () => {
  it('sees its requests alone', async () => {
    const viewer = await house.as('viewer', project.id)
    const { html } = await viewer.get('/admin/requests')
    expect(html).not.toContain(idOf('=1+1'))
    expect(html).toContain(idOf('refused'))
    expect((await viewer.get(`/admin/requests/${idOf('=1+1')}`)).status).toBe(404)
    expect((await viewer.get('/admin/requests?project=Search+team')).html).toContain('is no project that you can see')
    expect((await viewer.get('/admin/requests?format=csv')).html).not.toContain(idOf('=1+1'))
  })
})
