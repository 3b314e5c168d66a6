import Anthropic from '@anthropic-ai/sdk'
import { GoogleGenAI } from '@google/genai'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import OpenAI from 'openai'
import { chatAnswer, chatEvents, type Script, sendJson, sseHead } from '../helpers/upstream.ts'
import { type House, openHouse, RETRY, route, target } from './house.ts'

/*
 * What providers do wrong, each as a whole answer and as a stream, through each client dialect: the caller gets the whole answer of
 * somebody else, and the provider is not pestered.
 */

let house: House
beforeEach(async () => {
  house = await openHouse()
})
afterEach(() => house.close())

const wantsStream = (body: Buffer) => (JSON.parse(body.toString()) as { stream?: boolean }).stream === true

/** A good answer, in words that say whose it is. */
const answers =
  (words: string[]): Script =>
  (_req, res, { body }) => {
    if (!wantsStream(body)) return sendJson(res, 200, chatAnswer(words.join('')))
    res.writeHead(200, sseHead)
    // With the usage that was asked for: to estimate it takes a thread, and each test a new one.
    for (const event of chatEvents(words, USAGE)) res.write(event)
    res.end()
  }
const USAGE = { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 }
const GOOD = answers(['Hello ', 'from ', 'two'])

const says =
  (status: number, error: object = {}, headers: Record<string, string> = {}): Script =>
  (_req, res) =>
    sendJson(res, status, { error: { message: `says ${status}`, ...error } }, headers)

const never: Script = async (_req, _res, { aborted }) => void (await aborted)
/** Headers and a beginning that says nothing, and then silence. */
const beginsAndStalls: Script = async (_req, res, { aborted, body }) => {
  if (!wantsStream(body)) return void (await aborted)
  res.writeHead(200, sseHead).write(chatEvents(['x'])[0]!)
  await aborted
}
const hangsUp: Script = (req) => void req.socket.destroy()
const streamError: Script = (_req, res, { body }) => {
  if (!wantsStream(body)) return sendJson(res, 503, { error: { message: 'Overloaded', code: 503 } })
  const error = { code: 503, message: 'Overloaded' }
  res.writeHead(200, sseHead)
  res.write(': OPENROUTER PROCESSING\n\n')
  res.end(
    `data: ${JSON.stringify({ id: 'x', object: 'chat.completion.chunk', choices: [], error })}\n\ndata: [DONE]\n\n`,
  )
}

/** What the first provider does, and how often it may be asked meanwhile. */
const FAULTS: { what: string; script: Script; asked: number }[] = [
  { what: '429 with Retry-After', script: says(429, {}, { 'retry-after': '30' }), asked: 1 },
  { what: '429 without a word of when', script: says(429), asked: 1 },
  { what: '500 for good', script: says(500), asked: 2 },
  { what: '503 for good', script: says(503), asked: 2 },
  { what: 'a reset before any answer', script: hangsUp, asked: 1 },
  { what: 'silence', script: never, asked: 1 },
  { what: 'a beginning without a first token', script: beginsAndStalls, asked: 1 },
  { what: 'an error in place of the first event', script: streamError, asked: 2 },
  {
    what: 'a prompt that is too long for it',
    script: says(400, { code: 'context_length_exceeded', type: 'invalid_request_error' }),
    asked: 1,
  },
  { what: 'our key refused', script: says(401), asked: 1 },
  { what: 'no money left', script: says(402), asked: 1 },
  { what: 'our account has used its quota', script: says(429, { code: 'insufficient_quota' }), asked: 1 },
  { what: 'a model that it does not have', script: says(404, { code: 'model_not_found' }), asked: 1 },
]

const MESSAGES = [{ role: 'user' as const, content: 'Hi' }]

/** Each client's text and the model that it is told of. */
const CLIENTS = {
  'chat completions': async (stream: boolean) => {
    const client = new OpenAI({ baseURL: house.gateway.baseUrl, apiKey: house.secret, maxRetries: 0 })
    if (!stream) {
      const { choices, model } = await client.chat.completions.create({ model: 'smart', messages: MESSAGES })
      return { text: choices[0]!.message.content, model }
    }
    let text = ''
    let model = ''
    for await (const chunk of await client.chat.completions.create({ model: 'smart', messages: MESSAGES, stream })) {
      text += chunk.choices[0]?.delta.content ?? ''
      model = chunk.model
    }
    return { text, model }
  },
  'Anthropic’s': async (stream: boolean) => {
    const client = new Anthropic({ baseURL: house.gateway.url, apiKey: house.secret, maxRetries: 0 })
    const ask = { model: 'smart', max_tokens: 100, messages: MESSAGES }
    const message = stream ? await client.messages.stream(ask).finalMessage() : await client.messages.create(ask)
    return {
      text: message.content.map((block) => (block.type === 'text' ? block.text : '')).join(''),
      model: message.model,
    }
  },
  'Google’s': async (stream: boolean) => {
    const client = new GoogleGenAI({ apiKey: house.secret, httpOptions: { baseUrl: house.gateway.url } })
    const ask = { model: 'smart', contents: 'Hi' }
    if (!stream) {
      const { text, modelVersion } = await client.models.generateContent(ask)
      return { text, model: modelVersion }
    }
    let text = ''
    let model: string | undefined
    for await (const chunk of await client.models.generateContentStream(ask)) {
      text += chunk.text ?? ''
      model = chunk.modelVersion ?? model
    }
    return { text, model }
  },
}

