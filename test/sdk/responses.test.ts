import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { APIError } from 'openai'
import { all, failureOf, freeRow, goodRow, type SdkBench, startSdk } from './sdk.ts'

let bench: SdkBench
beforeAll(async () => {
  bench = await startSdk()
})
afterAll(() => bench.close())

const ask = { model: 'gpt-5-nano', input: 'Count to 2' }
const row = goodRow('/v1/responses', 'gpt-5-nano-2025-08-07', [30, 24, 16, 12])

describe('the Responses API', () => {
  it('gives a whole response', async () => {
    bench.answer('responses: JSON')
    const response = await bench.openai.responses.create(ask)
    expect(response.output_text).toBe('1 2')
    expect(response.usage).toMatchObject({ input_tokens: 30, output_tokens: 24 })
    expect(response._request_id).toBe('req_upstream_1')
    expect(await bench.lastRow()).toMatchObject({ ...row, model: 'gpt-5-nano', stream: false })
  })

  it('streams its events in their order, and the request is not changed', async () => {
    bench.answer('responses: a stream')
    const events = await all(await bench.openai.responses.create({ ...ask, stream: true }))
    expect(events.map(({ type }) => type)).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.output_text.delta',
      'response.completed',
    ])
    expect(JSON.parse(bench.lastSeen().body.toString())).toEqual({ ...ask, stream: true })
    expect(await bench.lastRow()).toMatchObject({ ...row, stream: true, changes: [] })
  })

  it('ends a stream that reached its token limit as what it is', async () => {
    bench.answer('responses: a stream that reached its token limit')
    const events = await all(await bench.openai.responses.create({ ...ask, stream: true }))
    expect(events.at(-1)).toMatchObject({
      type: 'response.incomplete',
      response: { incomplete_details: { reason: 'max_output_tokens' } },
    })
    expect(await bench.lastRow()).toMatchObject({ ...row, stream: true })
  })

  it('raises the provider’s error out of a stream', async () => {
    bench.answer('responses: a stream that failed')
    const stream = await bench.openai.responses.create({ ...ask, stream: true })
    const error = await failureOf(all(stream))
    expect(error).toBeInstanceOf(APIError)
    expect(error).toMatchObject({ code: 'insufficient_quota' })
    expect(await bench.lastRow()).toMatchObject({ status: 200, error: 'upstream_error', usage: { source: 'none' } })
  })

  it('reads a response again without booking it again', async () => {
    bench.answer('responses: one that is read again is not booked again')
    const response = await bench.openai.responses.retrieve('resp_own')
    expect(response.usage!.input_tokens).toBe(30)
    expect(await bench.lastRow()).toMatchObject(freeRow('/v1/responses/resp_own', 'GET'))
  })
})
