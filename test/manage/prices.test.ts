import { describe, expect, it } from '@jest/globals'
import { NOON } from '../store/samples.ts'
import { anError, given } from './given.ts'

const config = {
  prices: {
    discounts: { openai: 10 },
    models: [{ provider: 'vllm', model: 'llama-*', input: 0.5, output: 1, request: 0.001 }],
  },
}

describe('/manage/prices', () => {
  it('shows what requests for a model are charged by, tiers and all', async () => {
    const { get } = await given({ now: () => NOON })
    const { status, body } = await get('/manage/prices?provider=anthropic&model=claude-sonnet-4-5-20250929')
    expect(status).toBe(200)
    const none = {
      input_audio: null,
      cached_audio: null,
      output_audio: null,
      input_image: null,
      cached_image: null,
      output_image: null,
      reasoning: null,
    }
    expect(body).toEqual({
      data: [
        {
          provider: 'anthropic',
          model: 'claude-sonnet-4-5-20250929',
          source: 'genai-prices 0.1.8',
          input: '3',
          output: '15',
          cached_input: '0.3',
          cache_write: '3.75',
          cache_write_1h: '6',
          ...none,
          audio_hour: null,
          web_searches: '10',
          storage_searches: null,
          request: null,
          tiers: [
            {
              above_input_tokens: 200_000,
              input: '6',
              output: '22.5',
              cached_input: '0.6',
              cache_write: '7.5',
              cache_write_1h: '12',
              ...none,
            },
          ],
        },
      ],
    })
  })

  it('lists configured prices first, then the list with its discount', async () => {
    const { get } = await given({ config })
    const all = (await get('/manage/prices')).body.data
    expect(all.length).toBeGreaterThan(500)
    expect(all[0]).toMatchObject({
      provider: 'vllm',
      model: 'llama-*',
      source: 'config',
      input: '0.5',
      output: '1',
      request: '0.001',
    })
    expect(all.filter(({ provider }) => provider === 'openai')).toContainEqual(
      expect.objectContaining({ model: 'gpt-4o', source: 'genai-prices 0.1.8, 10 % off', input: '2.25', output: '9' }),
    )
    expect(
      (await get('/manage/prices?model=whisper-*')).body.data.map(({ model, audio_hour }) => [model, audio_hour]),
    ).toEqual(
      expect.arrayContaining([
        ['whisper-1', '0.324'],
        ['whisper-large-v3', '0.111'],
      ]),
    )
  })

  it('finds a model at every provider that has it, by name or by glob', async () => {
    const { get } = await given({ config })
    const found = async (query: string) =>
      (await get(`/manage/prices?${query}`)).body.data.map(({ provider, model }) => `${provider} ${model}`)
    expect(await found('model=llama-4')).toEqual(['vllm llama-4', 'demo llama-4'])
    expect(await found('provider=openai&model=gpt-4o-mini*')).toEqual(
      expect.arrayContaining(['openai gpt-4o-mini', 'openai gpt-4o-mini-transcribe']),
    )
    expect(await found('provider=openai&model=no-such-model')).toEqual([])
    expect(await found('provider=demo&model=demo')).toEqual(['demo demo'])
  })

  it('refuses to guess, and strangers', async () => {
    const { get, call } = await given()
    expect((await get('/manage/prices?name=gpt-4o')).body).toEqual(
      anError('validation_failed', { name: 'is not a known field' }),
    )
    expect((await call('GET', '/manage/prices', { token: null })).status).toBe(401)
  })
})
