import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { startTestGateway, type TestGateway } from '../helpers/gateway.ts'
import { ask, eventually, type RawAnswer } from '../helpers/http.ts'
import { chatAnswer, chatEvents, sendJson, sseHead, startUpstream, type Upstream } from '../helpers/upstream.ts'

let upstream: Upstream
let gateway: TestGateway
let secret: string
let tokenId: string

beforeAll(async () => {
  upstream = await startUpstream()
  gateway = await startTestGateway({ upstream: upstream.url })
  const made = await gateway.token({
    rateLimit: { requestsPerMinute: null, tokensPerMinute: 1_000_000_000, concurrentRequests: 2 },
  })
  secret = made.secret
  tokenId = made.token.id
})
afterAll(async () => {
  await gateway.stop()
  await upstream.close()
})

const PATIENCE_MS = 5_000
/** Quick here; FUZZ_RUNS=2000 searches longer. */
const RUNS = { numRuns: Number(process.env.FUZZ_RUNS ?? 60) }

let sent = 0
const rowCount = async () =>
  (await gateway.ctx.store.ledger.usage({ groupBy: [], filter: { tokenId } })).totals.requests

/** One request. Fails when it is not answered, answered with an error of the gateway's own making, or not in the ledger once. */
async function post(path: string, body: string | Buffer, headers: Record<string, string> = {}): Promise<RawAnswer> {
  const asked = ask(gateway.baseUrl + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json', ...headers },
    body,
  })
  sent++
  const late = new Promise<never>((_resolve, reject) =>
    setTimeout(() => reject(new Error('There is no answer.')), PATIENCE_MS).unref(),
  )
  const answer = await Promise.race([asked, late])
  expect(answer.body.toString()).not.toContain('internal_error')
  expect(await eventually(async () => (await rowCount()) >= sent && rowCount(), 'the row')).toBe(sent)
  return answer
}

const odd = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom<unknown>('', '\u0000', '\ud800', 'gpt-4o', 'openai:', 'openai:gpt-4o', ':/', -0, 1e308, 2 ** 53, [
    [],
  ]),
  fc.string({ unit: 'binary' }),
)

describe('any body that a client may send', () => {
  it('is answered, and is in the ledger once: objects with odd fields', async () => {
    const fields = fc.record(
      {
        model: odd,
        stream: odd,
        stream_options: odd,
        max_tokens: odd,
        max_completion_tokens: odd,
        n: odd,
        messages: odd,
        input: odd,
        prompt: odd,
        __proto__: odd,
      },
      { requiredKeys: [] },
    )
    const paths = fc.constantFrom(
      '/chat/completions',
      '/completions',
      '/embeddings',
      '/responses',
      '/images/generations',
    )
    // Without usage now and then, so that it has to be estimated from whatever was sent.
    const answers = fc.constantFrom<object>(chatAnswer(), { ...chatAnswer(), usage: undefined }, { usage: null })
    await fc.assert(
      fc.asyncProperty(paths, fields, answers, async (path, body, said) => {
        upstream.script((_req, res) => sendJson(res, 200, said))
        const answer = await post(path, JSON.stringify(body))
        expect([200, 429]).toContain(answer.status)
      }),
      RUNS,
    )
  })

  it('is answered, and is in the ledger once: text that is almost JSON', async () => {
    upstream.script((_req, res) => sendJson(res, 200, chatAnswer()))
    const pieces = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ':',
      ',',
      '"',
      '\\',
      '"model"',
      '"mod\\u0065l"',
      '"a"',
      'null',
      '1e5',
      ' ',
      '\n',
      '\\ud83d',
      'é',
    )
    const texts = fc.oneof(
      fc.array(pieces, { maxLength: 30 }).map((all) => Buffer.from(all.join(''))),
      fc.array(pieces, { maxLength: 10 }).map((all) => Buffer.from(`{"model":"a",${all.join('')}}`)),
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
    )
    await fc.assert(
      fc.asyncProperty(texts, async (body) => {
        expect([200, 400]).toContain((await post('/chat/completions', body)).status)
      }),
      RUNS,
    )
  })

  it('is answered, and is in the ledger once: forms of any make', async () => {
    upstream.script((_req, res) => sendJson(res, 200, { text: 'x' }))
    const pieces = fc.constantFrom(
      '--XX',
      '--XX--',
      '\r\n',
      '\n',
      '\r',
      '--',
      'Content-Disposition: form-data; name="model"',
      'name=model',
      ': ',
      'Content-Disposition: form-data; name="file"; filename="a"',
      '\r\n\r\n',
      'whisper-1',
      '\0',
      'x'.repeat(3000),
      '"',
    )
    const types = fc.constantFrom(
      'multipart/form-data; boundary=XX',
      'multipart/form-data',
      'multipart/x; boundary=""',
      'a/b',
    )
    await fc.assert(
      fc.asyncProperty(fc.array(pieces, { maxLength: 25 }), types, async (all, type) => {
        const answer = await post('/audio/transcriptions', all.join(''), { 'content-type': type })
        expect([200, 413]).toContain(answer.status)
      }),
      RUNS,
    )
  })
})

