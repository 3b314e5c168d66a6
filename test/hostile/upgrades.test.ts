import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { PROVIDER_KEY } from '../helpers/gateway.ts'
import { eventually } from '../helpers/http.ts'
import { chatAnswer, sendJson } from '../helpers/upstream.ts'
import { CHAT, openWire, statusOf, type Wire } from './on-the-wire.ts'

/*
 * A request that says `Upgrade: websocket` goes another way through the gateway. That way must have the same doors.
 */

let wire: Wire
beforeAll(async () => {
  wire = await openWire()
})
afterAll(() => wire.stop())

type Fields = Parameters<Wire['gateway']['token']>[0]

/** Asks for a WebSocket; the answer as it came, its row, and what the provider saw. */
async function upgrade(path: string, fields: Fields = {}, { method = 'GET', body = '' } = {}) {
  const { secret, token } = await wire.gateway.token(fields)
  const before = wire.upstream.seen.length
  const head = `${body === '' ? '' : `Content-Length: ${body.length}\r\n`}Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n`
  const asked = wire.post(path, { token: secret, head, body }).replace('POST', method)
  const answer = await wire.send(asked, /\}\]?\}(\r\n0\r\n\r\n)?$/)
  const row = await eventually(
    async () => (await wire.gateway.rows()).find(({ tokenId }) => tokenId === token.id),
    'the row of the upgrade',
  )
  return { answer, row, seen: wire.upstream.seen.slice(before) }
}

const restricted = { allowedModels: ['gpt-4o-realtime'] }

describe('a WebSocket for a token that may use some models only', () => {
  it.each([
    '/v1/realtime?model=gpt-4o',
    '/v1/realtime?%6dodel=gpt-4o&model=gpt-4o-realtime',
    '/v1/realtime?model=gpt-4o&model=gpt-4o-realtime',
    '/v1/realtime?model=',
  ])('is refused for another one: %s', async (path) => {
    const { answer, seen } = await upgrade(path, restricted)
    expect([statusOf(answer), seen.length]).toEqual([403, 0])
  })

  it('names one model to the provider, however many it was given', async () => {
    const { seen } = await upgrade('/v1/realtime?model=gpt-4o-realtime&model=gpt-4o', restricted)
    expect(seen[0]!.url).toBe('/v1/realtime?model=gpt-4o-realtime')
  })

  it.each(['/v1/realtime', '/v1/realtime?intent=transcription'])('is refused when it names none: %s', async (path) => {
    const { answer, seen } = await upgrade(path, restricted)
    expect([statusOf(answer), seen.length]).toEqual([403, 0])
  })
})

describe('a provider that answers a WebSocket’s handshake as a plain request', () => {
  const echo = (status: number) =>
    wire.upstream.script((req, res) =>
      sendJson(
        res,
        status,
        { error: { message: `No: ${req.headers.authorization}` }, list: [{}] },
        { 'set-cookie': 'a=b', 'x-llm-proxy-cache': 'hit' },
      ),
    )

  it.each([400, 403, 404, 429, 500])(
    'with %i is told with its status, without our key or its cookies',
    async (status) => {
      echo(status)
      const { answer, row } = await upgrade('/v1/realtime?model=x')
      expect(statusOf(answer)).toBe(status)
      expect(answer).not.toContain(PROVIDER_KEY)
      expect(answer).not.toMatch(/set-cookie|x-llm-proxy-cache: hit/i)
      expect(answer).toContain(row.requestId)
      expect(row).toMatchObject({ status, error: 'upstream_error' })
    },
  )

  it('with 200 is not booked as if the client had left', async () => {
    echo(200)
    const { row } = await upgrade('/v1/realtime?model=x')
    expect(row.status).not.toBe(499)
  })
})

describe('an upgrade where there is no WebSocket', () => {
  it('shows the list of models that a plain request shows', async () => {
    wire.upstream.script((_req, res) =>
      sendJson(res, 200, { object: 'list', data: [{ id: 'gpt-4o-realtime' }, { id: 'forbidden' }] }),
    )
    const { answer } = await upgrade('/v1/models', restricted)
    expect(answer).not.toContain('forbidden')
  })

  it('is passed over: a chat is served and metered as it is', async () => {
    wire.upstream.script((_req, res) => sendJson(res, 200, chatAnswer()))
    const { answer, row } = await upgrade('/v1/chat/completions', {}, { method: 'POST', body: CHAT })
    expect(statusOf(answer)).toBe(200)
    expect(row).toMatchObject({ status: 200, usage: { source: 'reported' } })
  })

  it('is passed over: a download comes with the headers of every answer, and its row says so', async () => {
    wire.upstream.script((_req, res) => sendJson(res, 200, { data: [{}] }, { 'set-cookie': 'a=b' }))
    const { answer, row } = await upgrade('/v1/files')
    expect(statusOf(answer)).toBe(200)
    expect(answer).toContain(row.requestId)
    expect(answer).not.toMatch(/set-cookie/i)
    expect(row.status).toBe(200)
  })
})
