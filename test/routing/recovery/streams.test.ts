import Anthropic from '@anthropic-ai/sdk'
import { GoogleGenAI } from '@google/genai'
import { afterEach, describe, expect, it } from '@jest/globals'
import OpenAI from 'openai'
import type { Recovery } from '../../../src/routing/types.ts'
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

type Setup = { first?: Script; second?: Script; recovery?: Recovery; second_?: [string, string] }
async function open({
  first = begins(cutChat),
  second = says(WORDS),
  recovery = 'restart',
  second_ = ['two', 'gpt-4o'],
}: Setup = {}) {
  const targets = [target('one', 'gpt-4o-mini'), target(...second_)]
  house = await openHouse({ scripts: [first, second], routes: [route('smart', targets, { recovery })] })
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
