import Anthropic from '@anthropic-ai/sdk'
import { GoogleGenAI } from '@google/genai'
import { afterEach, describe, expect, it } from '@jest/globals'
import OpenAI from 'openai'
import type { Recovery } from '../../../src/routing/types.ts'
import type { Token } from '../../../src/store/store.ts'
import { ask, eventually } from '../../helpers/http.ts'
import { chatEvents, type Script, sseHead } from '../../helpers/upstream.ts'
import { frame, messageEvents } from '../../translate/upstreams.ts'
import { type House, openHouse, route, target } from '../house.ts'

/* A provider's stream breaks off after its first words; what the client, the other provider and the ledger see of it. */

let house: House
afterEach(() => house.close())

const WORDS = ['Once ', 'upon ', 'a time.']
const BUDGET = { period: 'total', limitNanoUsd: 5_000_000_000, limitTokens: null, resetAt: null } as const
const MESSAGES = [{ role: 'user' as const, content: 'Tell me.' }]

/** So many events, and then `ends`. */
const begins =
  (events: string[], ends: 'reset' | 'closed' | 'stalls' | 'error' = 'reset'): Script =>
  async (_req, res, { aborted }) => {
    res.writeHead(200, sseHead)
    for (const event of events) res.write(event)
    if (ends === 'stalls') return void (await aborted)
    if (ends === 'error') return void res.end('data: {"error":{"message":"boom","type":"server_error","code":500}}\n\n')
    if (ends === 'closed') return void res.end()
    // Behind what has been written.
    res.write('', () => res.socket?.destroySoon())
  }
const says =
  (words: string[]): Script =>
  (_req, res) => {
    res.writeHead(200, sseHead)
    res.end(chatEvents(words, { prompt_tokens: 10, completion_tokens: 20, total_tokens: 30 }).join(''))
  }
const cutChat = chatEvents(WORDS).slice(0, 3)

type Setup = {
  first?: Script
  second?: Script
  recovery?: Recovery
  targets?: [string, string][]
  token?: Partial<Token>
}
async function open({
  first = begins(cutChat),
  second = says(WORDS),
  recovery = 'restart',
  targets = [
    ['one', 'gpt-4o-mini'],
    ['two', 'gpt-4o'],
  ],
  token = {},
}: Setup = {}) {
  const to = targets.map(([provider, model]) => target(provider, model))
  const models = [
    { provider: 'one', model: '*', input: 0.15, output: 0.6 },
    { provider: 'two', model: '*', input: 2.5, output: 10 },
  ]
  const config = { prices: { discounts: {}, models } }
  house = await openHouse({ scripts: [first, second], routes: [route('smart', to, { recovery })], config })
  return house.gateway.token(token)
}

const rowOf = async () => eventually(async () => (await house.gateway.rows())[0], 'the row')

const CLIENTS = {
  'chat completions': async () => {
    const client = new OpenAI({ baseURL: house.gateway.baseUrl, apiKey: house.secret, maxRetries: 0 })
    const stream = client.chat.completions.stream({
      model: 'smart',
      messages: MESSAGES,
      stream_options: { include_usage: true },
    })
    const ids = new Set<string>()
    stream.on('chunk', ({ id }) => void ids.add(id))
    const { choices, usage } = await stream.finalChatCompletion()
    return {
      text: choices[0]!.message.content,
      ends: choices[0]!.finish_reason,
      ids: ids.size,
      out: usage!.completion_tokens,
    }
  },
  responses: async () => {
    const client = new OpenAI({ baseURL: house.gateway.baseUrl, apiKey: house.secret, maxRetries: 0 })
    const stream = client.responses.stream({ model: 'smart', input: 'Tell me.' })
    let next = 0
    const ids = new Set<string>()
    stream.on('event', (event) => {
      if (event.sequence_number !== next++) throw new Error(`Out of order: ${event.type}`)
      if ('response' in event) ids.add(event.response.id)
    })
    const { output_text, status, usage } = await stream.finalResponse()
    return {
      text: output_text,
      ends: status === 'completed' ? 'stop' : status,
      ids: ids.size,
      out: usage!.output_tokens,
    }
  },
  'Anthropic’s': async () => {
    const client = new Anthropic({ baseURL: house.gateway.url, apiKey: house.secret, maxRetries: 0 })
    const stream = client.messages.stream({ model: 'smart', max_tokens: 100, messages: MESSAGES })
    let starts = 0
    stream.on('streamEvent', ({ type }) => {
      if (type === 'message_start') starts++
    })
    const { content, stop_reason, usage } = await stream.finalMessage()
    const [block, ...others] = content
    return {
      text: others.length === 0 && block?.type === 'text' ? block.text : content,
      ends: stop_reason === 'end_turn' ? 'stop' : stop_reason,
      ids: starts,
      out: usage.output_tokens,
    }
  },
  'Google’s': async () => {
    const client = new GoogleGenAI({ apiKey: house.secret, httpOptions: { baseUrl: house.gateway.url } })
    const [ids, ends] = [new Set<string>(), [] as string[]]
    let [text, out] = ['', 0]
    for await (const chunk of await client.models.generateContentStream({ model: 'smart', contents: 'Tell me.' })) {
      text += chunk.text ?? ''
      ids.add(chunk.responseId!)
      const reason = chunk.candidates?.[0]?.finishReason
      if (reason) ends.push(reason)
      out = chunk.usageMetadata?.candidatesTokenCount ?? out
    }
    return { text, ends: ends.join() === 'STOP' ? 'stop' : ends.join(), ids: ids.size, out }
  },
}

