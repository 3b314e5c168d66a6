import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { MANAGEMENT_TOKEN, startTestGateway, type TestGateway } from '../helpers/gateway.ts'
import { ask, chat, type RawAnswer } from '../helpers/http.ts'
import { type Script, sendJson, sseHead, startUpstream, type Upstream } from '../helpers/upstream.ts'
import { letters } from './planted.ts'

/*
 * What a caller sees when a provider says back the key that the gateway sent it. The key is the operator's, not the caller's.
 */

const KEY = letters(32)

let upstream: Upstream
let gateway: TestGateway
let secret: string

beforeAll(async () => {
  upstream = await startUpstream()
  gateway = await startTestGateway({ upstream: upstream.url, config: providersWith(KEY, upstream.url) })
  secret = (await gateway.token()).secret
})
afterAll(async () => {
  await gateway.stop()
  await upstream.close()
})

function providersWith(apiKey: string, baseUrl: string) {
  return { providers: { openai: { apiKey, baseUrl } } }
}

async function told(script: Script, body: object = {}): Promise<{ answer: RawAnswer; all: string }> {
  upstream.script(script)
  const answer = await chat(gateway.baseUrl, secret, body)
  return { answer, all: [answer.statusText, ...answer.headers, answer.body.toString('latin1')].join('\n') }
}

const message = `Incorrect API key provided: ${KEY}. You can find your key at …`

describe('a key that a provider says back', () => {
  it.each([400, 403, 404, 422, 429, 500, 503])(
    'in the body of a %i is masked, and every other byte stays',
    async (status) => {
      const body = JSON.stringify({ error: { message, type: 'invalid_request_error', param: null, code: null } })
      const { answer } = await told(
        (_req, res) => void res.writeHead(status, { 'content-type': 'application/json' }).end(body),
      )
      expect([answer.status, answer.body.toString()]).toEqual([status, body.replace(KEY, '*'.repeat(KEY.length))])
    },
  )

  it('in the body of a 401 does not come out at all', async () => {
    const { answer, all } = await told((_req, res) => sendJson(res, 401, { error: { message } }))
    expect(answer.status).toBe(502)
    expect(all).not.toContain(KEY)
  })

  it('is masked wherever the body is cut into pieces, and the length stays true', async () => {
    const bytes = Buffer.from(`{"a":"${KEY.slice(0, 9)}${KEY}","b":"${KEY}${KEY.slice(0, 31)}"}`)
    const masked = bytes.toString().replaceAll(KEY, '*'.repeat(KEY.length))
    for (let at = 1; at < bytes.length; at += 3) {
      const { answer } = await told(async (_req, res) => {
        res.writeHead(400, { 'content-length': bytes.length })
        res.write(bytes.subarray(0, at))
        await new Promise((resolve) => setTimeout(resolve, 1))
        res.end(bytes.subarray(at))
      })
      expect(answer.body.toString()).toBe(masked)
    }
  })

  it.each<[string, Script]>([
    ['in a header', (req, res) => sendJson(res, 400, {}, { 'x-your-key': req.headers.authorization! })],
    ['in a header of a success', (req, res) => sendJson(res, 200, {}, { 'x-your-key': req.headers.authorization! })],
    ['in a redirect', (_req, res) => void res.writeHead(302, { location: `https://x/?key=${KEY}` }).end()],
    ['in the reason phrase', (_req, res) => void res.writeHead(400, `Bad key ${KEY}`).end('{}')],
  ])('%s is masked', async (_where, script) => {
    expect((await told(script)).all).not.toContain(KEY)
  })

  it('in a compressed error is masked', async () => {
    const body = gzipSync(JSON.stringify({ error: { message } }))
    const { answer } = await told((_req, res) => void res.writeHead(400, { 'content-encoding': 'gzip' }).end(body))
    const { gunzipSync } = await import('node:zlib')
    const plain = answer.header('content-encoding') === 'gzip' ? gunzipSync(answer.body) : answer.body
    expect(plain.toString()).not.toContain(KEY)
  })

  it('in an error event of a stream is masked', async () => {
    const { all } = await told(
      (_req, res) => void res.writeHead(200, sseHead).end(`data: ${JSON.stringify({ error: { message } })}\n\n`),
      { stream: true },
    )
    expect(all).not.toContain(KEY)
  })

  it('is masked in the log', async () => {
    await told((_req, res) => sendJson(res, 401, { error: { message } }))
    expect(gateway.logs()).toContain('upstream_auth_failed')
    expect(gateway.logs()).not.toContain(KEY)
  })
})

describe('a key with characters that JSON escapes', () => {
  it.each(['a"bcdefghij', 'a\\bcdefghij'])('is refused: it would stand in texts in two spellings (%s)', async (key) => {
    const { project } = await gateway.token()
    const answer = await ask(`${gateway.url}/manage/projects/${project.id}/provider-keys`, {
      method: 'POST',
      headers: { authorization: `Bearer ${gateway.ctx.managementToken}`, 'content-type': 'application/json' },
      body: JSON.stringify({ provider: 'openai', key }),
    })
    expect(answer.status).toBe(422)
    expect(answer.body.toString()).not.toContain('bcdefghij')
  })
})

describe('a token that a caller pastes into the wrong place', () => {
  it.each([
    ['the name of the model', (token: string) => ({ path: '/chat/completions', model: token })],
    ['the path', (token: string) => ({ path: `/${token}/chat`, model: 'gpt-4o' })],
  ])('(%s) is in neither the ledger nor the metrics nor what is told of the models', async (_where, wrong) => {
    const { secret: pasted } = await gateway.token()
    const { path, model } = wrong(pasted)
    upstream.script((_req, res) => sendJson(res, 200, {}))
    await ask(gateway.baseUrl + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${pasted}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model }),
    })
    const [{ endpoint, model: booked } = { endpoint: '', model: '' }] = (await gateway.rows()).slice(-1)
    expect(`${endpoint} ${booked}`).not.toContain(pasted)
    expect(await gateway.ctx.metrics.registry.metrics()).not.toContain(pasted)
    for (const address of ['/manage/status', '/api/status']) {
      const answer = await ask(gateway.url + address, { headers: { authorization: `Bearer ${MANAGEMENT_TOKEN}` } })
      expect(answer.status).toBe(200)
      expect(answer.body.toString()).not.toContain(pasted)
    }
  })
})
