import { request } from 'node:http'
import { join } from 'node:path'
import { inflateSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import Sqlite from 'better-sqlite3'
import { type ChildGateway, startChildGateway } from '../helpers/child.ts'
import { MANAGEMENT_TOKEN } from '../helpers/gateway.ts'
import { ask } from '../helpers/http.ts'
import { type Script, sendJson, sseHead, startUpstream, type Upstream } from '../helpers/upstream.ts'
import { filesBelow, letters, Planted } from './planted.ts'

/*
 * Bodies are kept, and secrets are in all places where a client or a provider can put them. Then every file is searched for them, and
 * every document that was kept, unpacked.
 */

const CAP = 4 * 1024
const planted = new Planted()
const SHARED = planted.plant('provider key of the environment', letters(32))
const OWN = planted.plant('provider key of a project', letters(32))
const ODD = planted.plant('provider key with odd characters', `${letters(12)}/${letters(12)}+${letters(6)}=`)
const STATIC = planted.plant('static client key', letters(24))
const FOREIGN = planted.plant('a real key sent by mistake', `sk-proj-${letters(40)}`)
const COOKIE = planted.plant('cookie', letters(26))
const HEADER = planted.plant('a header of an unknown name', letters(26))
const PASSWORD = planted.plant('a password in JSON', `${letters(12)} ${letters(14)}`)
const ENCRYPTION = Buffer.from(letters(32))
planted.plant('encryption key', ENCRYPTION.toString('base64'))
planted.plant('management token', MANAGEMENT_TOKEN)

let upstream: Upstream
let gateway: ChildGateway
const tokens: string[] = []
let answers = 0

beforeAll(async () => {
  upstream = await startUpstream()
  gateway = await startChildGateway({
    upstream: upstream.url,
    env: {
      OPENAI_API_KEY: SHARED,
      PROXY_API_KEYS: STATIC,
      ENCRYPTION_KEY: ENCRYPTION.toString('base64'),
      REQUEST_LOGGING: 'true',
      RESPONSE_LOGGING: 'true',
      BODY_LOG_KB: String(CAP / 1024),
      BODY_LOG_DAYS: '7',
    },
  })
  for (const [name, api_key] of [
    ['own', OWN],
    ['odd', ODD],
  ]) {
    const { id } = await gateway.manage<{ id: string }>('POST', '/projects', { name, api_key })
    const { token } = await gateway.manage<{ token: string }>('POST', '/tokens', { project_id: id })
    tokens.push(planted.plant(`token: ${name}`, token))
  }
  tokens.push(STATIC)
})
afterAll(async () => {
  gateway.kill('SIGKILL')
  await gateway.exited
  await upstream.close()
})

/** In all forms in which a text may hold it. */
const forms = (secret: string) => [
  `it is ${secret}.`,
  `a line\n${secret}\na line`,
  `KEY=${secret}\nOTHER='${secret}'`,
  `Authorization: Bearer ${secret}`,
  `curl -H "x-api-key: ${secret}" https://example.com/?key=${secret}&token=${secret}`,
  JSON.stringify({ text: `nested\n${secret}`, deeper: JSON.stringify({ authorization: secret, a: `\t${secret}` }) }),
]
const SECRETS = () => [SHARED, OWN, ODD, STATIC, FOREIGN, MANAGEMENT_TOKEN, ENCRYPTION.toString('base64'), ...tokens]
const texts = () => SECRETS().flatMap(forms)

const send = async (token: string, path: string, body: string | null, headers: Record<string, string> = {}) => {
  await ask(`${gateway.url}${path}`, {
    method: body === null ? 'GET' : 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      cookie: `session=${COOKIE}; theme=dark`,
      'x-internal-thing': HEADER,
      ...headers,
    },
    ...(body !== null && { body }),
  }).catch(() => null)
  answers++
}

