import { request } from 'node:http'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import { ask, chat, eventually, raw } from '../helpers/http.ts'
import { chatAnswer, chatEvents, sendJson, sseHead, streamChat } from '../helpers/upstream.ts'
import { given, headerOf } from './given.ts'

const post = (token: string, type: string, body: string | Buffer, headers: Record<string, string> = {}) => ({
  method: 'POST',
  headers: { authorization: `Bearer ${token}`, 'content-type': type, ...headers },
  body,
})

describe('of a request is kept', () => {
  it('what the client sent and what it was sent, word for word', async () => {
    const { gateway, upstream, secret, bodiesOf } = await given()
    const body = '{ "messages": [{"role":"user","content":"Grüße, 漢字 👋\\n"}],  "model":"openai:gpt-4o" }'
    const answer = await ask(
      `${gateway.baseUrl}/chat/completions?beta=true`,
      post(secret, 'application/json; charset=utf-8', body),
    )
    const kept = await bodiesOf(answer)
    expect(kept).toEqual({
      id: answer.header('x-llm-proxy-request-id'),
      at: expect.stringMatching(/^\d{4}-.*Z$/),
      request: {
        method: 'POST',
        path: '/v1/chat/completions?beta=true',
        headers: expect.any(Array),
        body: {
          content_type: 'application/json; charset=utf-8',
          size_bytes: Buffer.byteLength(body),
          text: body,
          truncated: false,
          complete: true,
          omitted: null,
        },
      },
      response: {
        status: 200,
        headers: expect.any(Array),
        body: {
          content_type: 'application/json',
          size_bytes: answer.body.length,
          text: answer.body.toString(),
          truncated: false,
          complete: true,
          omitted: null,
        },
      },
    })
    expect(kept.response!.headers.length).toBeGreaterThan(5)
    for (const { name, value } of kept.response!.headers)
      expect([name, answer.header(name.toLowerCase())]).toEqual([name, value])
    // The provider was sent another model name: what is kept is the client's own.
    expect(upstream.seen[0]!.body.toString()).not.toBe(body)
  })

  it('a stream as it went out: without what the gateway asked for on its own account', async () => {
    const { gateway, upstream, secret, bodiesOf } = await given()
    upstream.script(streamChat(['one ', 'two']))
    const answer = await chat(gateway.baseUrl, secret, { stream: true }, { 'x-llm-proxy-include-cost': 'true' })
    const { request, response } = await bodiesOf(answer)
    expect(request!.body.text).not.toContain('stream_options')
    expect(response!.body).toMatchObject({ text: answer.body.toString(), complete: true, truncated: false })
    expect(response!.body.text).toContain('x-llm-proxy-cost-usd')
    expect(response!.body.text).not.toContain('"usage"')
    expect(headerOf(response, 'content-type')).toBe('text/event-stream; charset=utf-8')
  })

  it('an answer that waited for its cost', async () => {
    const { gateway, secret, bodiesOf } = await given()
    const answer = await chat(gateway.baseUrl, secret, {}, { 'x-llm-proxy-include-cost': 'true' })
    const { response } = await bodiesOf(answer)
    expect(headerOf(response, 'x-llm-proxy-cost-usd')).toBe(answer.header('x-llm-proxy-cost-usd'))
    expect(response!.body.text).toBe(answer.body.toString())
  })

  it('what the gateway refused, and in which words', async () => {
    const { gateway, secret, bodiesOf } = await given({ config: { maxBodyBytes: 1_000 } })
    const url = `${gateway.baseUrl}/chat/completions`
    const broken = await bodiesOf(await ask(url, post(secret, 'application/json', '{"model": oops}')))
    expect(broken.request!.body).toMatchObject({ text: '{"model": oops}', complete: true, omitted: null })
    expect([broken.response!.status, broken.response!.body.text]).toEqual([
      400,
      expect.stringContaining('invalid_json'),
    ])
    const large = await bodiesOf(await ask(url, post(secret, 'application/json', `"${'x'.repeat(1_000)}"`)))
    expect(large.request!.body).toMatchObject({ text: null, size_bytes: 0, complete: false, omitted: 'unread' })
    expect([large.response!.status, large.response!.body.text]).toEqual([
      413,
      expect.stringContaining('request_too_large'),
    ])
    const unknown = await bodiesOf(await chat(gateway.baseUrl, secret, { model: 'mistral:x' }))
    expect([unknown.response!.status, unknown.request!.body.text]).toEqual([404, expect.stringContaining('mistral:x')])
  })

  it('a provider’s error, and the gateway’s own in place of one', async () => {
    const { gateway, upstream, secret, bodiesOf } = await given()
    upstream.script((_req, res) => sendJson(res, 400, { error: { message: 'Too warm.', code: 'temperature' } }))
    const passed = await bodiesOf(await chat(gateway.baseUrl, secret))
    expect(passed.response).toMatchObject({ status: 400, body: { text: expect.stringContaining('Too warm.') } })
    upstream.script((_req, res) => sendJson(res, 401, { error: { message: 'Wrong key.' } }))
    const own = await bodiesOf(await chat(gateway.baseUrl, secret))
    expect(own.response).toMatchObject({ status: 502, body: { text: expect.stringContaining('upstream_auth_failed') } })
  })

  it('the list of models as this client sees it, and a request without a body', async () => {
    const { gateway, upstream, bodiesOf } = await given()
    const { secret } = await gateway.token({ allowedModels: ['a'] })
    upstream.script((_req, res) => sendJson(res, 200, { data: [{ id: 'a' }, { id: 'b' }] }))
    const answer = await ask(`${gateway.baseUrl}/models`, { headers: { authorization: `Bearer ${secret}` } })
    const { request, response } = await bodiesOf(answer)
    expect(request).toMatchObject({ method: 'GET', path: '/v1/models' })
    expect(request!.body).toMatchObject({ text: '', size_bytes: 0, complete: true, omitted: null, content_type: null })
    expect(response!.body.text).toBe(answer.body.toString())
    expect(JSON.parse(answer.body.toString())).toMatchObject({
      object: 'list',
      data: [{ id: 'a' }, { id: 'openai:a' }],
    })
  })

  it('one exchange, however often the provider was asked', async () => {
    const retry = { maxRetries: 2, initialBackoffMs: 1, maxBackoffMs: 1, factor: 1, jitter: 0 }
    const { gateway, upstream, secret, bodiesOf } = await given({ config: { retry } })
    upstream.script((_req, res) =>
      upstream.seen.length < 3
        ? sendJson(res, 500, { error: { message: 'not now' } })
        : sendJson(res, 200, chatAnswer()),
    )
    const { response } = await bodiesOf(await chat(gateway.baseUrl, secret))
    expect([upstream.seen.length, response!.status, response!.body.text]).toEqual([
      3,
      200,
      JSON.stringify(chatAnswer()),
    ])
  })

  it('the same for targets with a host in front or a fragment behind', async () => {
    const { gateway, secret, bodiesOf, upstream } = await given()
    upstream.script((_req, res) => sendJson(res, 200, { data: [{ id: 'x' }] }))
    for (const target of ['http://proxy.example/v1/models/x?a=1', '/v1/models/x?a=1#part']) {
      const said = await raw(
        gateway.url,
        `GET ${target} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${secret}\r\nconnection: close\r\n\r\n`,
      )
      const { request, response } = await bodiesOf(/x-llm-proxy-request-id: (\S+)/i.exec(said)![1]!)
      expect([request!.path, response!.status]).toEqual(['/v1/models/x?a=1', 200])
      expect(said).toContain(response!.body.text)
    }
  })

  it('headers that CORS adds', async () => {
    const origin = 'https://app.example.com'
    const { gateway, secret, bodiesOf } = await given({ config: { corsOrigins: [origin] } })
    const { request, response } = await bodiesOf(await chat(gateway.baseUrl, secret, {}, { origin }))
    expect(headerOf(request, 'origin')).toBe(origin)
    expect(headerOf(response, 'access-control-allow-origin')).toBe(origin)
    expect(response!.body.text).toBe(JSON.stringify(chatAnswer()))
  })

  it('its own, with two hundred under way at once', async () => {
    const { gateway, upstream, secret, bodiesOf } = await given()
    upstream.script((_req, res, { body }) => {
      const [{ content }] = (JSON.parse(body.toString()) as { messages: [{ content: string }] }).messages
      sendJson(res, 200, chatAnswer(`answer to ${content}`))
    })
    const contents = Array.from({ length: 200 }, (_, i) => `question ${i} ${'.'.repeat(i * 7)}`)
    const answers = await Promise.all(
      contents.map((content) => chat(gateway.baseUrl, secret, { messages: [{ role: 'user', content }] })),
    )
    for (const [i, answer] of answers.entries()) {
      const { request, response } = await bodiesOf(answer)
      expect(request!.body.text).toContain(`"${contents[i]}"`)
      expect(response!.body.text).toContain(`"answer to ${contents[i]}"`)
    }
  })
})

