import Anthropic from '@anthropic-ai/sdk'
import { GoogleGenAI } from '@google/genai'
import { afterEach, describe, expect, it } from '@jest/globals'
import OpenAI from 'openai'
import { eventually } from '../../helpers/http.ts'
import { chatAnswer, chatEvents, type Script, sendJson, sseHead } from '../../helpers/upstream.ts'
import { frame, messageEvents } from '../../translate/upstreams.ts'
import { type House, openHouse, route, target } from '../house.ts'

let house: House
let goOn: () => void
afterEach(() => house.close())

const WORDS = ['Once ', 'upon ', 'a time.']
const LONG = { connectMs: 5_000, headersMs: 20_000, firstTokenMs: 20_000, idleMs: 20_000, totalMs: 20_000 }

/** The first pieces, then silence until the test lets it go on. */
const pausing =
  (pieces: string[], before: number): Script =>
  async (_req, res) => {
    res.writeHead(200, sseHead)
    for (const piece of pieces.slice(0, before)) res.write(piece)
    await new Promise<void>((resolve) => {
      goOn = resolve
    })
    for (const piece of pieces.slice(before)) res.write(piece)
    res.end()
  }

async function open(pieces: string[], before: number, { to = 'one', keepaliveMs = 20 } = {}) {
  const script = pausing(pieces, before)
  house = await openHouse({
    scripts: [script],
    routes: [route('smart', [target(to, 'claude-sonnet-4-6')])],
    config: { timeouts: LONG },
    stream: { keepaliveMs },
  })
  house.anthropic.script(script)
}

/** All that comes, with the provider going on once `until` is there. */
async function read(
  path: string,
  body: object,
  until: (text: string) => unknown,
  headers: Record<string, string> = {},
) {
  const answer = await fetch(`${house.gateway.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${house.secret}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
  let text = ''
  let went = false
  for await (const piece of answer.body!.pipeThrough(new TextDecoderStream())) {
    text += piece
    if (went || !until(text)) continue
    went = true
    goOn()
  }
  return text
}

const MESSAGES = [{ role: 'user' as const, content: 'Hi' }]
const CHAT = { model: 'smart', messages: MESSAGES, stream: true, stream_options: { include_usage: true } }
const USED = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 }
const events = chatEvents(WORDS, USED)

describe('a client who waits for the next word', () => {
  it('hears a comment, again and again, and otherwise the stream as it is', async () => {
    await open(events, 3)
    const text = await read('/v1/chat/completions', CHAT, (heard) => heard.split(': keepalive\n\n').length > 3)
    expect(text.replaceAll(': keepalive\n\n', '')).toBe(events.join(''))
    const [row] = await house.gateway.rows()
    expect(row).toMatchObject({ status: 200, error: null, responseBytes: Buffer.byteLength(text) })
  })

  it('hears none in the middle of an event', async () => {
    const half = events[3]!.length - 20
    await open([...events.slice(0, 3), events[3]!.slice(0, half), events[3]!.slice(half), ...events.slice(4)], 4)
    let looks = 0
    const text = await read('/v1/chat/completions', CHAT, (heard) => {
      if (heard.length >= events.slice(0, 3).join('').length + half && looks++ === 0) {
        // Long enough for several of them, had there been a place.
        const until = performance.now() + 120
        void eventually(() => performance.now() > until).then(() => goOn())
      }
      return false
    })
    expect(text).toBe(events.join(''))
  })

  it('hears none before the first byte: somebody else may still answer', async () => {
    await open(events, 0)
    house.one.script(async (_req, res) => {
      const until = performance.now() + 120
      await eventually(() => performance.now() > until)
      res.writeHead(200, sseHead).end(events.join(''))
    })
    expect(await read('/v1/chat/completions', CHAT, () => false)).toBe(events.join(''))
  })

  it.each([
    ['asks for none', { 'x-llm-proxy-keepalive': 'false' }, 20],
    ['has none in the configuration', {}, 0],
  ])('hears none who %s', async (_what, headers, keepaliveMs) => {
    await open(events, 3, { keepaliveMs })
    const until = performance.now() + 120
    const later = eventually(() => performance.now() > until && goOn !== undefined)
    void later.then(() => goOn())
    expect(await read('/v1/chat/completions', CHAT, () => false, headers as Record<string, string>)).toBe(
      events.join(''),
    )
  })

  it('hears them between the events of a translated stream', async () => {
    await open(messageEvents(WORDS).map(frame), 4, { to: 'claude' })
    const text = await read('/v1/chat/completions', CHAT, (heard) => heard.includes('\n\n: keepalive\n\n'))
    expect(text).toMatch(/^(?:(?:data: .*|: \w+)\n\n)+$/)
    expect(text).toMatch(/\[DONE\]\n\n$/)
  })

  it('gets no comment but blank lines as a client of Google’s, whose SDK for Python reads every line as JSON', async () => {
    await open(events, 3)
    const text = await read(
      '/v1beta/models/smart:streamGenerateContent?alt=sse',
      { contents: [{ parts: [{ text: 'Hi' }] }] },
      (heard) => heard.includes('\r\n\r\n\r\n\r\n'),
    )
    expect(text.split('\r\n').filter((line) => line !== '' && !line.startsWith('data: {'))).toEqual([])
  })
})

/** Reads as the SDK's own, and lets the provider go on when several signs of life have come through it. */
const listening: typeof fetch = async (input, init) => {
  const answer = await fetch(input, init)
  let text = ''
  let went = false
  const watch = new TransformStream<Uint8Array, Uint8Array>({
    transform(piece, to) {
      to.enqueue(piece)
      text += Buffer.from(piece).toString()
      if (went || text.split(/: keepalive\n\n|(?<=\r\n\r\n)\r\n\r\n/).length < 4) return
      went = true
      goOn()
    },
  })
  return new Response(answer.body!.pipeThrough(watch), { status: answer.status, headers: answer.headers })
}

describe('the official SDKs pass over signs of life', () => {
  const whole = WORDS.join('')
  it('OpenAI’s', async () => {
    await open(events, 3)
    const options = { apiKey: house.secret, maxRetries: 0, fetch: listening }
    const client = new OpenAI({ baseURL: house.gateway.baseUrl, ...options })
    const answer = await client.chat.completions.stream({ model: 'smart', messages: MESSAGES }).finalChatCompletion()
    expect(answer.choices[0]!.message.content).toBe(whole)
  })
  it('Anthropic’s', async () => {
    await open(events, 3)
    const options = { apiKey: house.secret, maxRetries: 0, fetch: listening }
    const client = new Anthropic({ baseURL: house.gateway.url, ...options })
    const answer = await client.messages.stream({ model: 'smart', max_tokens: 9, messages: MESSAGES }).finalMessage()
    expect(answer.content).toMatchObject([{ type: 'text', text: whole }])
  })
  it('Google’s', async () => {
    await open(events, 3)
    const options = { baseUrl: house.gateway.url, fetch: listening }
    const client = new GoogleGenAI({ apiKey: house.secret, httpOptions: options })
    let said = ''
    for await (const chunk of await client.models.generateContentStream({ model: 'smart', contents: 'Hi' }))
      said += chunk.text ?? ''
    expect(said).toBe(whole)
  })
})

it('an answer that is no stream is never touched', async () => {
  await open(events, 3)
  house.one.script((_req, res) => sendJson(res, 200, chatAnswer('Hello!')))
  expect(JSON.parse(await read('/v1/chat/completions', { model: 'smart', messages: MESSAGES }, () => false))).toEqual(
    chatAnswer('Hello!'),
  )
})
