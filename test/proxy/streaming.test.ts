import type { ServerResponse } from 'node:http'
import { type IncomingMessage, request } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { startTestGateway, type TestGateway } from '../helpers/gateway.ts'
import { ask, chat, eventually } from '../helpers/http.ts'
import { chatEvents, sseHead, startUpstream, streamChat, type Upstream } from '../helpers/upstream.ts'

let upstream: Upstream
let gateway: TestGateway
let secret: string
let tokenId: string

beforeAll(async () => {
  upstream = await startUpstream()
  gateway = await startTestGateway({
    upstream: upstream.url,
    config: { timeouts: { connectMs: 300, headersMs: 300, firstTokenMs: 300, idleMs: 300, totalMs: 3000 } },
  })
  const made = await gateway.token()
  secret = made.secret
  tokenId = made.token.id
})
afterAll(async () => {
  await gateway.stop()
  await upstream.close()
})

const usage = { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 }
const lastRow = async (requestId: string | undefined) =>
  eventually(async () => (await gateway.rows()).find((row) => row.requestId === requestId), `the row of ${requestId}`)

/** A streamed chat read piece by piece. */
function openStream(
  body: object = {},
): Promise<{ res: IncomingMessage; next(): Promise<string | null>; abort(): void }> {
  return new Promise((resolve, reject) => {
    const req = request(`${gateway.baseUrl}/chat/completions`, {
      method: 'POST',
      agent: false,
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    })
    req.on('error', reject)
    req.on('response', (res) => {
      const pieces: string[] = []
      const waiting: ((piece: string | null) => void)[] = []
      let over = false
      const give = (piece: string | null) => {
        const taker = waiting.shift()
        if (taker) taker(piece)
        else if (piece !== null) pieces.push(piece)
      }
      res.on('data', (piece) => give(String(piece)))
      res.on('close', () => {
        over = true
        for (const _ of [...waiting]) give(null)
      })
      res.on('error', () => {})
      resolve({
        res,
        next: () =>
          new Promise((take) => {
            const piece = pieces.shift()
            if (piece !== undefined) take(piece)
            else if (over) take(null)
            else waiting.push(take)
          }),
        abort: () => req.destroy(),
      })
    })
    req.end(
      JSON.stringify({
        model: 'gpt-4o',
        stream: true,
        messages: [{ role: 'user', content: 'Count to three' }],
        ...body,
      }),
    )
  })
}

describe('a streamed chat', () => {
  it('looks as it would without the gateway, though usage was asked for on the way and is in the ledger', async () => {
    upstream.script(streamChat(['one ', 'two ', 'three'], usage))
    const answer = await chat(gateway.baseUrl, secret, { stream: true })
    expect(answer.body.toString()).toBe(chatEvents(['one ', 'two ', 'three']).join(''))
    const row = await lastRow(answer.header('x-llm-proxy-request-id'))
    expect(row).toMatchObject({
      stream: true,
      status: 200,
      error: null,
      servedModel: 'gpt-4o-2024-08-06',
      usage: { inputTokens: 9, outputTokens: 3, source: 'reported' },
      changes: ['stream_options'],
    })
    expect(row.firstTokenMs).toBeGreaterThan(0)
  })

  it('keeps its usage chunk when the client asked for it', async () => {
    upstream.script(streamChat(['one'], usage))
    const answer = await chat(gateway.baseUrl, secret, { stream: true, stream_options: { include_usage: true } })
    expect(answer.body.toString()).toBe(chatEvents(['one'], usage).join(''))
    expect((await lastRow(answer.header('x-llm-proxy-request-id'))).changes).toEqual([])
  })

  it('is the same however the provider cuts its bytes, also within an event and within a character', async () => {
    const bytes = Buffer.from(chatEvents(['zwei ', 'Ä€😀 ', '"usage":null'], usage).join(''))
    for (const size of [1, 2, 3, 7, 64, 500]) {
      upstream.script(async (_req, res) => {
        res.writeHead(200, sseHead)
        for (let at = 0; at < bytes.length; at += size) {
          if (!res.write(bytes.subarray(at, at + size))) await new Promise((resolve) => res.once('drain', resolve))
          if (size > 2) await new Promise((resolve) => setImmediate(resolve))
        }
        res.end()
      })
      const answer = await chat(gateway.baseUrl, secret, { stream: true })
      expect(answer.body.toString()).toBe(chatEvents(['zwei ', 'Ä€😀 ', '"usage":null']).join(''))
      expect((await lastRow(answer.header('x-llm-proxy-request-id'))).usage).toMatchObject({
        inputTokens: 9,
        outputTokens: 3,
        source: 'reported',
      })
    }
  })

  it('passes each event on before the next one exists', async () => {
    let res!: ServerResponse
    upstream.script((_req, upstreamRes) => {
      res = upstreamRes
      res.writeHead(200, sseHead)
      res.write(events[0])
    })
    const events = chatEvents(['a', 'b'])
    const stream = await openStream()
    expect(await stream.next()).toBe(events[0])
    for (const event of events.slice(1, -1)) {
      res.write(event)
      expect(await stream.next()).toBe(event)
    }
    res.end(events.at(-1))
    expect(await stream.next()).toBe('data: [DONE]\n\n')
    expect(await stream.next()).toBeNull()
  })

  it('is in the ledger before its last bytes leave', async () => {
    let rowsAtDone = -1
    const append = gateway.ctx.store.ledger.append.bind(gateway.ctx.store.ledger)
    const before = (await gateway.rows()).length
    upstream.script(streamChat(['x'], usage))
    const stream = await openStream()
    for (let piece = await stream.next(); piece !== null; piece = await stream.next()) {
      if (piece.includes('[DONE]')) rowsAtDone = (await gateway.rows()).length
    }
    expect(rowsAtDone).toBe(before + 1)
    expect(append).toBeDefined()
  })
})

