import Anthropic from '@anthropic-ai/sdk'
import { GoogleGenAI } from '@google/genai'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import OpenAI from 'openai'
import { type House, openHouse } from './bench.ts'
import { ownFetch } from './client.ts'
import { KINDS, type Kind } from './providers/kinds.ts'

let house: House
beforeAll(async () => {
  house = await openHouse()
})
afterAll(() => house.close())

type Asks = (model: string, headers: Record<string, string>) => PromiseLike<unknown>

/** Requests with all kinds of wishes, by SDK: each sends `headers` along. */
const ASKS: Record<string, Asks> = {
  'the OpenAI SDK': (model, headers) =>
    new OpenAI({
      baseURL: `${house.url}/v1`,
      apiKey: house.token,
      maxRetries: 0,
      fetch: ownFetch,
    }).chat.completions.create(
      {
        model,
        messages: [
          { role: 'developer', content: 'Be kind.' },
          { role: 'user', content: 'Hi', name: 'Ada' },
        ],
        n: 1,
        seed: 7,
        frequency_penalty: 0.5,
        presence_penalty: 0.5,
        logit_bias: { '50256': -100 },
        user: 'ada',
        metadata: { team: 'blue' },
        service_tier: 'auto',
        store: false,
        prompt_cache_key: 'k',
        verbosity: 'low',
        stop: ['END', ' '],
      },
      { headers },
    ),
  "the OpenAI SDK's Responses API": (model, headers) =>
    new OpenAI({ baseURL: `${house.url}/v1`, apiKey: house.token, maxRetries: 0, fetch: ownFetch }).responses.create(
      {
        model,
        instructions: 'Be kind.',
        input: [
          { role: 'developer', content: 'Be brief.' },
          { role: 'user', content: 'Hi' },
        ],
        safety_identifier: 'ada',
        metadata: { team: 'blue' },
        service_tier: 'auto',
        store: false,
        prompt_cache_key: 'k',
        truncation: 'auto',
        text: { verbosity: 'low' },
        include: ['message.output_text.logprobs'],
        top_logprobs: 2,
      },
      { headers },
    ),
  'the Anthropic SDK': (model, headers) =>
    new Anthropic({ baseURL: house.url, apiKey: house.token, maxRetries: 0, fetch: ownFetch }).beta.messages.create(
      {
        model,
        max_tokens: 100,
        system: [{ type: 'text', text: 'Be kind.', cache_control: { type: 'ephemeral' } }],
        messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi', cache_control: { type: 'ephemeral' } }] }],
        metadata: { user_id: 'ada' },
        service_tier: 'standard_only',
        context_management: { edits: [{ type: 'clear_thinking_20251015', keep: 'all' }] },
        tools: [
          { name: 'f', input_schema: { type: 'object' }, cache_control: { type: 'ephemeral', ttl: '1h' } },
          { type: 'web_search_20250305', name: 'web_search' },
        ],
        betas: ['context-management-2025-06-27'],
        ...{ top_k: 5 },
      },
      { headers },
    ),
  "Google's SDK": (model, headers) =>
    new GoogleGenAI({ apiKey: house.token, httpOptions: { baseUrl: house.url, headers } }).models.generateContent({
      model,
      contents: 'Hi',
      config: {
        systemInstruction: 'Be kind.',
        seed: 7,
        topK: 5,
        presencePenalty: 0.5,
        frequencyPenalty: 0.5,
        candidateCount: 1,
        responseLogprobs: true,
        safetySettings: [],
      },
    }),
}

/** What each provider has no place for, in the words of the one who asked. */
const DROPPED: Record<string, Partial<Record<Kind['name'], string>>> = {
  'the OpenAI SDK': {
    anthropic: 'frequency_penalty logit_bias messages.name metadata presence_penalty seed stop verbosity',
    gemini: 'logit_bias messages.name metadata user verbosity',
  },
  "the OpenAI SDK's Responses API": {
    anthropic: 'metadata text.verbosity top_logprobs truncation',
    gemini: 'metadata safety_identifier text.verbosity truncation',
    mistral: 'metadata safety_identifier service_tier text.verbosity top_logprobs truncation',
    zai: 'text.verbosity truncation',
  },
  'the Anthropic SDK': {
    openai: 'context_management tools.web_search_20250305 top_k',
    gemini: 'context_management metadata.user_id tools.web_search_20250305',
    mistral: 'context_management metadata.user_id service_tier tools.web_search_20250305 top_k',
    zai: 'context_management tools.web_search_20250305 top_k',
  },
  "Google's SDK": {
    openai: 'generationConfig.topK',
    anthropic:
      'generationConfig.frequencyPenalty generationConfig.presencePenalty generationConfig.responseLogprobs generationConfig.seed',
    mistral: 'generationConfig.responseLogprobs generationConfig.topK',
    zai: 'generationConfig.topK',
  },
}

const rows = Object.entries(DROPPED).flatMap(([client, byProvider]) =>
  KINDS.flatMap((kind) => {
    const dropped = byProvider[kind.name]
    return dropped === undefined ? [] : [{ client, kind, title: kind.title, dropped }]
  }),
)

describe.each(rows)('$client with a model of $title', ({ client, kind, dropped }) => {
  const nameOf = ({ name, model }: Kind) => (name === 'openai' ? model : `${name}:${model}`)

  it('is answered, and the books say what could not be carried', async () => {
    house.provider(kind).play([{ text: 'Hi.' }])
    await ASKS[client]!(nameOf(kind), {})
    expect(house.provider(kind).refused()).toEqual([])
    const [row] = await house.newest()
    expect(
      row!.changes
        .filter((one) => one.startsWith('dropped:'))
        .map((one) => one.slice(8))
        .sort()
        .join(' '),
    ).toBe(dropped)
  })

  it('is refused when nothing may be dropped', async () => {
    house.provider(kind).play([{ text: 'Hi.' }])
    const asked = Promise.resolve(ASKS[client]!(nameOf(kind), { 'x-llm-proxy-strict': 'true' }))
    await expect(asked).rejects.toMatchObject({ status: 400, message: expect.stringContaining(dropped.split(' ')[0]!) })
    expect(house.provider(kind).heard()).toEqual([])
  })
})
