import { request } from 'node:http'
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { startTestGateway, type TestGateway } from '../helpers/gateway.ts'
import { chat, eventually, type RawAnswer } from '../helpers/http.ts'
import { chatEvents } from '../helpers/upstream.ts'
import { CHAT, rowsOf } from './on-the-wire.ts'
import { ANSWER, ok, type RawProvider, startRawProvider } from './raw-provider.ts'

let provider: RawProvider
let gateway: TestGateway

beforeAll(async () => {
  provider = await startRawProvider()
  gateway = await startTestGateway({
    upstream: provider.url,
    config: { timeouts: { connectMs: 500, headersMs: 500, firstTokenMs: 500, idleMs: 500, totalMs: 5000 } },
  })
})
afterAll(async () => {
  await gateway.stop()
  await provider.close()
})

/** One chat, its answer (null: none at all came back), and its row. */
async function ask(body: object = {}) {
  const { secret, token } = await gateway.token()
  const answer: RawAnswer | null = await chat(gateway.baseUrl, secret, body).catch(() => null)
  return { answer, row: (await rowsOf(gateway, token.id, 1))[0]! }
}

const says = (encoding: string, body: Buffer, more = '') =>
  provider.says(ok(`content-encoding: ${encoding}\r\ncontent-length: ${body.length}\r\n${more}`, body))

describe('an answer that comes compressed though plain was asked for', () => {
  it.each([
    ['gzip', gzipSync(ANSWER)],
    ['x-gzip', gzipSync(ANSWER)],
    ['GZIP', gzipSync(ANSWER)],
    ['deflate', deflateSync(ANSWER)],
    ['br', brotliCompressSync(ANSWER)],
    ['zstd', zstdCompressSync(ANSWER)],
    ['identity', Buffer.from(ANSWER)],
  ])('is read, metered and passed on plain: %s', async (encoding, body) => {
    says(encoding, body)
    const { answer, row } = await ask()
    expect(answer).toMatchObject({ status: 200, ended: 'clean' })
    expect(answer!.body.toString()).toBe(ANSWER)
    expect(['identity', undefined]).toContain(answer!.header('content-encoding'))
    expect(row.usage).toMatchObject({ inputTokens: 1, outputTokens: 2, source: 'reported' })
  })

  it('as a stream is passed on event by event', async () => {
    const events = chatEvents(['one', 'two'], { prompt_tokens: 5, completion_tokens: 7 }).join('')
    const body = gzipSync(events)
    provider.says(
      Buffer.concat([
        Buffer.from('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-encoding: gzip\r\n'),
        Buffer.from(`content-length: ${body.length}\r\n\r\n`),
        body,
      ]),
    )
    const { answer, row } = await ask({ stream: true, stream_options: { include_usage: true } })
    expect([answer!.body.toString(), answer!.ended]).toEqual([events, 'clean'])
    expect(row.usage).toMatchObject({ inputTokens: 5, outputTokens: 7, source: 'reported' })
  })
})

describe('a compressed answer that is not what it says', () => {
  const gzip = gzipSync(ANSWER)
  const flipped = Buffer.from(gzip).fill(0xff, gzip.length - 8, gzip.length - 4)

  it.each([
    ['with a wrong checksum', flipped],
    ['cut short', gzip.subarray(0, -12)],
    ['with nothing in it', gzip.subarray(0, 10)],
    ['plain text', Buffer.from(ANSWER)],
    ['with something behind it', Buffer.concat([gzip, Buffer.from('more')])],
  ])('never looks whole: %s', async (_what, body) => {
    says('gzip', body)
    const { answer, row } = await ask()
    expect(answer?.ended ?? 'broken').toBe('broken')
    expect(row.error).toBe('upstream_cut')
  })

  it('in an encoding that nobody knows never looks like a plain one', async () => {
    says('rot13', Buffer.from('{"model":"nothing readable"}'))
    const { answer, row } = await ask()
    expect(answer?.ended === 'clean' && answer.status === 200 && answer.header('content-encoding') === undefined).toBe(
      false,
    )
    expect(row.error).not.toBeNull()
  })

  it('in an encoding that nobody knows, and still coming, is told as 502', async () => {
    provider.says([ok('content-encoding: rot13\r\ncontent-length: 100\r\n', 'abc')])
    const { answer, row } = await ask()
    expect([answer?.status, row.error]).toEqual([502, 'upstream_unreachable'])
    await provider.closed()
  })
})

it('a slow client does not make the gateway hold the whole of a compressed answer', async () => {
  const body = gzipSync(Buffer.alloc(48 * 1024 * 1024, 'x'), { level: 0 })
  let written = 0
  let stalled: () => void = () => {}
  const over = new Promise<void>((resolve) => {
    stalled = resolve
  })
  provider.does((socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\n\r\n')
    const next = () => {
      if (socket.destroyed || written >= body.length) return stalled()
      const piece = body.subarray(written, written + 64 * 1024)
      written += piece.length
      if (socket.write(piece)) setImmediate(next)
      else socket.once('drain', next)
    }
    next()
  })
  const { secret } = await gateway.token()
  const req = request(`${gateway.baseUrl}/chat/completions`, {
    method: 'POST',
    agent: false,
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
  })
  req
    .on('error', () => {})
    .on('response', (res) => res.pause())
    .end(CHAT)
  // Held back, the provider's side is cut off for its silence; else all of it is taken.
  let last = -1
  await Promise.race([
    over,
    eventually(async () => {
      const stands = written === last && written > 0
      last = written
      await new Promise((resolve) => setTimeout(resolve, 100))
      return stands
    }, 'the provider to be held back'),
  ])
  req.destroy()
  expect(written).toBeLessThan(16 * 1024 * 1024)
})
