import { request } from 'node:http'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import type { LedgerRow } from '../../src/store/store.ts'
import { startTestGateway, type TestGateway } from '../helpers/gateway.ts'
import { ask, eventually } from '../helpers/http.ts'
import { chatAnswer, chatEvents, type Script, sendJson, startUpstream, type Upstream } from '../helpers/upstream.ts'
import { FORM_TYPE, field, file, form } from '../uploads/form.ts'

let upstream: Upstream
let gateway: TestGateway
beforeAll(async () => {
  upstream = await startUpstream()
  gateway = await startTestGateway({
    upstream: upstream.url,
    config: { retry: { maxRetries: 1, initialBackoffMs: 60_000, maxBackoffMs: 60_000, factor: 1, jitter: 0 } },
  })
})
afterEach(() => upstream.script((_req, res) => sendJson(res, 200, chatAnswer())))
afterAll(async () => {
  await gateway.stop()
  await upstream.close()
})

const BUDGET = { period: 'total', limitNanoUsd: 5_000_000_000, limitTokens: null, resetAt: null } as const
const SPEECH = { path: '/audio/speech', body: { model: 'gpt-4o-mini-tts', voice: 'alloy', input: 'Hello' } }
const CHAT = { path: '/chat/completions', body: { model: 'gpt-4o', messages: [{ role: 'user', content: 'Hi' }] } }

type Leave = { after?: number; when?: () => unknown; budget?: boolean }

/** Sends, and leaves after so many bytes of the answer, or as soon as `when` holds; the row. */
async function leave({ path, body }: typeof SPEECH | typeof CHAT, { after = 0, when, budget = true }: Leave) {
  const { secret, token } = await gateway.token(budget ? { budgets: [BUDGET] } : {})
  const req = request(gateway.baseUrl + path, {
    method: 'POST',
    agent: false,
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
  })
  req.on('error', () => {})
  let heard = 0
  req.on('response', (res) => {
    res.on('error', () => {})
    res.on('data', (piece: Buffer) => {
      heard += piece.length
    })
  })
  req.end(JSON.stringify(body))
  await eventually(() => (when ? when() : heard >= after), 'time to leave')
  req.destroy()
  const row = await eventually(async () => rowOf(token.id), 'the row')
  const [state] = await gateway.ctx.budgets.states({ kind: 'token', id: token.id }, [BUDGET], Date.now())
  return { row, used: state!.used.nanoUsd, reserved: state!.reserved.nanoUsd }
}

const rowOf = async (tokenId: string): Promise<LedgerRow | undefined> =>
  (await gateway.ctx.store.ledger.list({ tokenId }, { limit: 1 })).data[0]

/** Sends so much of an answer, and no more. */
const begins =
  (type: string, text: string): Script =>
  async (_req, res, { aborted }) => {
    res.writeHead(200, { 'content-type': type }).write(text)
    await aborted
  }