describe('of a body that is no text is kept', () => {
  it('type and size: a form with a file, and an answer of sound', async () => {
    const { gateway, upstream, secret, bodiesOf } = await given()
    const sound = Buffer.from(Array.from({ length: 5_000 }, (_, i) => i % 256))
    upstream.script((_req, res) => void res.writeHead(200, { 'content-type': 'audio/mpeg' }).end(sound))
    const type = 'multipart/form-data; boundary=frontier'
    const form = `--frontier\r\ncontent-disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n--frontier--\r\n`
    const answer = await ask(`${gateway.baseUrl}/audio/transcriptions`, post(secret, type, form))
    const { request, response } = await bodiesOf(answer)
    expect(request!.body).toEqual({
      content_type: type,
      size_bytes: form.length,
      text: null,
      truncated: false,
      complete: true,
      omitted: 'not_text',
    })
    expect(response!.body).toEqual({
      content_type: 'audio/mpeg',
      size_bytes: 5_000,
      text: null,
      truncated: false,
      complete: true,
      omitted: 'not_text',
    })
  })

  it('the same when it only says that it were one', async () => {
    const { gateway, upstream, secret, bodiesOf } = await given()
    const bodies = [Buffer.from([0xff, 0xfe, 0x00, 0x80]), Buffer.from('{"in":"UTF-16"}', 'utf16le'), gzipSync('{}')]
    for (const body of bodies) {
      upstream.script((_req, res) => void res.writeHead(200, { 'content-type': 'application/json' }).end(body))
      const { response } = await bodiesOf(await chat(gateway.baseUrl, secret))
      expect(response!.body).toMatchObject({ text: null, size_bytes: body.length, omitted: 'not_text' })
    }
  })

  it('of an upload that is text its text, however it comes, and of a compressed one its size', async () => {
    const { gateway, secret, bodiesOf } = await given()
    const lines = '{"custom_id":"a"}\n{"custom_id":"b"}\n'
    const url = `${gateway.baseUrl}/files`
    const plain = await bodiesOf(await ask(url, post(secret, 'application/jsonl', lines)))
    expect(plain.request!.body).toMatchObject({ text: lines, size_bytes: lines.length, complete: true })
    const chunked = await bodiesOf(
      await ask(url, post(secret, 'text/plain', lines, { 'transfer-encoding': 'chunked' })),
    )
    expect(chunked.request!.body).toMatchObject({ text: lines, size_bytes: lines.length, complete: true })
    const gzip = gzipSync(lines)
    const packed = await bodiesOf(await ask(url, post(secret, 'text/plain', gzip, { 'content-encoding': 'gzip' })))
    expect(packed.request!.body).toMatchObject({ text: null, size_bytes: gzip.length, omitted: 'compressed' })
  })

  it('of a compressed answer its text where the gateway unpacks it, and elsewhere its size', async () => {
    const { gateway, upstream, secret, bodiesOf } = await given()
    const text = JSON.stringify(chatAnswer())
    const packed = gzipSync(text)
    upstream.script(
      (_req, res) =>
        void res.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(packed),
    )
    const metered = await bodiesOf(await chat(gateway.baseUrl, secret))
    expect(metered.response!.body).toMatchObject({ text, size_bytes: text.length, omitted: null })
    const headers = { authorization: `Bearer ${secret}`, 'accept-encoding': 'gzip' }
    const other = await bodiesOf(await ask(`${gateway.baseUrl}/files/file-1/content`, { headers }))
    expect(other.response!.body).toMatchObject({ text: null, size_bytes: packed.length, omitted: 'compressed' })
  })
})