describe('a client that hangs up', () => {
  it('stops the provider within 100 ms, and what was written until then is estimated', async () => {
    upstream.script((_req, res) => {
      res.writeHead(200, sseHead)
      for (const event of chatEvents(['one two three four five']).slice(0, 2)) res.write(event)
    })
    const stream = await openStream()
    await stream.next()
    const seen = (await upstreamSeen())!
    const since = performance.now()
    stream.abort()
    await seen.aborted
    expect(performance.now() - since).toBeLessThan(100)
    const row = await lastRow(stream.res.headers['x-llm-proxy-request-id'] as string)
    expect(row).toMatchObject({ status: 499, error: 'client_closed', usage: { source: 'estimated', outputTokens: 5 } })
    expect(row.usage.inputTokens).toBeGreaterThan(0)
  })

  it('before the answer begins stops the provider too, and leaves one row', async () => {
    const before = (await gateway.rows()).length
    upstream.script(() => {})
    const req = request(`${gateway.baseUrl}/chat/completions`, {
      method: 'POST',
      agent: false,
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    })
    req.on('error', () => {})
    req.end('{"model":"gpt-4o","messages":[]}')
    const seen = await upstreamSeenNew()
    req.destroy()
    await seen.aborted
    const rows = await eventually(async () => {
      const all = await gateway.rows()
      return all.length > before && all
    })
    expect(rows).toHaveLength(before + 1)
    expect(rows.at(-1)).toMatchObject({ status: 499, tokenId })
  })

  const upstreamSeen = async () => upstream.seen.at(-1)
  const upstreamSeenNew = () => {
    const count = upstream.seen.length
    return eventually(
      () => (upstream.seen.length > count ? upstream.seen.at(-1)! : null),
      'the provider to see the request',
    )
  }
})