describe('secrets that pass through a gateway that keeps bodies', () => {
  it('in requests: in texts of every form, in queries, in headers', async () => {
    upstream.script((_req, res) => sendJson(res, 200, { ok: true }))
    for (const token of tokens) {
      for (const content of texts()) {
        const body = JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content }], password: PASSWORD })
        await send(token, '/v1/chat/completions', body)
      }
      await send(token, '/v1/chat/completions', `{ broken, "authorization": "Bearer ${token}", ${OWN} `)
      await send(token, '/v1/files', `Authorization: Bearer ${token}\nCookie: session=${COOKIE}\n`, {
        'content-type': 'text/plain',
      })
      for (const secret of SECRETS()) {
        await send(
          token,
          `/v1/models/x?key=${encodeURIComponent(secret)}&a=${encodeURIComponent(`?token=${secret}`)}`,
          null,
        )
        await send(token, `/v1/files?q=${encodeURIComponent(`x ${secret} y`)}`, null, {
          'user-agent': `client (${secret})`,
        })
        await send(token, '/v1/files', null, { 'x-api-key': secret, 'x-goog-api-key': secret, 'api-key': secret })
      }
    }
  })

  it('in answers: echoed by a provider, in headers, in pieces, in streams, and broken off', async () => {
    const echoes: Script[] = [200, 400, 403, 500].map((status) => (req, res) => {
      const key = req.headers.authorization!.slice('Bearer '.length)
      const said = {
        error: { message: `Incorrect key: ${key}. Was: ${texts().join(' ')}`, param: key, password: PASSWORD },
      }
      sendJson(res, status, said, { 'x-echo': key, 'set-cookie': `session=${COOKIE}`, 'openai-echo': `Bearer ${key}` })
    })
    echoes.push((req, res) => {
      const key = req.headers.authorization!.slice('Bearer '.length)
      res.writeHead(200, sseHead)
      for (const secret of [key, ...SECRETS()]) {
        const event = `data: ${JSON.stringify({ choices: [{ delta: { content: `\n${secret}` } }] })}\n\n`
        // In pieces, the border always within the secret.
        res.write(event.slice(0, event.indexOf(secret.slice(0, 6)) + 9))
        res.write(event.slice(event.indexOf(secret.slice(0, 6)) + 9))
      }
      res.end('data: [DONE]\n\n')
    })
    for (const part of [0.3, 0.5, 0.8]) {
      echoes.push((_req, res) => {
        const secret = SECRETS()[Math.floor(part * SECRETS().length)]!
        res.writeHead(200, { 'content-type': 'application/json' })
        res.write(`{"content":"it is ${secret.slice(0, Math.floor(secret.length * part))}`, () => res.destroy())
      })
    }
    for (const token of tokens) {
      for (const echo of echoes) {
        upstream.script(echo)
        for (const path of ['/v1/chat/completions', '/v1/anything']) {
          await send(token, path, '{"model":"gpt-4o","stream":true,"messages":[]}')
        }
      }
    }
  })

  it('at the border of what is kept, on both sides', async () => {
    for (const secret of SECRETS()) {
      for (const shift of [-secret.length, -Math.floor(secret.length / 2), -3, 0, 3]) {
        const content = (start: string) => `${start}${'y '.repeat(CAP)}`.slice(0, CAP + shift)
        const said = `${content('{"content":"')} ${secret} and more"}`
        upstream.script((_req, res) => sendJson(res, 200, JSON.parse(said)))
        await send(STATIC, '/v1/chat/completions', said)
      }
    }
  })

  it('in an upload that is broken off', async () => {
    const req = request(`${gateway.url}/v1/files`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${STATIC}`,
        'content-type': 'text/plain',
        'content-length': '9999',
        expect: '100-continue',
      },
    })
    req.on('error', () => {}).flushHeaders()
    await new Promise((resolve) => req.once('continue', resolve))
    await new Promise((resolve) => req.write(`the text has ${FOREIGN} and ${OWN.slice(0, 20)}`, resolve))
    await new Promise((resolve) => req.destroy().once('close', resolve))
    answers++
  })
})

describe('none of them is to be found', () => {
  const documents: string[] = []
  beforeAll(async () => {
    const lost = () => ask(`${gateway.url}/metrics`, { headers: { authorization: `Bearer ${MANAGEMENT_TOKEN}` } })
    expect((await lost()).body.toString()).not.toMatch(/body_log_total\{result="(?:failed|queue_full)"\}/)
    gateway.kill('SIGTERM')
    await gateway.exited
    for (const [name] of filesBelow(gateway.dataDir).filter(([name]) => /^bodies-.*\.db$/.test(name))) {
      const file = new Sqlite(join(gateway.dataDir, name), { readonly: true })
      for (const content of file.prepare<[], Buffer>('SELECT content FROM bodies').pluck().all()) {
        documents.push(inflateSync(content).toString())
      }
      file.close()
    }
  })

  it('though everything was kept', () => {
    expect(answers).toBeGreaterThan(300)
    expect(documents).toHaveLength(answers)
    const all = documents.join('\n')
    expect(all.split('[redacted]').length).toBeGreaterThan(answers)
    for (const part of ['Incorrect key', 'data: [DONE]', 'x-internal-thing', 'it is ']) expect(all).toContain(part)
  })

  it('in what was kept', () => {
    for (const document of documents) {
      expect([planted.foundIn(document), document]).toEqual([[], document])
    }
  })

  it('in any file, in the log, or read over the API', () => {
    for (const [name, bytes] of filesBelow(gateway.dataDir)) expect([name, planted.foundIn(bytes)]).toEqual([name, []])
    expect(planted.foundIn(gateway.stdout() + gateway.stderr())).toEqual([])
  })
})