describe('an answer that the client leaves', () => {
  it('and that nobody could have counted is charged what was held back for it', async () => {
    upstream.script(begins('audio/mpeg', 'sound'))
    const { row, used, reserved } = await leave(SPEECH, { after: 5 })
    expect(row).toMatchObject({ status: 499, usage: { source: 'none' }, priceSource: 'reserved' })
    expect(row.costNanoUsd).toBe(row.reservedNanoUsd)
    expect([used, reserved]).toEqual([row.reservedNanoUsd, 0n])
    expect(used > 0n).toBe(true)
  })

  it('and for which nothing was held back has a cost that nobody knows, which is not nothing', async () => {
    upstream.script(begins('audio/mpeg', 'sound'))
    const { row } = await leave(SPEECH, { after: 5, budget: false })
    expect(row).toMatchObject({ status: 499, usage: { source: 'none' }, costNanoUsd: null, priceSource: null })
  })

  it('in the middle of its JSON is charged for the text that had come', async () => {
    const whole = JSON.stringify(chatAnswer('many words of an answer '.repeat(2_000)), null, 2)
    upstream.script(begins('application/json', whole.slice(0, 40_000)))
    const { row } = await leave(CHAT, { after: 40_000 })
    expect(row).toMatchObject({ status: 499, estimateReason: 'client_abort', usage: { source: 'estimated' } })
    // Five tokens for 24 letters.
    expect(row.usage.outputTokens).toBeGreaterThan(8_000)
    expect(row.usage.outputTokens).toBeLessThan(8_800)
  })

  it('in the middle of its JSON is charged as reported when the usage stood before the text', async () => {
    const { usage, ...rest } = chatAnswer('words '.repeat(5_000))
    upstream.script(begins('application/json', JSON.stringify({ usage, ...rest }).slice(0, 20_000)))
    const { row } = await leave(CHAT, { after: 20_000 })
    expect(row).toMatchObject({ status: 499, usage: { inputTokens: 9, outputTokens: 3, source: 'reported' } })
  })

  // A 400 is read as a whole before any of it is passed on: it may be about our own key.
  it.each([
    { status: 403, until: { after: 5 } },
    { status: 400, until: {} },
  ])('while it is an error is free: the provider refused to work ($status)', async ({ status, until }) => {
    let begun = false
    upstream.script(async (_req, res, { aborted }) => {
      res.writeHead(status, { 'content-type': 'application/json' })
      res.write('{"error":{"message":"Bad', () => {
        begun = true
      })
      await aborted
    })
    const { row, used, reserved } = await leave(CHAT, { when: 'after' in until ? undefined : () => begun, ...until })
    expect(row).toMatchObject({ status: 499, usage: { source: 'none' }, costNanoUsd: 0n })
    expect([used, reserved]).toEqual([0n, 0n])
  })

  it('between two tries is free: the first one failed', async () => {
    let tries = 0
    upstream.script((_req, res) => {
      tries++
      sendJson(res, 500, { error: { message: 'busy' } })
    })
    const { row, used, reserved } = await leave(CHAT, { when: () => tries === 1 })
    expect(row).toMatchObject({ status: 499, usage: { source: 'none' }, costNanoUsd: 0n })
    expect([used, reserved]).toEqual([0n, 0n])
  })
})

