import { Agent, request } from 'node:http'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { seeded } from '../helpers/seeded.ts'
import { chatAnswer, chatEvents, type Script, sendJson, sseHead } from '../helpers/upstream.ts'
import { type House, openHouse, QUICK, route, target } from './house.ts'

const REQUESTS = 10_000
const AT_ONCE = 64
const SEED = 20_261_121
const WORDS = ['All ', 'of ', 'it', '.']
const USAGE = { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 }

let house: House
beforeAll(async () => {
  const random = seeded(SEED)
  house = await openHouse({
    scripts: [badly(random), badly(random)],
    config: { timeouts: { ...QUICK, headersMs: 2_000, firstTokenMs: 2_000, idleMs: 2_000 } },
    routes: [route('smart', [target('one', 'a'), target('two', 'b')], { strategy: 'weighted', recovery: 'off' })],
  })
}, 60_000)
afterAll(() => house.close())

/** One request in five goes wrong, in one of many ways. */
const badly =
  (random: () => number): Script =>
  async (req, res, { body, aborted }) => {
    const streamed = body.includes('"stream":true')
    const dice = Math.floor(random() * 50)
    switch (dice) {
      case 0:
        return sendJson(res, 500, { error: { message: 'broken' } })
      case 1:
        return sendJson(res, 429, { error: { message: 'slowly' } }, { 'retry-after-ms': '20' })
      case 2:
        return void req.socket.destroy()
      case 3:
        if (random() > 0.1) return sendJson(res, 503, {})
        return void (await aborted)
      case 4:
        // Cut in the middle of an answer.
        res.writeHead(200, streamed ? sseHead : { 'content-type': 'application/json', 'content-length': '500' })
        res.write(streamed ? chatEvents(WORDS).slice(0, 3).join('') : '{"id":"chatcmpl-1","choices":[')
        setImmediate(() => res.destroy())
        return
      case 5:
        return sendJson(res, 400, { error: { message: 'too long', code: 'context_length_exceeded' } })
      case 6:
        res.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Bad gateway</h1>')
        return
    }
    if (!streamed) return sendJson(res, 200, chatAnswer(WORDS.join(''), USAGE))
    res.writeHead(200, sseHead)
    for (const event of chatEvents(WORDS, USAGE)) res.write(event)
    res.end()
  }

type Heard = { status: number; whole: boolean; text: string }
const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE })

const ask = (stream: boolean): Promise<Heard> =>
  new Promise((resolve) => {
    const body = JSON.stringify({
      model: 'smart',
      messages: [{ role: 'user', content: 'Hi' }],
      ...(stream && { stream, stream_options: { include_usage: true } }),
    })
    const headers = {
      authorization: `Bearer ${house.secret}`,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    }
    const req = request(`${house.gateway.baseUrl}/chat/completions`, { method: 'POST', agent, headers })
    req.on('error', () => resolve({ status: 0, whole: false, text: '' }))
    req.on('response', (res) => {
      let text = ''
      res.setEncoding('utf8').on('data', (piece) => {
        text += piece
      })
      res.on('error', () => {})
      res.on('close', () => resolve({ status: res.statusCode!, whole: res.complete, text }))
    })
    req.end(body)
  })

it(`${REQUESTS} requests to providers that fail at random: none hangs, none is cut and called whole, each stands in the ledger`, async () => {
  const counts = { whole: 0, errors: 0, cut: 0 }
  let started = 0
  const work = async () => {
    while (started < REQUESTS) {
      const stream = started++ % 2 === 0
      const { status, whole, text } = await ask(stream)
      if (status === 200 && whole && !text.startsWith('<')) {
        counts.whole++
        const isAll = stream
          ? text.endsWith('data: [DONE]\n\n') && text.includes('"finish_reason":"stop"')
          : (JSON.parse(text) as ReturnType<typeof chatAnswer>).choices[0]!.message.content === 'All of it.'
        if (!isAll) throw new Error(`A success that is none: ${text}`)
      } else if (status >= 400 && whole) counts.errors++
      else counts.cut++
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  const { whole, errors, cut } = counts
  expect(whole + errors + cut).toBe(REQUESTS)
  // What nobody can mend: an answer that breaks after it began, and bad luck at both.
  expect(whole).toBeGreaterThan(REQUESTS * 0.9)
  const rows = await house.gateway.ctx.store.ledger.usage({ groupBy: [], filter: {} })
  expect(rows.rows[0]).toMatchObject({ requests: REQUESTS })
  expect(await house.gateway.ctx.store.ledger.verify()).toEqual([])
  expect(await house.gateway.ctx.store.ledger.openRequests()).toEqual([])
  expect(house.gateway.ctx.life).toMatchObject({ running: 0, unsettled: 0 })
}, 240_000)
