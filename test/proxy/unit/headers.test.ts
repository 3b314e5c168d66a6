import { describe, expect, it } from '@jest/globals'
import { downstreamHeaders, headerOf, upstreamHeaders } from '../../../src/proxy/headers.ts'

const auth = { authorization: 'Bearer key' }
const up = (raw: string[], length: string | null = null, encoding: string | null = null) =>
  upstreamHeaders(raw, auth, length, encoding)
const facts = {
  keepContentLength: false,
  decoded: false,
  limits: [],
  ownCors: false,
  secret: 'sk-none',
  extra: [] as string[],
}
const down = (raw: string[], more: Partial<Parameters<typeof downstreamHeaders>[1]> = {}) =>
  downstreamHeaders(raw, { ...facts, ...more })

describe('headers for the provider', () => {
  it('keep their spelling, order and repetitions', () => {
    const raw = [
      'Content-Type',
      'application/json',
      'X-Many',
      '1',
      'OpenAI-Beta',
      'assistants=v2',
      'x-many',
      '2',
      'User-Agent',
      'OpenAI/JS',
    ]
    expect(up(raw)).toEqual([...raw, 'authorization', 'Bearer key'])
  })

  it('leave behind who came, how, and with what credential', () => {
    const raw = [
      'Authorization,X-Api-Key,x-goog-api-key,Api-Key,Cookie,Host,Expect,Forwarded,Via,X-Real-IP,X-Client-IP,True-Client-IP,CF-Connecting-IP',
      'X-Forwarded-For,X-Forwarded-Proto,x-forwarded-anything,Content-Length,Accept-Encoding,X-LLM-Proxy-Cache',
      'Connection,Keep-Alive,Proxy-Authenticate,Proxy-Authorization,Proxy-Connection,TE,Trailer,Transfer-Encoding,Upgrade',
    ].flatMap((names) => names.split(',').flatMap((name) => [name, 'secret']))
    expect(up(raw)).toEqual(['authorization', 'Bearer key'])
  })

  it('say what the gateway sets once, as the gateway says it', () => {
    const own = { 'api-key': 'k', 'x-team': 'a' }
    expect(upstreamHeaders(['X-Team', 'b', 'x-other', 'c', 'x-team', 'd'], own, null, null)).toEqual([
      ...['x-other', 'c', 'api-key', 'k', 'x-team', 'a'],
    ])
  })

  it.each([
    ['X-A, x-b', ['X-C', '3']],
    ['keep-alive,X-A ,X-B', ['X-C', '3']],
    ['close', ['X-A', '1', 'x-B', '2', 'X-C', '3']],
    ['Keep-Alive', ['X-A', '1', 'x-B', '2', 'X-C', '3']],
    [',,', ['X-A', '1', 'x-B', '2', 'X-C', '3']],
  ])('leave behind what `Connection: %s` names', (connection, expected) => {
    expect(up(['Connection', connection, 'X-A', '1', 'x-B', '2', 'X-C', '3'])).toEqual([
      ...expected,
      'authorization',
      'Bearer key',
    ])
  })

  it('leave behind what any of several Connection headers names, but never our own key', () => {
    expect(up(['connection', 'x-a', 'CONNECTION', 'x-b, authorization', 'x-a', '1', 'x-b', '2'])).toEqual([
      'authorization',
      'Bearer key',
    ])
  })

  it('tell the length of the body that is sent, and the encodings that may come back', () => {
    expect(up([], '12', 'identity')).toEqual([
      'content-length',
      '12',
      'accept-encoding',
      'identity',
      'authorization',
      'Bearer key',
    ])
    expect(up([], '0')).toEqual(['content-length', '0', 'authorization', 'Bearer key'])
  })
})

describe('headers for the client', () => {
  it('are those of the provider, in order, with what the gateway adds', () => {
    const raw = [
      'Content-Type',
      'text/event-stream',
      'X-Request-Id',
      'r',
      'openai-organization',
      'o',
      'x-many',
      '1',
      'X-Many',
      '2',
    ]
    expect(down(raw, { extra: ['x-llm-proxy-request-id', 'req_1'] })).toEqual([
      ...raw,
      'x-llm-proxy-request-id',
      'req_1',
    ])
  })

  it('lack cookies, what belongs to the connection, and names that are the gateway’s own', () => {
    const names =
      'Set-Cookie,set-cookie2,Connection,Keep-Alive,Transfer-Encoding,Trailer,Upgrade,Proxy-Authenticate,X-LLM-Proxy-Provider'
    expect(down(names.split(',').flatMap((name) => [name, 'v']))).toEqual([])
    expect(down(['Connection', 'X-Hop', 'X-Hop', '1', 'X-Stays', '2'])).toEqual(['X-Stays', '2'])
  })

  it('keep the length only where the body keeps it, and the encoding only where the body does', () => {
    const raw = ['Content-Length', '5', 'Content-Encoding', 'gzip']
    expect(down(raw)).toEqual(['Content-Encoding', 'gzip'])
    expect(down(raw, { keepContentLength: true })).toEqual(raw)
    expect(down(raw, { decoded: true })).toEqual([])
  })

  it('tell of the limits of this gateway in place of those of the provider', () => {
    const raw = [
      'x-ratelimit-limit-requests',
      '1',
      'X-RateLimit-Reset-Tokens',
      '2',
      'x-ratelimit-limit-images',
      '3',
      'x-ratelimit',
      '4',
      'y-requests',
      '5',
    ]
    expect(down(raw)).toEqual(raw)
    expect(down(raw, { limits: [{ what: 'requests' }] })).toEqual(raw.slice(2))
    expect(down(raw, { limits: [{ what: 'requests' }, { what: 'tokens' }] })).toEqual(raw.slice(4))
    expect(down(raw, { limits: [{ what: 'concurrent_requests' }] })).toEqual(raw)
  })

  it('answer a browser’s question of origins with the gateway’s word alone', () => {
    const raw = ['Access-Control-Allow-Origin', '*', 'x-a', '1']
    expect([down(raw), down(raw, { ownCors: true })]).toEqual([raw, ['x-a', '1', 'vary', 'Origin']])
  })
})

it('finds the first value of a header, whatever its spelling', () => {
  const raw = ['X-A', '1', 'retry-after', '2', 'Retry-After', '3', 'empty', '']
  expect([
    headerOf(raw, 'retry-after'),
    headerOf(raw, 'x-a'),
    headerOf(raw, 'empty'),
    headerOf(raw, 'x'),
    headerOf([], 'x-a'),
  ]).toEqual(['2', '1', '', null, null])
  expect(headerOf(['value', 'x-a', 'x-b', '1'], 'x-a')).toBeNull()
})