describe('an error of the provider inside an answer', () => {
  const ERROR = 'data: {"error":{"message":"boom","type":"server_error"}}\n\n'
  const fail = async (text: string, type = 'text/event-stream') => {
    upstream.script((_req, res) => void res.writeHead(200, { 'content-type': type }).end(text))
    const { secret, token } = await gateway.token({ budgets: [BUDGET] })
    await ask(`${gateway.baseUrl}/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
      body: JSON.stringify({ ...CHAT.body, stream: type !== 'application/json' }),
    })
    return (await rowOf(token.id))!
  }

  it('is charged for the text that had come, as of a stream that was cut', async () => {
    const words = chatEvents(['some ', 'words ', 'had ', 'come']).slice(0, 5)
    const row = await fail(words.join('') + ERROR)
    expect(row).toMatchObject({ error: 'upstream_error', estimateReason: 'upstream_cut', usage: { outputTokens: 4 } })
    expect(row.costNanoUsd).toBe(BigInt(row.usage.inputTokens) * 2_500n + 4n * 10_000n)
  })

  it('is charged as reported, where the provider says what it counted', async () => {
    const row = await fail(
      chatEvents(['one'], { prompt_tokens: 50, completion_tokens: 1 }).slice(0, -1).join('') + ERROR,
    )
    expect(row).toMatchObject({
      error: 'upstream_error',
      usage: { inputTokens: 50, outputTokens: 1, source: 'reported' },
    })
  })

  it('before any text is free', async () => {
    for (const text of [ERROR, chatEvents([])[0] + ERROR])
      expect(await fail(text)).toMatchObject({ error: 'upstream_error', usage: { source: 'none' }, costNanoUsd: 0n })
  })

  it('is one also with a status of success and without a stream', async () => {
    const row = await fail('{"error":{"message":"Provider returned error","code":502}}', 'application/json')
    expect(row).toMatchObject({ status: 200, error: 'upstream_error', usage: { source: 'none' }, costNanoUsd: 0n })
  })
})

it('a request that never reached its provider is free, though it ran out of time', async () => {
  const sockets: Socket[] = []
  // Takes connections, and never speaks TLS.
  const mute = createServer((socket) => void sockets.push(socket.on('error', () => {})))
  await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve))
  const silent = await startTestGateway({
    upstream: `https://127.0.0.1:${(mute.address() as AddressInfo).port}/v1`,
    config: { timeouts: { connectMs: 20, headersMs: 5_000, firstTokenMs: 5_000, idleMs: 5_000, totalMs: 5_000 } },
  })
  const { secret, token } = await silent.token({ budgets: [BUDGET] })
  await ask(`${silent.baseUrl}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    body: JSON.stringify(CHAT.body),
  })
  const [row] = (await silent.ctx.store.ledger.list({ tokenId: token.id }, { limit: 1 })).data
  const attempts = [{ outcome: 'unsent', error: 'timeout' }]
  expect(row).toMatchObject({ attempts, error: 'upstream_timeout', usage: { source: 'none' }, costNanoUsd: 0n })
  await silent.stop()
  for (const socket of sockets) socket.destroy()
  mute.close()
})

it('a response that goes on in the background is charged what was held back, since its first answer tells of nothing', async () => {
  upstream.script((_req, res) =>
    sendJson(res, 200, { object: 'response', status: 'queued', model: 'gpt-4o', output: [], usage: null }),
  )
  for (const budgets of [[BUDGET], null]) {
    const { secret, token } = await gateway.token({ budgets })
    await ask(`${gateway.baseUrl}/responses`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gpt-4o', input: 'Think.', background: true, max_output_tokens: 10_000 }),
    })
    const row = (await rowOf(token.id))!
    expect(row).toMatchObject({ status: 200, usage: { source: 'none' }, priceSource: budgets && 'reserved' })
    expect(row.costNanoUsd).toBe(budgets && row.reservedNanoUsd)
  }
})

describe('an upload', () => {
  const send = async (model: string, type = FORM_TYPE) => {
    const { secret, token } = await gateway.token({ budgets: [BUDGET] })
    const answer = await ask(`${gateway.baseUrl}/audio/transcriptions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}`, 'content-type': type },
      body: form(field('model', model), file(10_000)),
    })
    const row = await eventually(async () => rowOf(token.id), 'the row')
    const [state] = await gateway.ctx.budgets.states({ kind: 'token', id: token.id }, [BUDGET], Date.now())
    return { answer, row, used: state!.used.nanoUsd, reserved: state!.reserved.nanoUsd }
  }

  it('is priced by the model that its form names (whisper-1: 0.36 USD an hour)', async () => {
    upstream.script((_req, res) => sendJson(res, 200, { text: 'Hi', usage: { type: 'duration', seconds: 100 } }))
    const { row, used, reserved } = await send('whisper-1')
    expect(row).toMatchObject({ status: 200, usage: { source: 'reported' }, costNanoUsd: 10_000_000n })
    expect([used, reserved]).toEqual([10_000_000n, 0n])
  })

  it('whose model has no price is refused under a budget in dollars, and the provider does not get the whole of it', async () => {
    const { answer, row, used, reserved } = await send('nobody-knows-it')
    expect([answer.status, JSON.parse(answer.body.toString()).error.code]).toEqual([403, 'model_not_allowed'])
    expect(row.costNanoUsd).toBe(0n)
    expect([used, reserved]).toEqual([0n, 0n])
  })

  it('that names no model is charged what was held back for it', async () => {
    upstream.script((_req, res) => sendJson(res, 200, { text: 'Hi', usage: { input_tokens: 5, output_tokens: 5 } }))
    const { row, used } = await send('', 'application/octet-stream')
    expect(row).toMatchObject({ status: 200, usage: { source: 'reported' }, priceSource: 'reserved' })
    expect([row.costNanoUsd, used]).toEqual([100_000_000n, 100_000_000n])
  })
})
