import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { startTestGateway, type TestGateway } from '../../helpers/gateway.ts'
import { type Seen, sendJson, startUpstream, type Upstream } from '../../helpers/upstream.ts'
import { addKey, client } from './accounts.ts'

/* Anthropic's and Google's own APIs, at providers whose accounts do not know each other's objects. */

let anthropic: Upstream
let gemini: Upstream
let gateway: TestGateway

const VERSION = { 'anthropic-version': '2023-06-01' }
const many = Array.from({ length: 10 }, (_, index) => index)

/** Which key made what. */
function remembering(idOf: (seen: Seen, count: number) => object, nameOf: (url: string) => string | undefined) {
  const makers = new Map<string, string>()
  let count = 0
  const keyOf = ({ headers }: Seen) => String(headers['x-api-key'] ?? headers['x-goog-api-key'])
  return (seen: Seen): [status: number, body: object] => {
    const named = nameOf(seen.url + seen.body.toString())
    if (named !== undefined)
      return makers.get(named) === keyOf(seen) ? [200, { ok: true }] : [404, { error: 'not here' }]
    const made = idOf(seen, ++count)
    makers.set(Object.values(made)[0] as string, keyOf(seen))
    return [200, made]
  }
}

beforeAll(async () => {
  const claude = remembering(
    ({ url }, count) =>
      url.endsWith('/files')
        ? { id: `file_${count}`, type: 'file' }
        : { id: `msgbatch_${count}`, type: 'message_batch' },
    (text) => /(?:file|msgbatch)_\d+/.exec(text)?.[0],
  )
  anthropic = await startUpstream((_req, res, seen) => sendJson(res, ...claude(seen)))
  const google = remembering(
    (_seen, count) => ({ name: `cachedContents/c${count}` }),
    (text) => /cachedContents\/c\d+/.exec(text)?.[0],
  )
  gemini = await startUpstream((_req, res, seen) => sendJson(res, ...google(seen)))
  gateway = await startTestGateway({
    config: {
      providers: {
        anthropic: { apiKey: null, baseUrl: anthropic.url },
        gemini: { apiKey: null, baseUrl: gemini.url.replace('/v1', '/v1beta') },
      },
    },
  })
})
afterAll(async () => {
  await gateway.stop()
  await anthropic.close()
  await gemini.close()
})

async function withTwoKeys(provider: string) {
  const { secret, project } = await gateway.token({}, {})
  for (const name of ['one', 'two']) await addKey(gateway, project.id, `sk-${name}-${project.id}`, provider)
  return client(gateway, secret)
}

describe('with keys of two accounts', () => {
  it('files and batches of Anthropic stay in the account that has them', async () => {
    const { post, get } = await withTwoKeys('anthropic')
    for (const _ of many) {
      const file = (await post('/anthropic/v1/files')).json.id
      expect((await get(`/anthropic/v1/files/${file}`, VERSION)).status).toBe(200)
      const content = [{ type: 'document', source: { type: 'file', file_id: file } }]
      const asked = await post('/anthropic/v1/messages', {
        model: 'claude-sonnet-4-5',
        max_tokens: 5,
        messages: [{ role: 'user', content }],
      })
      expect(asked.status).toBe(200)
      const batch = (await post('/anthropic/v1/messages/batches', { requests: [] })).json.id
      expect((await get(`/anthropic/v1/messages/batches/${batch}/results`, VERSION)).status).toBe(200)
    }
  })

  it('what Google keeps in its cache is asked for with the key that made it', async () => {
    const { post, get } = await withTwoKeys('gemini')
    for (const _ of many) {
      const { name } = (await post('/v1beta/cachedContents', { model: 'models/gemini-2.5-flash' })).json
      expect((await get(`/v1beta/${name}`)).status).toBe(200)
      const asked = await post('/v1beta/models/gemini-2.5-flash:generateContent', { cachedContent: name, contents: [] })
      expect(asked.status).toBe(200)
    }
  })
})

describe('another project’s object', () => {
  it('is not there for Anthropic’s and Google’s clients either, in their words', async () => {
    const one = await withTwoKeys('anthropic')
    const other = await withTwoKeys('anthropic')
    const file = (await one.post('/anthropic/v1/files')).json.id
    const refused = await other.get(`/anthropic/v1/files/${file}`, VERSION)
    expect([refused.status, refused.json]).toMatchObject([
      404,
      { type: 'error', error: { type: 'not_found_error', message: `No such object: \`${file}\`.` } },
    ])

    const { name } = (await (await withTwoKeys('gemini')).post('/v1beta/cachedContents')).json
    const missing = await (await withTwoKeys('gemini')).get(`/v1beta/${name}`)
    expect([missing.status, missing.json.error]).toMatchObject([
      404,
      { code: 404, status: 'NOT_FOUND', message: `No such object: \`${name}\`.` },
    ])
  })
})