describe.each(Object.entries(CLIENTS))('a stream of a client of %s', (_name, read) => {
  it.each(['reset', 'closed', 'stalls', 'error'] as const)(
    'whose provider breaks it off (%s) is whole when the next one says the same: one id, one end, all usage',
    async (ends) => {
      await open({ first: begins(cutChat, ends) })
      const { out, ...answer } = await read()
      expect(answer).toEqual({ text: WORDS.join(''), ends: 'stop', ids: 1 })
      const row = await rowOf()
      expect(row).toMatchObject({
        status: 200,
        error: null,
        provider: 'two',
        attempts: [
          { provider: 'one', outcome: 'failed' },
          { provider: 'two', outcome: 'answered' },
        ],
        changes: expect.arrayContaining(['recovered:restart']),
        estimateReason: 'upstream_cut',
        usage: { source: 'estimated' },
      })
      // What the second one reported, and what the first one had written.
      expect(row.usage.outputTokens).toBeGreaterThan(20)
      expect(out).toBe(row.usage.outputTokens)
    },
  )
})

/** A request as its client writes it, and all that comes. */
const send = (secret: string, path: string, body: object, headers: Record<string, string> = {}) =>
  ask(`${house.gateway.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
const chat = (secret: string, more: object = {}) =>
  send(secret, '/v1/chat/completions', { model: 'smart', messages: MESSAGES, stream: true, ...more })
const dataIn = (body: Buffer) =>
  String(body)
    .split('\n')
    .flatMap((line) => (line.startsWith('data: {') ? [JSON.parse(line.slice(6))] : []))
const textOf = (body: Buffer) =>
  dataIn(body)
    .map(({ choices, delta }) => choices?.[0]?.delta.content ?? delta?.text ?? '')
    .join('')

/** With all of the words. */
const claudeAnswers = () =>
  house.anthropic.script((_req, res) => {
    res.writeHead(200, sseHead)
    for (const event of messageEvents(WORDS)) res.write(frame(event))
    res.end()
  })

describe('the rest of a stream', () => {
  it('is not told when the next answer is another one: the client gets an error event, and both are paid', async () => {
    const { secret } = await open({ second: says(['Once ', 'more.']), token: { budgets: [BUDGET] } })
    const { body, ended } = await chat(secret)
    expect([ended, textOf(body)]).toEqual(['broken', 'Once upon '])
    expect(dataIn(body).at(-1)).toMatchObject({ error: { code: 'upstream_cut' } })
    const row = await rowOf()
    expect(row).toMatchObject({ error: 'upstream_cut', attempts: [{ provider: 'one' }, { provider: 'two' }] })
    expect(row.usage.outputTokens).toBeGreaterThanOrEqual(4)
    expect(row.costNanoUsd! > 0n).toBe(true)
  })

  it('costs what each of the two costs at its own price, and nothing stays held back', async () => {
    const { secret, token } = await open({ token: { budgets: [BUDGET] } })
    expect((await chat(secret)).ended).toBe('clean')
    const row = await rowOf()
    const { inputTokens, outputTokens } = row.usage
    const [first, second] = [
      { input: inputTokens - 10, output: outputTokens - 20 },
      { input: 10, output: 20 },
    ]
    const expected = first.input * 150 + first.output * 600 + second.input * 2_500 + second.output * 10_000
    expect(Number(row.costNanoUsd)).toBe(expected)
    const [state] = await house.gateway.ctx.budgets.states({ kind: 'token', id: token.id }, [BUDGET], Date.now())
    expect([state!.used.nanoUsd, state!.reserved.nanoUsd]).toEqual([row.costNanoUsd, 0n])
  })

  it('is not asked for where the budget has no room for a second answer', async () => {
    const budgets = [{ ...BUDGET, limitNanoUsd: 60_000_000 }]
    const { secret } = await open({ token: { budgets } })
    const { body, ended } = await chat(secret)
    expect([ended, textOf(body), house.two.seen.length]).toEqual(['broken', 'Once upon ', 0])
    expect(await rowOf()).toMatchObject({ error: 'upstream_cut', attempts: [{ provider: 'one' }] })
  })

  it('is not asked for where recovery is off', async () => {
    const { secret } = await open({ recovery: 'off' })
    const { body, ended } = await chat(secret)
    expect([ended, textOf(body), house.two.seen.length]).toEqual(['broken', 'Once upon ', 0])
  })

  it.each([
    ['a call has begun', { tool_calls: [{ index: 0, id: 'call_1', function: { name: 'f', arguments: '{"a' } }] }],
    ['a refusal has begun', { refusal: 'I cannot' }],
    ['something nobody knows has begun', { hologram: 'xyz' }],
  ])('is not asked for where %s', async (_what, delta) => {
    const chunk = {
      id: 'c',
      object: 'chat.completion.chunk',
      model: 'm',
      choices: [{ index: 0, delta, finish_reason: null }],
    }
    const { secret } = await open({ first: begins([...cutChat, `data: ${JSON.stringify(chunk)}\n\n`]) })
    const { body, ended } = await chat(secret)
    expect([ended, house.two.seen.length]).toEqual(['broken', 0])
    expect(dataIn(body).at(-1)).toMatchObject({ error: { code: 'upstream_cut' } })
  })

  it('is found at a third provider when the second one does not answer either', async () => {
    const { secret } = await open({
      second: (_req, res) => void res.writeHead(503).end(),
      targets: [
        ['one', 'gpt-4o-mini'],
        ['two', 'gpt-4o'],
        ['claude', 'claude-sonnet-4-6'],
      ],
    })
    claudeAnswers()
    const { body, ended } = await chat(secret)
    expect([ended, textOf(body)]).toEqual(['clean', WORDS.join('')])
    expect(await rowOf()).toMatchObject({
      attempts: [{ provider: 'one' }, { provider: 'two', outcome: 'failed' }, { provider: 'claude' }],
      servedModel: 'claude-sonnet-4-6',
    })
  })

  it('may break off as well, and be gone on with once more', async () => {
    const { secret } = await open({
      second: begins(
        chatEvents(WORDS)
          .slice(0, 3)
          .concat(chatEvents(['a ']).slice(1, 2)),
      ),
      targets: [
        ['one', 'gpt-4o-mini'],
        ['two', 'gpt-4o'],
        ['claude', 'claude-sonnet-4-6'],
      ],
    })
    claudeAnswers()
    const { body, ended } = await chat(secret)
    expect([ended, textOf(body), String(body).split('[DONE]').length]).toEqual(['clean', WORDS.join(''), 2])
    const { attempts, changes } = await rowOf()
    expect([attempts.length, changes.filter((change) => change === 'recovered:restart').length]).toEqual([3, 2])
  })

  it('comes in a stream that passes byte for byte up to where it broke, also in the middle of an event', async () => {
    const half = chatEvents(WORDS)[3]!
    const { secret } = await open({ first: begins([...cutChat, half.slice(0, half.length - 30)]) })
    const { body, ended } = await chat(secret, { stream_options: { include_usage: true } })
    expect([ended, textOf(body)]).toEqual(['clean', WORDS.join('')])
    expect(String(body).startsWith(cutChat.join(''))).toBe(true)
  })
})

describe('a model that goes on with the beginning of an answer', () => {
  const claude =
    (words: string[]): Script =>
    (_req, res) => {
      res.writeHead(200, sseHead)
      for (const event of messageEvents(words)) res.write(frame(event))
      res.end()
    }
  const openWith = async (model: string, words: string[]) => {
    const opened = await open({
      recovery: 'continue',
      targets: [
        ['one', 'gpt-4o-mini'],
        ['claude', model],
      ],
    })
    house.anthropic.script(claude(words))
    return opened
  }
  const asked = () => JSON.parse(String(house.anthropic.seen[0]!.body)).messages.at(-1)

  it('is given it, and its answer is the rest', async () => {
    const { secret } = await openWith('claude-sonnet-4-5', [' a', ' time.'])
    const { body } = await chat(secret)
    expect([textOf(body), asked()]).toEqual(['Once upon a time.', { role: 'assistant', content: 'Once upon' }])
    expect((await rowOf()).changes).toContain('recovered:continue')
  })

  it('is asked anew where it takes none (Claude from 4.6)', async () => {
    const { secret } = await openWith('claude-sonnet-4-6', WORDS)
    const { body } = await chat(secret)
    expect([textOf(body), asked().role]).toEqual([WORDS.join(''), 'user'])
    expect((await rowOf()).changes).toContain('recovered:restart')
  })

  it('in the client’s own dialect is sent the client’s own bytes, with that message behind them', async () => {
    const { secret } = await open({
      recovery: 'continue',
      targets: [
        ['one', 'gpt-4o-mini'],
        ['claude', 'claude-sonnet-4-5'],
      ],
    })
    house.anthropic.script(claude(['a time.']))
    const request = { max_tokens: 50, messages: MESSAGES, model: 'smart', stream: true }
    const { body, ended } = await send(secret, '/v1/messages', request)
    expect([ended, textOf(body)]).toEqual(['clean', WORDS.join('')])
    const { model: _, ...rest } = JSON.parse(String(house.anthropic.seen[0]!.body))
    const messages = [...MESSAGES, { role: 'assistant', content: 'Once upon' }]
    expect(rest).toEqual({ max_tokens: 50, messages, stream: true })
  })
})

describe('a stream that a provider tells in the client’s own dialect', () => {
  it('of Anthropic’s goes on in the same block', async () => {
    const { secret } = await open({
      targets: [
        ['claude', 'claude-sonnet-4-6'],
        ['two', 'gpt-4o'],
      ],
    })
    house.anthropic.script(begins(messageEvents(WORDS).slice(0, 5).map(frame)))
    const { body, ended } = await send(secret, '/v1/messages', {
      model: 'smart',
      max_tokens: 50,
      messages: MESSAGES,
      stream: true,
    })
    expect([ended, textOf(body)]).toEqual(['clean', WORDS.join('')])
    const events = dataIn(body)
    expect(events.filter(({ type }) => type === 'content_block_start')).toHaveLength(1)
    expect(new Set(events.flatMap(({ index }) => (index === undefined ? [] : [index])))).toEqual(new Set([0]))
    expect(events.map(({ type }) => type).slice(-3)).toEqual(['content_block_stop', 'message_delta', 'message_stop'])
  })

  it('of the Responses API ends in an error: its numbers and ids are its own', async () => {
    const response = { id: 'resp_1', object: 'response', model: 'gpt-4o', created_at: 1, output: [], usage: null }
    const events = [
      { type: 'response.created', response, sequence_number: 0 },
      {
        type: 'response.output_text.delta',
        item_id: 'msg_1',
        output_index: 0,
        content_index: 0,
        delta: 'Once ',
        sequence_number: 1,
      },
    ]
    house = await openHouse({
      scripts: [begins(events.map(frame)), says(WORDS)],
      routes: [route('smart', [target('openai', 'gpt-4o'), target('two', 'gpt-4o')], { recovery: 'restart' })],
      openai: true,
    })
    const { body, ended } = await send(house.secret, '/v1/responses', { model: 'smart', input: 'Hi', stream: true })
    expect([ended, house.two.seen.length]).toEqual(['broken', 0])
    expect(dataIn(body).at(-1)).toMatchObject({ error: { code: 'upstream_cut' } })
  })
})

it('a client that leaves while the rest is looked for stops the search, and is booked once', async () => {
  const { secret } = await open({ second: async (_req, _res, { aborted }) => void (await aborted) })
  const leaving = new AbortController()
  const answer = await fetch(`${house.gateway.baseUrl}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'smart', messages: MESSAGES, stream: true }),
    signal: leaving.signal,
  })
  await answer.body!.getReader().read()
  const { aborted } = await house.two.next()
  leaving.abort()
  await aborted
  expect(await rowOf()).toMatchObject({ status: 499, error: 'client_closed', usage: { source: 'estimated' } })
  await eventually(() => house.gateway.ctx.life.unsettled === 0)
  expect(await house.gateway.rows()).toHaveLength(1)
})