describe('of what broke off is kept', () => {
  const events = chatEvents(['one', 'two', 'three'])

  it('what went out before the client left', async () => {
    const { gateway, upstream, secret, token, bodiesOf } = await given()
    upstream.script(async (_req, res, { aborted }) => {
      res.writeHead(200, sseHead).write(events[0])
      await aborted
    })
    await new Promise<void>((resolve) => {
      const headers = { authorization: `Bearer ${secret}`, 'content-type': 'application/json' }
      const req = request(`${gateway.baseUrl}/chat/completions`, { method: 'POST', headers }, (res) => {
        res.on('error', () => {})
        res.once('data', () => resolve(void req.destroy()))
      })
      req.on('error', () => {})
      req.end('{"model":"gpt-4o","stream":true,"messages":[]}')
    })
    const row = await eventually(
      async () => (await gateway.rows()).find(({ tokenId }) => tokenId === token.id),
      'the row',
    )
    const { request: asked, response } = await bodiesOf(row.requestId)
    expect(asked!.body.complete).toBe(true)
    expect(response).toMatchObject({ status: 200, body: { complete: false, truncated: false } })
    // Up to the last whole word: what comes behind it may have been the half of a secret.
    expect(response!.body.text).toBe(events[0])
  })

  it('no more than that, when the gateway reads on for the provider’s count', async () => {
    const { gateway, upstream, secret, token, bodiesOf } = await given({ config: { onClientAbort: 'drain' } })
    const left = Promise.withResolvers<void>()
    upstream.script(async (_req, res) => {
      res.writeHead(200, sseHead).write(events[0])
      await left.promise
      res.end(events.slice(1).join(''))
    })
    const headers = { authorization: `Bearer ${secret}`, 'content-type': 'application/json' }
    const req = request(`${gateway.baseUrl}/chat/completions`, { method: 'POST', headers }, (res) => {
      res.on('error', () => {})
      res.once('data', () => req.destroy())
    })
    req.on('error', () => {})
    req.end('{"model":"gpt-4o","stream":true,"messages":[]}')
    await eventually(() => gateway.ctx.life.running === 0 && gateway.ctx.life.unsettled === 1, 'the client to be gone')
    left.resolve()
    const row = await eventually(
      async () => (await gateway.rows()).find(({ tokenId }) => tokenId === token.id),
      'the row',
    )
    expect((await bodiesOf(row.requestId)).response!.body).toMatchObject({ text: events[0], complete: false })
  })

  it('nothing of an answer that was never begun', async () => {
    const { gateway, upstream, secret, token, bodiesOf } = await given()
    upstream.script(async (_req, _res, { aborted }) => void (await aborted))
    const req = request(`${gateway.baseUrl}/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    })
    req.on('error', () => {})
    req.end('{"model":"gpt-4o"}')
    await upstream.next()
    req.destroy()
    const row = await eventually(
      async () => (await gateway.rows()).find(({ tokenId }) => tokenId === token.id),
      'the row',
    )
    const { request: asked, response } = await bodiesOf(row.requestId)
    expect(asked!.body.text).toBe('{"model":"gpt-4o"}')
    expect(response).toEqual({
      status: null,
      headers: [],
      body: { content_type: null, size_bytes: 0, text: '', truncated: false, complete: false, omitted: null },
    })
  })

  it('what a provider sent before it cut its answer, and what the client was told then', async () => {
    const { gateway, upstream, secret, bodiesOf } = await given()
    upstream.script((_req, res) => void res.writeHead(200, sseHead).write(events[0], () => res.destroy()))
    const answer = await chat(gateway.baseUrl, secret, { stream: true })
    const { response } = await bodiesOf(answer)
    expect(response!.body.complete).toBe(false)
    expect(response!.body.text!.startsWith(events[0]!)).toBe(true)
    expect(response!.body.text).toContain('upstream_cut')
  })

  it('as much of an upload as came', async () => {
    const { gateway, secret, token, bodiesOf } = await given()
    const req = request(`${gateway.baseUrl}/files`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'text/plain', 'content-length': '1000' },
    })
    req.on('error', () => {})
    req.write('the first words of a long te')
    await eventually(() => gateway.ctx.life.running === 1, 'the upload to begin')
    await eventually(() => req.writableLength === 0, 'the piece to leave')
    await eventually(async () => {
      req.destroy()
      return gateway.ctx.life.running === 0
    }, 'the upload to end')
    const row = await eventually(
      async () => (await gateway.rows()).find(({ tokenId }) => tokenId === token.id),
      'the row',
    )
    const { request: asked } = await bodiesOf(row.requestId)
    expect(asked!.body).toMatchObject({ complete: false, omitted: null, size_bytes: row.requestBytes })
    expect('the first words of a long '.startsWith(asked!.body.text!)).toBe(true)
  })
})
