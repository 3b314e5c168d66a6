import { describe, expect, it } from '@jest/globals'
import { aBatch, aProject, aRow, aStamp, aToken, NOON } from '../store/samples.ts'
import { anError, given as anyGiven } from './given.ts'

const DAY_MS = 86_400_000

async function given(rows: Parameters<typeof aRow>[0][]) {
  const made = await anyGiven()
  await made.store.ledger.append(aBatch({ rows: rows.map((fields) => aRow(fields)) }))
  return made
}

const summed = (key: string | null, requests: number) =>
  expect.objectContaining({
    key,
    requests,
    input_tokens: 10 * requests,
    output_tokens: 5 * requests,
    cached_tokens: 2 * requests,
    reasoning_tokens: requests,
  })

describe('/manage/usage', () => {
  it('sums up by token, project, model, provider and day', async () => {
    const { get } = await given([
      { tokenId: 'tok_1', projectId: 'proj_1', model: 'a', provider: 'openai' },
      { tokenId: 'tok_1', projectId: 'proj_1', model: 'b', provider: 'mistral', at: NOON + DAY_MS },
      { tokenId: 'tok_2', projectId: 'proj_1', model: null, provider: 'openai', at: NOON + DAY_MS },
    ])
    const by = async (query: string) => (await get(`/manage/usage?${query}`)).body
    expect(await by('group_by=token')).toMatchObject({
      group_by: 'token',
      data: [summed('tok_1', 2), summed('tok_2', 1)],
    })
    expect((await by('group_by=project')).data).toEqual([summed('proj_1', 3)])
    expect((await by('group_by=model')).data).toEqual([summed(null, 1), summed('a', 1), summed('b', 1)])
    expect((await by('group_by=provider')).data).toEqual([summed('openai', 2), summed('mistral', 1)])
    expect((await by('')).data).toEqual([summed('2026-11-21', 1), summed('2026-11-22', 2)])
    expect((await by('token_id=tok_2')).data).toEqual([summed('2026-11-22', 1)])
    expect((await by('project_id=proj_2')).data).toEqual([])
    expect((await by('from=2026-11-22')).data).toEqual([summed('2026-11-22', 2)])
    expect((await by('to=2026-11-21T12:00:00.001Z')).data).toEqual([summed('2026-11-21', 1)])
  })

  it('groups by several things at once, with costs, latencies and a total that names what has no price', async () => {
    const { get } = await given([
      { model: 'a', costNanoUsd: 1_500_000_000n },
      { model: 'a', costNanoUsd: 1n, status: 502, error: 'upstream_unreachable' },
      { model: 'b', costNanoUsd: null, firstTokenMs: null },
    ])
    const { body } = await get('/manage/usage?group_by=model,status&from=2026-11-21T11:30:00Z&to=2026-11-21T12:30:00Z')
    expect(body.group_by).toBe('model,status')
    expect(body.data.map(({ keys, cost_usd }) => [keys, cost_usd])).toEqual([
      [{ model: 'a', status: '2xx' }, '1.5'],
      [{ model: 'a', status: '5xx' }, '0.000000001'],
      [{ model: 'b', status: '2xx' }, '0'],
    ])
    expect(body.data[0]).not.toHaveProperty('key')
    expect(body.data[2]?.first_token_ms).toEqual({ p50: null, p95: null, p99: null })
    expect(body.totals).toEqual({
      requests: 3,
      errors: 1,
      input_tokens: 30,
      output_tokens: 15,
      cached_tokens: 6,
      cache_write_tokens: 9,
      reasoning_tokens: 3,
      cost_usd: '1.500000001',
      unpriced_requests: 1,
      unpriced_tokens: 15,
      estimated_requests: 0,
      cache_hits: 0,
      latency_ms: { p50: expect.any(Number), p95: expect.any(Number), p99: expect.any(Number) },
      first_token_ms: { p50: expect.any(Number), p95: expect.any(Number), p99: expect.any(Number) },
    })
    const only = async (query: string) =>
      (await get(`/manage/usage?group_by=project&${query}`)).body.data[0]?.requests ?? 0
    expect(await only('status=5xx')).toBe(1)
    expect(await only('model=a&provider=openai&endpoint=/v1/chat/completions')).toBe(2)
    expect(await only('model=c')).toBe(0)
  })

  it('refuses to guess', async () => {
    const { get } = await given([])
    const groups =
      'must be at most 4 of token, project, model, provider, endpoint, status, day, hour, metadata.<key>, separated by commas'
    expect((await get('/manage/usage?group_by=week&since=now')).body).toEqual(
      anError('validation_failed', { group_by: groups, since: 'is not a known field' }),
    )
    for (const bad of ['', 'day,', 'day,day', 'metadata.', 'token,model,day,status,endpoint']) {
      expect((await get(`/manage/usage?group_by=${bad}`)).status).toBe(422)
    }
  })

  it('comes as CSV, safe to open in a spreadsheet', async () => {
    const { get } = await given([{ model: '=HYPERLINK("http://x",1)' }, { model: 'a,b' }, { model: null }])
    const { headers, text } = await get('/manage/usage?group_by=model', { accept: 'text/csv' })
    expect(headers.get('content-type')).toBe('text/csv; charset=utf-8')
    expect(headers.get('vary')).toContain('accept')
    const rest = '0.0000015,0,0,0,0,0'
    const lines = text.split('\r\n').map((line) => line.split(/(?<=,0,0,0,0,0),/)[0])
    expect(lines[0]).toMatch(
      /^model,requests,input_tokens,output_tokens,cached_tokens,reasoning_tokens,cache_write_tokens,cost_usd,errors,/,
    )
    expect(lines.slice(1)).toEqual([
      `,1,10,5,2,1,3,${rest}`,
      `"'=HYPERLINK(""http://x"",1)",1,10,5,2,1,3,${rest}`,
      `"a,b",1,10,5,2,1,3,${rest}`,
      '',
    ])
    expect((await get('/manage/usage', { accept: 'text/html, */*' })).headers.get('content-type')).toContain('json')
    expect((await get('/manage/usage?group_by=x', { accept: 'text/csv' })).body).toMatchObject({
      error: { code: 'validation_failed' },
    })
  })
})