describe.each(FAULTS)('$what', ({ script, asked }) => {
  for (const [client, ask] of Object.entries(CLIENTS))
    it.each([
      ['a whole answer', false],
      ['a stream', true],
    ])(`costs a client of ${client} nothing, as %s`, async (_how, stream) => {
      house.one.script(script)
      house.two.script(GOOD)
      expect(await ask(stream)).toEqual({ text: 'Hello from two', model: 'gpt-4o-2024-08-06' })
      expect([house.one.seen.length, house.two.seen.length]).toEqual([asked, 1])
      const row = (await house.gateway.rows()).at(-1)!
      expect(row).toMatchObject({ status: 200, error: null, provider: 'two', model: 'smart', stream })
      expect(row.attempts.map(({ provider, outcome }) => `${provider} ${outcome}`)).toEqual([
        ...Array.from({ length: asked }, () => 'one failed'),
        'two answered',
      ])
      expect(JSON.parse(house.two.seen[0]!.body.toString())).toMatchObject({ model: 'model-b' })
    })
})

const post = (model: string, more: object = {}, headers: Record<string, string> = {}) =>
  fetch(`${house.gateway.baseUrl}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${house.secret}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model, messages: MESSAGES, ...more }),
  })

describe('a route', () => {
  it('asks the same provider again after 500 once, and stays there', async () => {
    const left: Script[] = [says(500), answers(['Hello from one'])]
    house.one.script((req, res, seen) => left.shift()!(req, res, seen))
    const answer = await post('smart')
    expect(answer.headers.get('x-llm-proxy-provider')).toBe('one')
    expect([house.one.seen.length, house.two.seen.length]).toEqual([2, 0])
  })

  it('leaves a provider that stumbles the pauses that it needs, longer each time', async () => {
    await house.close()
    house = await openHouse({
      routes: [route('smart', [target('one', 'a'), target('two', 'b')], { maxRetries: 2 })],
      config: { retry: { ...RETRY, initialBackoffMs: 40, maxBackoffMs: 1_000 } },
    })
    const times: number[] = []
    house.one.script((req, res, seen) => {
      times.push(performance.now())
      return says(503)(req, res, seen)
    })
    house.two.script(GOOD)
    expect((await post('smart')).headers.get('x-llm-proxy-provider')).toBe('two')
    const pauses = times.slice(1).map((time, i) => time - times[i]!)
    // A timer may be a millisecond early.
    expect(pauses.map((pause, i) => pause >= 40 * 2 ** i - 2)).toEqual([true, true])
  })

  it('comes back to a limited provider when the time that it asked for is over, and not before', async () => {
    const times: number[] = []
    house.one.script((req, res, seen) => {
      times.push(performance.now())
      const script = times.length === 1 ? says(429, {}, { 'retry-after-ms': '150' }) : answers(['Hello from one'])
      return script(req, res, seen)
    })
    house.two.script(GOOD)
    const providers: (string | null)[] = []
    while (providers.at(-1) !== 'one') providers.push((await post('smart')).headers.get('x-llm-proxy-provider'))
    expect(providers.slice(0, -1).every((provider) => provider === 'two')).toBe(true)
    expect(times).toHaveLength(2)
    expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(148)
  })

  it('leads to a provider that speaks another dialect', async () => {
    house.one.script(says(503))
    const answer = await post('claude-next', { seed: 1 })
    expect(await answer.json()).toMatchObject({ choices: [{ message: { content: 'Hello from Claude' } }] })
    expect([answer.headers.get('x-llm-proxy-provider'), answer.headers.get('x-llm-proxy-dropped')]).toEqual([
      'claude',
      'seed',
    ])
    // What was changed for the first target is not said of the second.
    expect((await house.gateway.rows()).at(-1)!.changes).toEqual([
      'route:claude-next',
      'dialect:anthropic-messages',
      'dropped:seed',
    ])
  })

  it('passes on what is wrong with the request itself', async () => {
    house.one.script(says(400, { code: 'invalid_value' }))
    const answer = await post('smart')
    expect([answer.status, house.one.seen.length, house.two.seen.length]).toEqual([400, 1, 0])
  })

  it('passes on a refusal for what was said, and goes around it where that is wanted', async () => {
    house.one.script(says(400, { code: 'content_filter' }))
    expect((await post('smart')).status).toBe(400)
    expect(house.two.seen).toHaveLength(0)
    await house.close()
    house = await openHouse({
      routes: [route('smart', [target('one', 'a'), target('two', 'b')], { routesAroundRefusals: true })],
    })
    house.one.script(says(400, { code: 'content_filter' }))
    expect((await post('smart')).status).toBe(200)
  })

  it('gives the last provider’s word when nobody can help', async () => {
    house.one.script(says(503))
    house.two.script(says(429, {}, { 'retry-after': '30' }))
    const answer = await post('smart')
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '30'])
    expect(await answer.json()).toEqual({ error: { message: 'says 429' } })
  })

  it('tells what was tried, to who asks', async () => {
    house.one.script(says(500))
    house.two.script(GOOD)
    const answer = await post('smart', {}, { 'x-llm-proxy-trace': 'true' })
    expect(answer.headers.get('x-llm-proxy-route')).toBe('smart')
    expect(answer.headers.get('x-llm-proxy-trace')).toMatch(
      /^one:model-a 500 \d+ms; one:model-a 500 \d+ms; two:model-b 200$/,
    )
    expect((await post('smart')).headers.get('x-llm-proxy-trace')).toBeNull()
  })

  it('is asked about by its own name where a token is limited to some models', async () => {
    house.two.script(GOOD)
    const { secret } = await house.gateway.token({ allowedModels: ['smart'] })
    house.secret = secret
    expect((await post('smart')).status).toBe(200)
    expect((await post('claude-next')).status).toBe(403)
    expect((await post('model-a')).status).toBe(403)
  })

  it('goes past a provider that there is no key for', async () => {
    await house.close()
    house = await openHouse({
      routes: [route('smart', [target('mistral', 'x'), target('two', 'b')]), route('none', [target('mistral', 'x')])],
    })
    house.two.script(GOOD)
    expect((await post('smart')).headers.get('x-llm-proxy-provider')).toBe('two')
    const answer = await post('none')
    expect(answer.status).toBe(404)
    expect(await answer.json()).toMatchObject({
      error: { code: 'model_not_found', message: expect.stringContaining('mistral') },
    })
  })

  it('stands in the list of models, for who may ask for it', async () => {
    house.anthropic.script((_req, res) => sendJson(res, 200, { data: [], has_more: false }))
    const list = async (path = '') => {
      const headers = { authorization: `Bearer ${house.secret}` }
      return (await fetch(`${house.gateway.baseUrl}/models${path}`, { headers })).json() as Promise<
        Record<string, unknown>
      >
    }
    const smart = { id: 'smart', object: 'model', owned_by: 'llm-proxy', provider: 'one' }
    expect(((await list()).data as object[]).slice(0, 2)).toEqual([smart, { ...smart, id: 'claude-next' }])
    expect(await list('/smart')).toEqual(smart)
    house.secret = (await house.gateway.token({ allowedModels: ['claude-*'] })).secret
    expect(((await list()).data as { id: string }[]).map(({ id }) => id)).not.toContain('smart')
  })

  it('stops asking when the client leaves', async () => {
    house.one.script(says(503, {}, { 'retry-after': '0.15' }))
    const controller = new AbortController()
    const asked = house.one.next()
    const answer = fetch(`${house.gateway.baseUrl}/chat/completions`, {
      method: 'POST',
      signal: controller.signal,
      headers: { authorization: `Bearer ${house.secret}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'smart', messages: MESSAGES }),
    })
    await asked
    controller.abort()
    await expect(answer).rejects.toThrow()
    const gone = async () => (await house.gateway.rows()).at(-1)
    while (!(await gone())) await new Promise((resolve) => setImmediate(resolve))
    expect(await gone()).toMatchObject({ status: 499, error: 'client_closed' })
    expect(house.two.seen).toHaveLength(0)
  })

  it('keeps its own time limits, and those of a target', async () => {
    await house.close()
    const slow = { headersMs: 60_000, firstTokenMs: 60_000, idleMs: 60_000, connectMs: 5_000, totalMs: 60_000 }
    house = await openHouse({
      config: { timeouts: slow },
      routes: [
        route('smart', [target('one', 'a', { timeouts: { headersMs: 50, firstTokenMs: 50 } }), target('two', 'b')]),
      ],
    })
    house.one.script(never)
    house.two.script(GOOD)
    expect((await post('smart')).headers.get('x-llm-proxy-provider')).toBe('two')
    expect((await house.gateway.rows()).at(-1)!.attempts[0]).toMatchObject({ provider: 'one', error: 'timeout' })
  })
})
