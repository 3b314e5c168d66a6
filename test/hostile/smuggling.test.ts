import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { PROVIDER_KEY } from '../helpers/gateway.ts'
import { CHAT, codeOf, openWire, statusOf, type Wire } from './on-the-wire.ts'

let wire: Wire

beforeAll(async () => {
  wire = await openWire()
})
afterAll(() => wire.stop())

const LENGTH = `Content-Length: ${CHAT.length}\r\n`
const CLOSE = 'Connection: close\r\n'
const CHUNKED = `${CHAT.length.toString(16)}\r\n${CHAT}\r\n0\r\n\r\n`

/** Sends one chat with these header lines and tells what the provider saw of it. */
async function tryHead(head: string, body = CHAT) {
  const before = wire.upstream.seen.length
  const answer = await wire.send(wire.post('/v1/chat/completions', { head: `${head}${CLOSE}`, body }))
  return { answer, seen: wire.upstream.seen.slice(before) }
}

describe('a request whose length can be read in two ways', () => {
  it.each([
    ['content-length twice', LENGTH + LENGTH, CHAT],
    ['two different content-lengths', `${LENGTH}Content-Length: 3\r\n`, CHAT],
    ['a list of content-lengths', `Content-Length: ${CHAT.length}, ${CHAT.length}\r\n`, CHAT],
    ['a signed content-length', `Content-Length: +${CHAT.length}\r\n`, CHAT],
    ['content-length with transfer-encoding', `${LENGTH}Transfer-Encoding: chunked\r\n`, CHUNKED],
    ['transfer-encoding with content-length', `Transfer-Encoding: chunked\r\n${LENGTH}`, CHUNKED],
    ['transfer-encoding twice', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', CHUNKED],
    ['an unknown transfer-encoding', 'Transfer-Encoding: xchunked\r\n', CHUNKED],
    ['chunked before another encoding', 'Transfer-Encoding: chunked, gzip\r\n', CHUNKED],
    ['a space before the colon', 'Transfer-Encoding : chunked\r\n', CHUNKED],
    ['a chunk size that is no number', 'Transfer-Encoding: chunked\r\n', `zz\r\n${CHAT}\r\n0\r\n\r\n`],
    ['a chunk longer than it says', 'Transfer-Encoding: chunked\r\n', `4\r\n${CHAT}\r\n0\r\n\r\n`],
  ])('is refused and never reaches the provider: %s', async (_what, head, body) => {
    const { answer, seen } = await tryHead(head, body)
    expect([statusOf(answer), codeOf(answer)]).toEqual([400, 'invalid_request'])
    expect(answer).toMatch(/connection: close/i)
    expect(seen).toEqual([])
  })
})

describe('a header that could become two', () => {
  it.each([
    ['a folded line', 'X-A: b\r\n X-Evil: 1\r\n'],
    ['a bare CR', 'X-A: b\rX-Evil: 1\r\n'],
    ['a NUL', 'X-A: b\0c\r\n'],
    ['a name with a space', 'X A: b\r\n'],
    ['an empty name', ': b\r\n'],
    ['a name outside ASCII', 'X-Ä: b\r\n'],
  ])('is refused and never reaches the provider: %s', async (_what, head) => {
    const { answer, seen } = await tryHead(LENGTH + head)
    expect([statusOf(answer), codeOf(answer)]).toEqual([400, 'invalid_request'])
    expect(seen).toEqual([])
  })
})

it('keeps our own key in place when the caller names `authorization` in Connection', async () => {
  const { answer, seen } = await tryHead(`${LENGTH}Connection: authorization, content-type\r\n`)
  expect(statusOf(answer)).toBe(200)
  expect(seen[0]!.headers.authorization).toBe(`Bearer ${PROVIDER_KEY}`)
  expect(seen[0]!.body.toString()).toBe(CHAT)
})

it('gives the provider one authorization header, however many the caller sends', async () => {
  const { answer, seen } = await tryHead(
    `${LENGTH}Authorization: Bearer sk-other\r\nX-Api-Key: sk-third\r\nApi-Key: sk-fourth\r\n`,
  )
  expect(statusOf(answer)).toBe(200)
  const { rawHeaders } = seen[0]!
  expect(rawHeaders.filter((part) => /^authorization$/i.test(part))).toHaveLength(1)
  expect(rawHeaders.join('\n')).not.toMatch(/sk-(other|third|fourth)/)
})

it('lets no caller write the headers that the gateway itself adds', async () => {
  const { answer, seen } = await tryHead(`${LENGTH}X-LLM-Proxy-Request-Id: forged\r\nX-Llm-Proxy-Cache: hit\r\n`)
  expect(answer).not.toContain('forged')
  expect(seen[0]!.rawHeaders.join('\n')).not.toMatch(/x-llm-proxy/i)
})

it('takes a second request behind the first one as a request of its own, with its own token', async () => {
  const before = wire.upstream.seen.length
  const hidden = wire.post('/v1/files', { token: 'sk-wrong', body: '' })
  const heard = await wire.send(
    wire.post('/v1/chat/completions', { head: `Content-Length: ${CHAT.length}\r\n` }) + hidden,
  )
  expect([...heard.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => status)).toEqual(['200', '401'])
  expect(wire.upstream.seen.length - before).toBe(1)
})

it('answers headers of more than 32 KB with 431 in the shape of all errors', async () => {
  for (const request of [
    wire.post('/v1/chat/completions', { head: `${LENGTH}X-Long: ${'a'.repeat(40_000)}\r\n` }),
    wire.post('/v1/chat/completions', { head: LENGTH + 'a: b\r\n'.repeat(8_000) }),
    wire.post(`/v1/${'a'.repeat(40_000)}`),
  ]) {
    const answer = await wire.send(request)
    expect([statusOf(answer), codeOf(answer)]).toEqual([431, 'headers_too_large'])
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toEqual({
      error: { message: expect.any(String), type: 'invalid_request_error', param: null, code: 'headers_too_large' },
    })
  }
})