describe('any answer that a provider may give', () => {
  const events = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.constantFrom(...chatEvents(['one ', 'Zwölf', '😀'], { prompt_tokens: 1, completion_tokens: 2 })),
    },
    {
      weight: 2,
      arbitrary: fc.constantFrom(
        '\n',
        '\r\n',
        '\r',
        '\r\r',
        ': ping\n\n',
        'data:\n\n',
        'data: [DONE]\n\n',
        'event: x\n',
      ),
    },
    fc.jsonValue().map((value) => `data: ${JSON.stringify(value)}\n\n`),
    fc
      .record({ usage: odd, choices: odd, model: odd, error: odd }, { requiredKeys: [] })
      .map((value) => `data: ${JSON.stringify(value)}\r\n\r\n`),
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.constantFrom(
      'data: {"usage": null,"choices":[]}\n\n',
      'data: {"usage"',
      'data: {"choices":[],"usage":{}}\n\n',
      '"usage":null,',
    ),
  )

  /** The bytes in pieces of these sizes, over and over. */
  const cut = (bytes: Buffer, sizes: number[]) => {
    const pieces: Buffer[] = []
    for (let at = 0, turn = 0; at < bytes.length; turn++) {
      const size = sizes[turn % sizes.length]!
      pieces.push(bytes.subarray(at, at + size))
      at += size
    }
    return pieces
  }

  const sizes = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 5 })

  it.each([true, false])(
    'as a stream passes, and is in the ledger once (asked for usage: %s)',
    async (asksForUsage) => {
      await fc.assert(
        fc.asyncProperty(fc.array(events, { maxLength: 12 }), sizes, fc.boolean(), async (all, pieceSizes, ends) => {
          const bytes = Buffer.from(all.join(''))
          upstream.script(async (_req, res) => {
            res.writeHead(200, sseHead)
            for (const piece of cut(bytes, pieceSizes)) {
              res.write(piece)
              await new Promise((resolve) => setImmediate(resolve))
            }
            if (ends) res.end()
            else res.write('', () => res.destroy())
          })
          const options = asksForUsage ? ',"stream_options":{"include_usage":true}' : ''
          const answer = await post('/chat/completions', `{"model":"gpt-4o","messages":[],"stream":true${options}}`)
          if (answer.status !== 200) return expect([answer.status, bytes.length]).toEqual([502, 0])
          // Nothing was added or hidden: what the client asked for is what the provider gave.
          // But for the word of the end, where the provider left out that alone.
          if (asksForUsage && answer.ended === 'clean')
            expect(['', 'data: [DONE]\n\n', '\n\ndata: [DONE]\n\n'].map((end) => `${bytes}${end}`)).toContain(
              answer.body.toString(),
            )
          if (asksForUsage && answer.ended === 'broken')
            expect(answer.body.toString().startsWith(bytes.toString().slice(0, -200))).toBe(true)
          // An error event is an end too, as is `[DONE]`.
          if (!ends && !/DONE|error/.test(bytes.toString())) expect(answer.ended).toBe('broken')
        }),
        RUNS,
      )
    },
  )

  it('as JSON, or what is said to be JSON, passes byte for byte, and is in the ledger once', async () => {
    const bodies = fc.oneof(
      fc
        .record({ usage: odd, model: odd, choices: odd, output: odd }, { requiredKeys: [] })
        .map((value) => JSON.stringify(value)),
      fc
        .record({ prompt_tokens: odd, completion_tokens: odd, total_tokens: odd, prompt_tokens_details: odd })
        .map((usage) => JSON.stringify({ usage })),
      fc.jsonValue().map((value) => JSON.stringify(value)),
      fc.string({ unit: 'binary' }),
      // Longer than what is parsed as a whole.
      fc.record({ usage: odd, model: odd }).map((value) => JSON.stringify({ ...value, pad: '\\"}{'.repeat(20_000) })),
    )
    await fc.assert(
      fc.asyncProperty(bodies, sizes, fc.constantFrom(200, 400, 500), async (body, pieceSizes, status) => {
        const bytes = Buffer.from(body)
        upstream.script((_req, res) => {
          res.writeHead(status, { 'content-type': 'application/json' })
          for (const piece of cut(bytes, bytes.length > 10_000 ? [30_000] : pieceSizes)) res.write(piece)
          res.end()
        })
        const answer = await post('/chat/completions', '{"model":"gpt-4o","messages":[]}')
        expect([answer.status, answer.ended]).toEqual([status, 'clean'])
        expect(answer.body.equals(bytes)).toBe(true)
      }),
      RUNS,
    )
  })
})
