import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { CHAT, codeOf, openWire, rowsOf, statusOf, type Wire } from './on-the-wire.ts'

let wire: Wire

beforeAll(async () => {
  wire = await openWire()
})
afterAll(() => wire.stop())

/** One chat to `target` with a token of its own. */
async function tryTarget(target: string, fields: Parameters<Wire['gateway']['token']>[0] = {}) {
  const { secret, token } = await wire.gateway.token(fields)
  const before = wire.upstream.seen.length
  const answer = await wire.send(wire.post(target, { token: secret }))
  const urls = wire.upstream.seen.slice(before).map(({ url }) => url)
  return { answer, urls, row: async () => (await rowsOf(wire.gateway, token.id, 1))[0]! }
}

/** Spellings that a provider reads as the chat endpoint. */
const SPELLINGS = [
  '/v1/chat/completions',
  '/v1/%63hat/completions',
  '/v1/chat%2Fcompletions',
  '/v1//chat/completions',
  '/v1/chat//completions',
  '/v1/chat/completions/',
  '/v1/chat\\completions',
  '/v1/chat/completions?x=1',
  '/v1/chat/completions/?',
]

describe('another spelling of an endpoint', () => {
  it.each(SPELLINGS)('is metered like the plain one: %s', async (target) => {
    const { answer, row } = await tryTarget(target)
    expect(statusOf(answer)).toBe(200)
    expect(await row()).toMatchObject({ endpoint: '/v1/chat/completions', usage: { source: 'reported' } })
  })

  it.each(SPELLINGS)('is refused to a token that may not use that endpoint: %s', async (target) => {
    const { answer, urls } = await tryTarget(target, { allowedEndpoints: ['/v1/files', '/v1/embeddings*'] })
    expect([statusOf(answer), codeOf(answer)]).toEqual([403, 'endpoint_not_allowed'])
    expect(urls).toEqual([])
  })

  it('with a fragment behind it is metered too, or refused', async () => {
    const { answer, row } = await tryTarget('/v1/chat/completions#x')
    const { endpoint } = await row()
    expect([statusOf(answer), endpoint]).not.toEqual([200, '/v1/chat/completions#x'])
  })

  it('with the address in front of it is the same endpoint', async () => {
    const { answer, urls, row } = await tryTarget('http://gateway/v1/chat/completions')
    expect(statusOf(answer)).toBe(200)
    expect(urls).toEqual(['/v1/chat/completions'])
    expect(await row()).toMatchObject({ endpoint: '/v1/chat/completions', usage: { source: 'reported' } })
  })
})

describe('a path that would leave /v1', () => {
  it.each([
    '/v1/../manage/projects',
    '/v1/./chat/completions',
    '/v1/files/..',
    '/v1/files/..%2f..',
    '/v1/files/%2e%2e/%2e%2e/admin',
    '/v1/%2e%2e%5cadmin',
    '/v1/..\\admin',
    '/v1/files/.%2e/x',
    '/v1/%2e/x',
  ])('is unknown, is in the ledger, and never reaches the provider: %s', async (target) => {
    const { answer, urls, row } = await tryTarget(target)
    expect([statusOf(answer), codeOf(answer)]).toEqual([404, 'unknown_route'])
    expect(urls).toEqual([])
    expect(await row()).toMatchObject({ status: 404, error: 'unknown_route' })
  })

  it.each(['/v1/%zz', '/v1/%', '/v1/%ff%fe', '/v1/%c0%ae%c0%ae/x'])(
    'by an escape that means nothing is unknown: %s',
    async (target) => {
      const { answer, urls } = await tryTarget(target)
      expect([statusOf(answer), codeOf(answer)]).toEqual([404, 'unknown_route'])
      expect(urls).toEqual([])
    },
  )

  it.each([
    '/V1/chat/completions',
    '//v1/chat/completions',
    '/%76%31/chat/completions',
    '/v1x/chat',
    '/./v1/models',
    '*',
  ])('or that only looks like it is unknown, and never reaches the provider: %s', async (target) => {
    const before = wire.upstream.seen.length
    const answer = await wire.send(wire.post(target))
    expect([statusOf(answer), codeOf(answer)]).toEqual([404, 'unknown_route'])
    expect(wire.upstream.seen.length).toBe(before)
  })

  it.each(['http://x/v1/files', 'abc://x/v1/files', 'http://v1/v1/files'])(
    'by an address in front of it stays below the provider’s base path: %s',
    async (target) => {
      const { urls } = await tryTarget(target)
      for (const url of urls) expect(url).toMatch(/^\/v1(\/|$)/)
      expect(urls.join()).not.toContain(':')
    },
  )
})

it('is passed to the provider as the caller spelled it, escapes and all', async () => {
  for (const target of ['/v1/files/a%20b%2Fc', '/v1/files/%C3%A9?q=%2e%2e&q=b+c', '/v1/files/a;b=c,d@e:f']) {
    expect((await tryTarget(target)).urls).toEqual([target])
  }
})

it('decodes an escape once and not twice', async () => {
  const { urls, row } = await tryTarget('/v1/%2563hat/completions')
  expect(urls).toEqual(['/v1/%2563hat/completions'])
  expect((await row()).endpoint).toBe('/v1/%63hat/completions')
})

it('does not let a caller write lines of their own into the log', async () => {
  await tryTarget('/v1/files/%0a%7B%22level%22:%22forged%22%7D%1b[31m')
  for (const line of wire.gateway.logs().trim().split('\n')) {
    expect((JSON.parse(line) as { level: string }).level).not.toBe('forged')
  }
})

describe('a credential in the query', () => {
  it('opens the door and stays behind it, whatever else is in the query', async () => {
    const { secret, token } = await wire.gateway.token()
    const before = wire.upstream.seen.length
    const head = `Content-Length: ${CHAT.length}\r\nConnection: close\r\n`
    const request = wire.post(`/v1/chat/completions?a=1&key=${secret}&b=2&api_key=x`, { head })
    const answer = await wire.send(request.replace(/Authorization: .*\r\n/, ''))
    expect(statusOf(answer)).toBe(200)
    expect(wire.upstream.seen[before]!.url).toBe('/v1/chat/completions?a=1&b=2')
    expect((await rowsOf(wire.gateway, token.id, 1))[0]!.endpoint).toBe('/v1/chat/completions')
    expect(wire.gateway.logs()).not.toContain(secret)
  })

  it('stays behind it in an escaped spelling too', async () => {
    const { secret } = await wire.gateway.token()
    const before = wire.upstream.seen.length
    const request = wire.post(`/v1/chat/completions?%6bey=${secret}&x=key=`).replace(/Authorization: .*\r\n/, '')
    const answer = await wire.send(request)
    expect(statusOf(answer)).toBe(200)
    expect(wire.upstream.seen[before]!.url).not.toContain(secret)
  })
})
