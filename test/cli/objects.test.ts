import { describe, expect, it } from '@jest/globals'
import { givenGateway } from './given.ts'

// Both ways to a gateway's objects keep the same promises.
describe.each(['database', 'address'] as const)('working through the %s', (through) => {
  const start = () => givenGateway({}, through)

  it('creates, shows, changes and deletes a project, by id or name', async () => {
    const { json, print, cli } = await start()
    const made = await json([
      ...'project create --name search --models gpt-4o,claude-* --rpm 60 --concurrent 4'.split(' '),
      ...'--metadata team=search tier=gold'.split(' '),
    ])
    expect(made).toMatchObject({
      id: expect.stringMatching(/^proj_/),
      name: 'search',
      is_active: true,
      allowed_models: ['gpt-4o', 'claude-*'],
      rate_limit: { requests_per_minute: 60, tokens_per_minute: null, concurrent_requests: 4 },
      metadata: { team: 'search', tier: 'gold' },
      provider_keys: [],
    })
    expect(await json('project get search')).toEqual(made)
    expect(await json(`project get ${made.id}`)).toEqual(made)
    const changed = await json('project update search --inactive --models none --rpm none --tpm 9000 --name find')
    expect(changed).toMatchObject({
      id: made.id,
      name: 'find',
      is_active: false,
      allowed_models: null,
      rate_limit: { requests_per_minute: null, tokens_per_minute: 9000, concurrent_requests: 4 },
      metadata: { team: 'search', tier: 'gold' },
    })
    expect(await print('project list')).toMatch(/find +inactive/)
    expect(await print('project delete find')).toBe(
      `Deleted the project "find" (${made.id}) with its tokens and provider keys.`,
    )
    expect(await cli('project get find')).toEqual({
      code: 1,
      out: '',
      err: 'error: There is no such project: "llm-proxy project list" shows those there are.\n',
    })
  })

  it('makes a token with every limit there is, and changes it', async () => {
    const { json, print } = await start()
    await json('project create search')
    const made = await json([
      ...'token generate --project search --name ci --max-requests 1000 --rpm 60 --tpm 90000 --concurrent 4'.split(' '),
      ...'--models gpt-4o,gpt-4.1* --endpoints /v1/chat/* --ips 10.0.0.0/8,::1'.split(' '),
      ...'--budget day=5.50 --budget total=50000tokens --expires 2099-01-01T00:00:00Z --metadata'.split(' '),
      '{"owner":{"id":7}}',
    ])
    expect(made).toMatchObject({
      id: expect.stringMatching(/^tok_/),
      token: expect.stringMatching(/^sk-[\w-]{43}$/),
      name: 'ci',
      max_requests: 1000,
      rate_limit: { requests_per_minute: 60, tokens_per_minute: 90_000, concurrent_requests: 4 },
      budgets: [
        { period: 'day', limit_usd: '5.5', limit_tokens: null, reset_at: null },
        { period: 'total', limit_usd: null, limit_tokens: 50_000, reset_at: null },
      ],
      allowed_models: ['gpt-4o', 'gpt-4.1*'],
      allowed_endpoints: ['/v1/chat/*'],
      allowed_ips: ['10.0.0.0/8', '::1'],
      expires_at: '2099-01-01T00:00:00.000Z',
      metadata: { owner: { id: 7 } },
    })
    const { token, ...shown } = made
    expect(await json(`token get ${made.id}`)).toEqual(shown)
    expect(await print(`token get ${made.id}`)).toMatch(/budgets +\$5\.5 a day, 50000 tokens in total/)
    expect(
      await json(
        `token update ${made.id} --inactive --max-requests none --rpm none --budget none --models none --endpoints none --ips none --duration never --metadata none`,
      ),
    ).toMatchObject({
      name: 'ci',
      is_active: false,
      max_requests: null,
      rate_limit: { requests_per_minute: null, tokens_per_minute: 90_000, concurrent_requests: 4 },
      budgets: null,
      allowed_models: null,
      allowed_endpoints: null,
      allowed_ips: null,
      expires_at: null,
      metadata: {},
    })
    expect(await json(`token update ${made.id} --active`)).toMatchObject({ is_active: true })
  })

  it('makes a token that lasts as long as it was told', async () => {
    const { json } = await start()
    for (const [duration, minutes] of [
      ['90m', 90],
      ['24h', 1440],
      ['30d', 43_200],
      ['2w', 20_160],
    ] as const) {
      const { created_at, expires_at } = await json<{ created_at: string; expires_at: string }>(
        `token generate --duration ${duration}`,
      )
      expect(Date.parse(expires_at) - Date.parse(created_at)).toBe(minutes * 60_000)
    }
    expect(await json('token generate --duration never')).toMatchObject({ expires_at: null })
    expect(await json('token generate --expires 2099-01-01')).toMatchObject({ expires_at: '2099-01-01T00:00:00.000Z' })
  })

  it('shows a new token once, with a request that works as it stands', async () => {
    const { print, gateway } = await start()
    const out = await print('token generate')
    const [secret] = /sk-[\w-]{43}/.exec(out)!
    expect(out).toContain(`curl ${gateway.url}/v1/chat/completions`)
    const [, body] = /-d '(.+)'$/.exec(out)!
    const answer = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
      body: body!,
    })
    expect(answer.status).toBe(200)
    expect(await print('token list')).not.toContain(secret)
  })

  it('prints a new token alone with --quiet', async () => {
    const { print } = await start()
    expect(await print('token generate --quiet')).toMatch(/^sk-[\w-]{43}$/)
  })

  it('lists tokens of a project, those that work, and page by page', async () => {
    const { json, print } = await start()
    await json('project create a')
    await json('project create b')
    const ids: string[] = []
    for (let count = 0; count < 3; count++) ids.unshift((await json('token generate --project a')).id)
    await json('token generate --project b')
    await json(`token revoke ${ids[0]}`)

    const idsOf = (list: { data: { id: string }[] }) => list.data.map(({ id }) => id)
    expect(idsOf(await json('token list --project a'))).toEqual(ids)
    expect(idsOf(await json('token list --project a --active-only'))).toEqual(ids.slice(1))
    const first = await json('token list --project a --limit 2')
    expect(idsOf(first)).toEqual(ids.slice(0, 2))
    expect(await print('token list --project a --limit 2')).toContain(
      `There are more: --after ${first.next_cursor}, or --all.`,
    )
    expect(idsOf(await json(`token list --project a --limit 2 --after ${first.next_cursor}`))).toEqual(ids.slice(2))
    expect(await json('token list --project a --all')).toMatchObject({ has_more: false, next_cursor: null })
    expect(await print('token list --project a')).toMatch(/a +….{4} +revoked/)
  })

  it('revokes one token, or all of a project', async () => {
    const { json, print, cli } = await start()
    await json('project create a')
    const { id } = await json('token generate --project a')
    await json('token generate --project a')
    await json('token generate --project a')
    expect(await print(`token revoke ${id}`)).toBe(`Revoked the token ${id}: it works no more.`)
    expect(await print('token revoke --all-of a')).toBe('Revoked 2 tokens.')
    expect(await json('token list --project a --active-only')).toMatchObject({ data: [] })
    expect((await cli('token revoke')).code).toBe(2)
    expect((await cli(`token revoke ${id} --all-of a`)).code).toBe(2)
  })

  it('deletes a token once: a second time it says that there is none', async () => {
    const { json, print, cli } = await start()
    const { id } = await json('token generate --name ci')
    expect(await print(`token delete ${id}`)).toBe(`Deleted the token ${id} (ci).`)
    expect(await cli(`token delete ${id}`)).toEqual({ code: 1, out: '', err: 'error: There is no such token.\n' })
  })

  it('adds, lists and deletes provider keys, and shows none of them', async () => {
    const { json, print, cli } = await start()
    const secret = 'sk-provider-0123456789-abcd'
    await json(['project', 'create', 'a', '--provider-key', `openai=${secret}1`, 'anthropic=-'], {
      stdin: `${secret}2\n`,
    })
    const made = await json('provider-key add mistral=- --project a --weight 2.5', { stdin: `${secret}3` })
    expect(made).toMatchObject({ provider: 'mistral', last4: 'bcd3', weight: 2.5 })

    const { data } = await json('provider-key list')
    expect(data.map(({ provider, last4 }) => [provider, last4])).toEqual([
      ['openai', 'bcd1'],
      ['anthropic', 'bcd2'],
      ['mistral', 'bcd3'],
    ])
    const outputs = [await print('provider-key list'), await print('project get a'), await print('project list')]
    for (const out of outputs) expect(out).not.toContain(secret)
    expect(await print(`provider-key delete ${made.id}`)).toBe(`Deleted the mistral key …bcd3 (${made.id}).`)
    expect((await json('provider-key list --project a')).data).toHaveLength(2)
    expect((await cli(`provider-key delete ${made.id}`)).code).toBe(1)
  })

  it('says by its option what is wrong, exits with 2, and changes nothing', async () => {
    const { cli, json } = await start()
    const complaint = async (line: string) => {
      const { code, err } = await cli(line)
      return `${code} ${err.trim()}`
    }
    expect(await complaint('token generate --ips 10.0.0.0/8,nowhere')).toBe(
      '2 error: --ips (entry 2) must be an IP address or a CIDR range.',
    )
    expect(await complaint('token generate --rpm 9999999999')).toBe('2 error: --rpm must be at most 1000000000.')
    expect(await complaint('token generate --expires tomorrow')).toBe(
      '2 error: --expires must be a time in ISO 8601 with its zone, as 2026-11-21T12:00:00Z.',
    )
    expect(await complaint('token generate --expires 2020-01-01')).toBe('2 error: --expires must be in the future.')
    expect(await complaint('project create a --provider-key nobody=sk-1')).toMatch(
      /^2 error: --provider-key \(entry 1, the provider\) must be one of openai, /,
    )
    expect(await json('token list')).toMatchObject({ data: [] })
  })

  it('tells a name that is taken, and a revoked token that cannot come back', async () => {
    const { cli, json } = await start()
    await json('project create a')
    expect(await cli('project create a')).toMatchObject({
      code: 1,
      err: 'error: There is already a project with this name.\n',
    })
    const { id } = await json('token generate')
    await json(`token revoke ${id}`)
    expect(await cli(`token update ${id} --active`)).toMatchObject({
      code: 1,
      err: 'error: A revoked token cannot be made active again.\n',
    })
  })
})
