import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { ask } from '../helpers/http.ts'
import { chatAnswer, sendJson, streamChat } from '../helpers/upstream.ts'
import { openWire, rowsOf, type Wire } from './on-the-wire.ts'

let wire: Wire

beforeAll(async () => {
  // A small limit, so that what is too large is quick to make; and one of tokens, so that they are reserved.
  wire = await openWire({ config: { maxBodyBytes: 1024 * 1024 } })
})
beforeEach(() => wire.upstream.script((_req, res) => sendJson(res, 200, chatAnswer())))
afterAll(() => wire.stop())

const TOKENS = { requestsPerMinute: null, tokensPerMinute: 1_000_000, concurrentRequests: 1 }

/** Posts `body` with a token of its own; the answer, what the provider saw, and the one row that there must be. */
async function post(body: string | Buffer, headers: Record<string, string> = {}) {
  const { secret, token } = await wire.gateway.token({ rateLimit: TOKENS })
  const before = wire.upstream.seen.length
  const answer = await ask(`${wire.gateway.baseUrl}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json', ...headers },
    body,
  })
  const [row] = await rowsOf(wire.gateway, token.id, 1)
  const text = answer.body.toString()
  const { error } = JSON.parse(text.startsWith('{') ? text : '{}') as { error?: { code: string; message: string } }
  return { answer, error, row: row!, seen: wire.upstream.seen.slice(before) }
}

describe('a body that is too large', () => {
  const large = `{"model":"gpt-4o","messages":[{"role":"user","content":"${'x'.repeat(1_200_000)}"}]}`

  it.each([
    ['that says so in content-length', {}],
    ['that comes in chunks of unknown number', { 'transfer-encoding': 'chunked' }],
  ])('is refused with 413 before it is whole: %s', async (_what, headers) => {
    const { answer, error, row, seen } = await post(large, headers)
    expect([answer.status, error?.code]).toEqual([413, 'request_too_large'])
    expect(answer.header('connection')).toBe('close')
    expect(row).toMatchObject({ status: 413, error: 'request_too_large' })
    expect(seen).toEqual([])
  })

  it('is refused while its client still waits to be told to go on', async () => {
    const { answer } = await post(large, { expect: '100-continue' })
    expect(answer.status).toBe(413)
  })
})

describe('a body that is not JSON', () => {
  it.each([
    ['cut short', '{"model":"gpt-4o","messages":[{"role":"user","content":"top-secret-phrase'],
    ['followed by more', '{"model":"gpt-4o"} top-secret-phrase'],
    ['of single quotes', "{'model':'top-secret-phrase'}"],
    ['a form', 'model=top-secret-phrase'],
    ['with a raw NUL', '{"model":"top-secret-phrase\0"}'],
    ['in UTF-16', Buffer.from('{"model":"top-secret-phrase"}', 'utf16le')],
    ['bytes', Buffer.from([0, 255, 254, 128, 1])],
    ['white space', '   '],
  ])('is refused without being quoted: %s', async (_what, body) => {
    const { answer, error, row, seen } = await post(body)
    expect([answer.status, error?.code]).toEqual([400, 'invalid_json'])
    expect(answer.body.toString()).not.toContain('secret')
    expect(wire.gateway.logs()).not.toContain('top-secret-phrase')
    expect(row).toMatchObject({ status: 400, error: 'invalid_json' })
    expect(seen).toEqual([])
  })

  it('is not said to have ended when it has not', async () => {
    expect((await post('model=x')).error?.message).not.toContain('unexpected end')
  })
})

describe('a compressed body', () => {
  it.each(['gzip', 'br', 'deflate', 'zstd', 'gzip, br', 'nonsense'])(
    'is refused, and why is said: %s',
    async (coding) => {
      const { answer, error, seen } = await post(gzipSync('{"model":"gpt-4o"}'), { 'content-encoding': coding })
      expect([answer.status, error?.code]).toEqual([400, 'unsupported_parameter'])
      expect(error?.message).toContain('without compression')
      expect(seen).toEqual([])
    },
  )
})

describe('JSON of an odd kind', () => {
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`

  it.each([
    ['an array', '[{"model":"gpt-4o"}]'],
    ['a string', '"text"'],
    ['a number', '-1e308'],
    ['null', 'null'],
    ['an empty object', '{}'],
    ['100,000 arrays in one another', `{"model":"gpt-4o","messages":${deep}}`],
    ['100,000 objects in one another', `{"model":"gpt-4o","x":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`],
    ['a million numbers', `{"model":"gpt-4o","x":[${'1,'.repeat(400_000)}1]}`],
    ['the names that objects are born with', '{"__proto__":{"model":"x"},"constructor":1,"toString":{}}'],
    ['bytes that are not UTF-8', Buffer.from('{"model":"gpt-\xff\xfe","messages":[]}', 'latin1')],
  ])('passes on byte for byte, for the provider to judge: %s', async (_what, body) => {
    const { answer, row, seen } = await post(body)
    expect(answer.status).toBe(200)
    expect(seen).toHaveLength(1)
    expect(seen[0]!.body.equals(Buffer.from(body))).toBe(true)
    expect(row).toMatchObject({ status: 200, usage: { source: 'reported' } })
  })

  const ODD = ['{}', '[1]', '7', 'true', 'null', '""', '-1', '1e308', '1e-7', '"12"', '"\\u0000"', '"\\ud800"', '[[]]']

  it.each(['model', 'stream', 'max_tokens', 'max_completion_tokens', 'n', 'messages'])(
    'as the value of `%s` is the provider’s to refuse, never an error of the gateway’s own',
    async (field) => {
      for (const value of ODD) {
        const body = `{"messages":[],"${field}":${value}}`
        const { answer, error, seen } = await post(body)
        // The one refusal of our own: more tokens than the token's limit could ever let through.
        if (answer.status === 429) expect(error?.code).toBe('rate_limit_exceeded')
        else expect([value, answer.status]).toEqual([value, 200])
        // But for the usage that a stream is asked for.
        if (answer.status === 200) expect(seen[0]!.body.toString().endsWith(body.slice(1))).toBe(true)
      }
    },
  )

  it.each(['[1]', '7', '"x"', 'true'])('as `stream_options` is streamed all the same: %s', async (value) => {
    wire.upstream.script(streamChat(['a', 'b']))
    const { answer } = await post(`{"model":"gpt-4o","stream":true,"stream_options":${value}}`)
    expect([answer.status, answer.ended]).toEqual([200, 'clean'])
    expect(answer.body.toString()).toMatch(/data: \[DONE\]\n\n$/)
  })

  it('as `stream_options` is not mended on the way', async () => {
    wire.upstream.script(streamChat(['a']))
    const body = '{"model":"gpt-4o","stream":true,"stream_options":"x"}'
    expect((await post(body)).seen[0]!.body.toString()).toBe(body)
  })
})

describe('a model that is named twice', () => {
  it.each([
    ['plainly', '{"model":"a","messages":[],"model":"b"}'],
    ['with an escape', '{"model":"a","mod\\u0065l":"b"}'],
    ['with escapes alone', '{"\\u006dodel":"a","\\u006Dodel":"b"}'],
    ['behind a nested one', '{"x":{"model":"c"},"model":"a","mode\\u006c":"b"}'],
  ])('is refused, for readers of JSON differ on which one counts: %s', async (_what, body) => {
    const { answer, error, seen } = await post(body)
    expect([answer.status, error?.code]).toEqual([400, 'invalid_json'])
    expect(seen).toEqual([])
  })

  it('in nested objects is no doubling', async () => {
    expect((await post('{"model":"a","tools":[{"model":"b"},{"model":"c"}]}')).answer.status).toBe(200)
  })

  it.each(['null', '{}', '7'])('the second time as %s, is refused too', async (second) => {
    expect((await post(`{"model":"a","model":${second}}`)).answer.status).toBe(400)
  })
})

it('does not keep a model name of a megabyte', async () => {
  const { row } = await post(JSON.stringify({ model: 'm'.repeat(1_000_000) }))
  expect(row.model?.length ?? 0).toBeLessThan(10_000)
})
