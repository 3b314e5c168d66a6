import { describe, expect, it } from '@jest/globals'
import { PROVIDER_KEY } from '../helpers/gateway.ts'
import { given } from './given.ts'

const lane = { provider: 'openai', keyId: 'shared', model: 'gpt-4o' }
const T0 = Date.UTC(2026, 10, 21)

describe('the status of routing', () => {
  it('tells of each key with each model: breaker, averages, limits, and until when a key rests', async () => {
    let now = T0
    const { get, gateway } = await given({ upstream: 'http://127.0.0.1:9/v1', now: () => now })
    const { live } = gateway.ctx
    const first = live.begin(lane)
    now += 250
    first.firstEvent()
    live.noteHeaders(lane, ['x-ratelimit-remaining-requests', '7', 'x-ratelimit-reset-requests', '1m0s'])
    first.end('answered')
    live.begin({ ...lane, model: 'gpt-4o-mini' })
    live.benchKey('openai', 'key_b', now + 60_000, 'refused')
    const { body, text } = await get('/manage/status')
    expect(body.routing).toEqual({
      lanes: [
        {
          provider: 'openai',
          key_id: 'shared',
          model: 'gpt-4o',
          breaker: 'closed',
          retry_at: null,
          in_flight: 0,
          first_event_ms: 250,
          error_rate: 0,
          remaining_requests: 7,
          remaining_tokens: null,
          benched_until: null,
        },
        expect.objectContaining({ model: 'gpt-4o-mini', in_flight: 1, first_event_ms: null, error_rate: null }),
      ],
      resting_keys: [{ provider: 'openai', key_id: 'key_b', until: '2026-11-21T00:01:00.250Z', reason: 'refused' }],
    })
    expect(text).not.toContain(PROVIDER_KEY)
  })

  it('tells that a breaker is open, and from when on requests pass again; the log tells it too', async () => {
    let now = T0
    const { get, gateway } = await given({ upstream: 'http://127.0.0.1:9/v1', now: () => now })
    const { live } = gateway.ctx
    for (let i = 0; i < 5; i++) live.begin(lane).end('failed')
    const state = async () => {
      const { routing } = (await get('/manage/status')).body as unknown as {
        routing: { lanes: Record<string, unknown>[] }
      }
      const { breaker, retry_at, error_rate } = routing.lanes[0]!
      return { breaker, retry_at, error_rate }
    }
    expect(await state()).toEqual({ breaker: 'open', retry_at: '2026-11-21T00:00:15.000Z', error_rate: 1 })
    expect(gateway.logs()).toContain('a provider fails: requests pass it by for a while')
    now += 15_000
    expect(await state()).toMatchObject({ breaker: 'half_open' })
    live.begin(lane).end('answered')
    expect(await state()).toMatchObject({ breaker: 'closed', retry_at: null })
    expect(gateway.logs()).toContain('a provider that failed serves again')
  })
})
