import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { readRequest } from '../../../src/proxy/read-request.ts'
import { cutAt, cuts } from '../../formats/cuts.ts'

const LIMITS = { maxBodyBytes: 1_000, maxUploadBytes: 5_000, timeouts: { totalMs: 60_000 }, bodyIdleMs: 60_000 }
const JSON_TYPE = { 'content-type': 'application/json' }

/** A request with these headers, whose body is written by the test. */
function incoming(headers: IncomingHttpHeaders) {
  const stream = new PassThrough()
  return { stream, req: Object.assign(stream, { headers }) as unknown as IncomingMessage }
}
/** What is read of a body sent in these pieces, one turn of the event loop apart. */
async function readPieces(pieces: Buffer[], headers: IncomingHttpHeaders, expectsJson = true, limits = LIMITS) {
  const { req, stream } = incoming(headers)
  const read = readRequest(req, limits, expectsJson)
  read.catch(() => {})
  for (const piece of pieces) {
    stream.write(piece)
    await new Promise((resolve) => setImmediate(resolve))
  }
  stream.end()
  return read
}
const chunked = (more: IncomingHttpHeaders = {}) => ({ 'transfer-encoding': 'chunked', ...more })

describe('a body', () => {
  it('is none without a length, or with one of zero', async () => {
    for (const headers of [{}, { 'content-length': '0' }, JSON_TYPE]) {
      expect(await readRequest(incoming(headers).req, LIMITS, true)).toEqual({ kind: 'none' })
    }
  })

  it.each([
    ['application/json', false, 'json'],
    ['application/json; charset=utf-8', false, 'json'],
    ['APPLICATION/JSON', false, 'json'],
    ['application/vnd.api+json', false, 'json'],
    [undefined, false, 'json'],
    ['application/x-www-form-urlencoded', true, 'json'],
    ['text/plain', true, 'json'],
    ['text/plain', false, 'stream'],
    ['multipart/form-data; boundary=x', true, 'stream'],
    ['audio/mpeg', false, 'stream'],
    ['application/jsonl', false, 'stream'],
  ])('of type %s, where JSON is expected: %s, is %s', async (type, expectsJson, kind) => {
    const { req, stream } = incoming({ 'content-length': '2', ...(type && { 'content-type': type }) })
    stream.end('{}')
    expect((await readRequest(req, LIMITS, expectsJson)).kind).toBe(kind)
  })

  it('of JSON is read byte for byte, however it comes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), cuts, async (value, places) => {
        const bytes = Buffer.from(JSON.stringify({ value })).subarray(0)
        fc.pre(bytes.length <= 1_000)
        const body = await readPieces(cutAt(bytes, places.slice(0, 10)), chunked(JSON_TYPE))
        expect(body).toEqual({ kind: 'json', bytes, value: JSON.parse(bytes.toString()), problem: null })
      }),
      { numRuns: 40 },
    )
  })

  it.each(['[1]', '"text"', '5', 'null'])(
    'of JSON that is no object passes, with nothing to read in it: %s',
    async (json) => {
      expect(await readPieces([Buffer.from(json)], chunked(JSON_TYPE))).toMatchObject({ kind: 'json', value: null })
    },
  )

  it.each(['{', '{"a":', '', '{"secret-text" 1}', '{"a":1}}', '\ufeff{}'])(
    'that is no JSON is refused, without quoting it: %j',
    async (json) => {
      const body = await readPieces([Buffer.from(json)], chunked(JSON_TYPE))
      if (body.kind !== 'json') throw new Error('no JSON')
      expect(body.problem).toMatchObject({ code: 'invalid_json', status: 400 })
      expect(body.problem?.message).not.toContain('secret')
    },
  )

  it('that is compressed JSON is refused by name', async () => {
    const headers = chunked({ ...JSON_TYPE, 'content-encoding': 'gzip' })
    await expect(readPieces([Buffer.from('x')], headers)).rejects.toMatchObject({
      code: 'unsupported_parameter',
      param: 'content-encoding',
    })
    const plain = chunked({ ...JSON_TYPE, 'content-encoding': 'identity' })
    expect(await readPieces([Buffer.from('{}')], plain)).toMatchObject({ kind: 'json' })
  })
})

describe('a body that is too large', () => {
  it('is refused by its announced length, before it is sent', async () => {
    const { req } = incoming({ ...JSON_TYPE, 'content-length': '1001' })
    await expect(readRequest(req, LIMITS, true)).rejects.toMatchObject({
      code: 'request_too_large',
      details: { max_bytes: 1_000 },
    })
    const upload = incoming({ 'content-type': 'audio/mpeg', 'content-length': '5001' })
    await expect(readRequest(upload.req, LIMITS, false)).rejects.toMatchObject({ details: { max_bytes: 5_000 } })
  })

  it('is refused with the byte that is too many, and no more of it is kept', async () => {
    const { req, stream } = incoming(chunked(JSON_TYPE))
    const read = readRequest(req, LIMITS, true)
    stream.write(Buffer.alloc(1_000, ' '))
    stream.write(' ')
    await expect(read).rejects.toMatchObject({ code: 'request_too_large', status: 413 })
    expect([stream.listenerCount('data'), stream.isPaused()]).toEqual([0, true])
  })

  it('of just the size that is allowed is not', async () => {
    const json = `"${'x'.repeat(998)}"`
    expect(await readPieces([Buffer.from(json)], chunked(JSON_TYPE))).toMatchObject({ kind: 'json' })
  })

  it('and comes as a stream without a length breaks off there', async () => {
    const { req, stream } = incoming(chunked({ 'content-type': 'audio/mpeg' }))
    const body = await readRequest(req, LIMITS, false)
    if (body.kind !== 'stream') throw new Error('no stream')
    const all = text(body.stream)
    stream.write(Buffer.alloc(5_000))
    stream.end('x')
    await expect(all).rejects.toMatchObject({ code: 'request_too_large' })
  })
})

describe('a client that goes', () => {
  it('in the middle of a body is known to have gone', async () => {
    const { req, stream } = incoming(chunked(JSON_TYPE))
    const read = readRequest(req, LIMITS, true)
    stream.write('{')
    stream.destroy()
    await expect(read).rejects.toMatchObject({ code: 'client_closed' })
  })

  it('before its body was looked at is known to have gone', async () => {
    const { req, stream } = incoming(chunked(JSON_TYPE))
    stream.destroy()
    await new Promise((resolve) => stream.once('close', resolve))
    const outcome = await Promise.race([
      readRequest(req, { ...LIMITS, bodyIdleMs: 2_000 }, true).catch((error: { code: string }) => error.code),
      new Promise((resolve) => setImmediate(() => setImmediate(() => resolve('waits')))),
    ])
    expect(outcome).toBe('client_closed')
  })

  it('silent in the middle of a body is waited for so long and no longer', async () => {
    const { req, stream } = incoming(chunked(JSON_TYPE))
    const read = readRequest(req, { ...LIMITS, bodyIdleMs: 20 }, true)
    stream.write('{')
    await expect(read).rejects.toMatchObject({ code: 'request_timeout', status: 408 })
  })

  it('sending a byte now and then is waited for no longer than the whole may take', async () => {
    const limits = { ...LIMITS, timeouts: { totalMs: 0 } }
    await expect(
      readPieces([Buffer.from('{'), Buffer.from('}')], chunked(JSON_TYPE), true, limits),
    ).rejects.toMatchObject({ code: 'request_timeout' })
  })
})