describe('a provider that fails', () => {
  const broken = [
    ['cuts the connection', (res: ServerResponse) => res.destroy()],
    ['ends cleanly without having finished', (res: ServerResponse) => res.end()],
  ] as const
  it.each(broken)(
    'in the middle of a stream (%s) is told as an error event on a broken connection',
    async (_what, fail) => {
      upstream.script((_req, res) => {
        res.writeHead(200, sseHead)
        res.write(chatEvents(['one ']).slice(0, 2).join(''), () => fail(res))
      })
      const answer = await chat(gateway.baseUrl, secret, { stream: true })
      expect(answer.ended).toBe('broken')
      expect(answer.body.toString()).toMatch(
        /data: \{"error":\{"message":"[^"]+","type":"api_error","param":null,"code":"upstream_cut"\}\}\n\n$/,
      )
      expect(answer.body.toString()).not.toContain('[DONE]')
      const row = await lastRow(answer.header('x-llm-proxy-request-id'))
      expect(row).toMatchObject({ error: 'upstream_cut', usage: { source: 'estimated' } })
    },
  )

  it('by stalling in the middle of a stream is told as a timeout in an error event', async () => {
    upstream.script((_req, res) => {
      res.writeHead(200, sseHead)
      res.write(chatEvents(['one ']).slice(0, 2).join(''))
    })
    const answer = await chat(gateway.baseUrl, secret, { stream: true })
    expect(answer.ended).toBe('broken')
    expect(answer.body.toString()).toContain('"code":"upstream_timeout"')
  })

  it('before the first byte gets a status: 504 for silence, also after its headers; 502 for a hang-up', async () => {
    upstream.script(() => {})
    expect((await chat(gateway.baseUrl, secret)).status).toBe(504)
    upstream.script((_req, res) => {
      res.writeHead(200, sseHead)
      res.flushHeaders()
    })
    expect((await chat(gateway.baseUrl, secret, { stream: true })).status).toBe(504)
    upstream.script((_req, res) => void res.destroy())
    const answer = await chat(gateway.baseUrl, secret)
    expect([answer.status, JSON.parse(answer.body.toString()).error.code]).toEqual([502, 'upstream_unreachable'])
    upstream.script((req) => void req.socket.end('garbage\r\n\r\n'))
    expect((await chat(gateway.baseUrl, secret)).status).toBe(502)
  })

  it('in the middle of a JSON answer never looks like a whole one', async () => {
    for (const headers of [{ 'content-length': '1000' }, {}]) {
      upstream.script((_req, res) => {
        res.writeHead(200, { 'content-type': 'application/json', ...headers } as never)
        res.write('{"id":"x","choi', () => res.destroy())
      })
      expect((await chat(gateway.baseUrl, secret)).ended).toBe('broken')
    }
  })

  it('with an error inside the stream passes on as it is, and is booked as failed', async () => {
    const events = [
      ...chatEvents(['one']).slice(0, 2),
      'data: {"error":{"message":"boom","type":"server_error"}}\n\n',
      'data: [DONE]\n\n',
    ]
    upstream.script((_req, res) => void res.writeHead(200, sseHead).end(events.join('')))
    const answer = await chat(gateway.baseUrl, secret, { stream: true })
    expect(answer.body.toString()).toBe(events.join(''))
    expect((await lastRow(answer.header('x-llm-proxy-request-id'))).error).toBe('upstream_error')
  })

  it('takes longer than the whole answer may: the answer is cut, not forgotten', async () => {
    upstream.script((_req, res) => {
      res.writeHead(200, sseHead)
      const timer = setInterval(() => res.write(': still here\n\n'), 50)
      res.on('close', () => clearInterval(timer))
    })
    const answer = await chat(gateway.baseUrl, secret, { stream: true })
    expect(answer.ended).toBe('broken')
    expect(answer.body.toString()).toContain('upstream_timeout')
  })
})

it('does not let a slow client make the gateway hold a long answer', async () => {
  const piece = Buffer.alloc(64 * 1024, 'x')
  let written = 0
  upstream.script(async (_req, res) => {
    res.writeHead(200, { 'content-type': 'application/octet-stream' })
    for (; written < 64 * 1024 * 1024; written += piece.length) {
      if (!res.write(piece)) await new Promise((resolve) => res.once('drain', resolve))
    }
    res.end()
  })
  const req = request(`${gateway.baseUrl}/files/f/content`, {
    agent: false,
    headers: { authorization: `Bearer ${secret}` },
  })
  req.on('error', () => {})
  const res = await new Promise<IncomingMessage>((resolve) => req.on('response', resolve).end())
  res.pause()
  let last = -1
  await eventually(async () => {
    await new Promise((resolve) => setTimeout(resolve, 100))
    const stands = written === last
    last = written
    return stands
  }, 'the provider to be held back')
  expect(written).toBeLessThan(16 * 1024 * 1024)
  req.destroy()
})

it('answers a plain GET of an unknown endpoint as the provider does', async () => {
  upstream.script((_req, res) => void res.writeHead(404, { 'content-type': 'text/plain' }).end('no such thing'))
  const answer = await ask(`${gateway.baseUrl}/some/new/endpoint?x=1`, {
    headers: { authorization: `Bearer ${secret}` },
  })
  expect([answer.status, answer.body.toString()]).toEqual([404, 'no such thing'])
})