describe('/manage/requests', () => {
  it('shows a request with all that is known of it', async () => {
    const { get } = await given([{ requestId: 'req_1', costNanoUsd: 1_500n }])
    const { status, body } = await get('/manage/requests/req_1')
    expect(status).toBe(200)
    expect(body).toEqual({
      id: 'req_1',
      at: '2026-11-21T12:00:00.000Z',
      token_id: 'tok_1',
      project_id: 'proj_1',
      method: 'POST',
      endpoint: '/v1/chat/completions',
      model: 'gpt-4o',
      provider: 'openai',
      served_model: 'gpt-4o-2024-08-06',
      status: 200,
      error: null,
      stream: true,
      latency_ms: 12,
      first_token_ms: 3,
      usage: {
        input_tokens: 10,
        output_tokens: 5,
        cached_tokens: 2,
        cache_write_tokens: 3,
        reasoning_tokens: 1,
        details: { input_audio_tokens: 2 },
        source: 'reported',
        estimate_reason: null,
      },
      cost_usd: '0.0000015',
      price_source: 'genai-prices 0.1.8',
      reserved_usd: '0.000002',
      cache: 'bypass',
      attempts: [
        { provider: 'openai', model: 'gpt-4o', outcome: 'answered', status: 200, duration_ms: 12, error: null },
      ],
      changes: ['model'],
      request_bytes: 100,
      response_bytes: 200,
    })
  })

  it('lists the newest first, page by page, by project, token, model, status and time', async () => {
    const { get, pages } = await given([
      { requestId: 'req_1', projectId: 'proj_2', at: NOON },
      { requestId: 'req_2', tokenId: 'tok_2', at: NOON + 1 },
      { requestId: 'req_3', model: 'm', at: NOON + 2 },
      { requestId: 'req_4', status: 502, at: NOON + DAY_MS },
      { requestId: 'req_5', tokenId: null, projectId: null, provider: null, costNanoUsd: null, at: NOON + DAY_MS },
    ])
    const ids = async (query: string) => (await get(`/manage/requests?${query}`)).body.data.map(({ id }) => id)
    expect((await pages('/manage/requests', 2)).map((page) => page.map(({ id }) => id))).toEqual([
      ['req_5', 'req_4'],
      ['req_3', 'req_2'],
      ['req_1'],
    ])
    expect(await ids('project_id=proj_2')).toEqual(['req_1'])
    expect(await ids('token_id=tok_2')).toEqual(['req_2'])
    expect(await ids('model=m')).toEqual(['req_3'])
    expect(await ids('status=502')).toEqual(['req_4'])
    expect(await ids('from=2026-11-22&to=2026-11-23&status=200')).toEqual(['req_5'])
    expect((await get('/manage/requests?status=99')).status).toBe(422)
    expect((await get('/manage/requests?min_cost_usd=-1')).status).toBe(422)
  })

  it('finds what was expensive, slow or failed, and what belongs to a team', async () => {
    const { get, store } = await given([
      { requestId: 'req_1', costNanoUsd: 2_000_000_000n },
      { requestId: 'req_2', latencyMs: 5_000 },
      { requestId: 'req_3', status: 502, error: 'upstream_unreachable', provider: 'mistral' },
      { requestId: 'req_4', endpoint: '/v1/embeddings' },
    ])
    const ids = async (query: string) => (await get(`/manage/requests?${query}`)).body.data.map(({ id }) => id)
    expect(await ids('min_cost_usd=2')).toEqual(['req_1'])
    expect(await ids('min_cost_usd=2.000000001')).toEqual([])
    expect(await ids('min_latency_ms=5000')).toEqual(['req_2'])
    expect(await ids('error=upstream_unreachable')).toEqual(['req_3'])
    expect(await ids('provider=mistral')).toEqual(['req_3'])
    expect(await ids('endpoint=/v1/embeddings')).toEqual(['req_4'])
    const owner = aProject()
    const team = aToken(owner.id, { metadata: { team: 'Search' } })
    await store.projects.create(owner, [], aStamp())
    await store.tokens.create(team, aStamp())
    await store.ledger.append(aBatch({ rows: [aRow({ requestId: 'req_5', tokenId: team.id })] }))
    expect(await ids('metadata=search')).toEqual(['req_5'])
    expect(await ids('metadata=ads')).toEqual([])
  })
})
