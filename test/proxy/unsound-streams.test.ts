import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { startTestGateway, type TestGateway } from '../helpers/gateway.ts'
import { chat } from '../helpers/http.ts'
import { chatEvents, sseHead, startUpstream, type Upstream } from '../helpers/upstream.ts'
import { frame, messageEvents } from '../translate/upstreams.ts'

/* Streams with an event that cannot be read, or without their last word. */

let upstream: Upstream
let gateway: TestGateway
let secret: string
beforeAll(async () => {
  upstream = await startUpstream()
  gateway = await startTestGateway({
    upstream: upstream.url,
    config: {
      providers: {
        openai: { apiKey: 'sk-of-openai-0123456789', baseUrl: upstream.url },
        anthropic: { apiKey: 'sk-of-anthropic-0123456789', baseUrl: upstream.url },
      },
    },
  })
  secret = (await gateway.token()).secret
})
afterAll(async () => {
  await gateway.stop()
  await upstream.close()
})

const GARBAGE = 'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"del\n\n'
const CLAUDE = 'anthropic:claude-sonnet-4-6'

async function stream(pieces: string[], model: string) {
  upstream.script((_req, res) => void res.writeHead(200, sseHead).end(pieces.join('')))
  const answer = await chat(gateway.baseUrl, secret, { model, stream: true, stream_options: { include_usage: true } })
  const [row] = (await gateway.rows()).slice(-1)
  const text = String(answer.body).matchAll(/"content":"([^"]*)"/g)
  return {
    body: String(answer.body),
    ended: answer.ended,
    text: Array.from(text, ([, said]) => said).join(''),
    row: row!,
  }
}

describe('an event that cannot be read', () => {
  const events = messageEvents(['Hello ', 'from ', 'Claude']).map(frame)
  const call = [
    { type: 'content_block_stop', index: 0 },
    { type: 'content_block_start', index: 1, content_block: { type: 'tool_use', id: 'toolu_1', name: 'f', input: {} } },
    { type: 'content_block_delta', index: 1, delta: { type: 'input_json_delta', partial_json: '{"a":' } },
  ].map(frame)
  const spoiled = (at: number, times = 1, all = events) => [
    ...all.slice(0, at),
    ...Array.from({ length: times }, () => GARBAGE),
    ...all.slice(at),
  ]

  it.each([1, 3])(
    'is passed over where the rest of a translated stream is sound, and named in the row (%d)',
    async (times) => {
      const { text, ended, row, body } = await stream(spoiled(4, times), CLAUDE)
      expect([ended, text]).toEqual(['clean', 'Hello from Claude'])
      expect(body).toMatch(/"finish_reason":"stop".*\[DONE\]\n\n$/s)
      expect(row).toMatchObject({ status: 200, error: null, usage: { source: 'reported' } })
      expect(row.changes).toContain(`skipped:${times}`)
    },
  )

  it.each([
    ['when there are many of them', spoiled(4, 4)],
    [
      'inside a call, whose arguments would lack a piece',
      spoiled(8, 1, [...events.slice(0, 6), ...call, ...events.slice(7)]),
    ],
    ['in place of why the answer ended', [...events.slice(0, 7), GARBAGE, events.at(-1)!]],
    [
      'in place of the call that the answer ended with',
      [...events.slice(0, 6), GARBAGE, ...events.slice(7)].map((event) => event.replace('end_turn', 'tool_use')),
    ],
  ])('is an error %s', async (_when, pieces) => {
    const { body, row } = await stream(pieces, CLAUDE)
    expect(body).toContain('could not be read')
    expect(body).not.toContain('[DONE]')
    expect(row.error).toBe('upstream_error')
  })

  it('passes as it is where the client speaks the provider’s dialect', async () => {
    const pieces = chatEvents(['Hello ', 'you'], { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 })
    const all = [...pieces.slice(0, 2), 'data: {"choices":[{"de\n\n', ...pieces.slice(2)]
    const { body, row } = await stream(all, 'gpt-4o')
    expect(body).toBe(all.join(''))
    expect(row).toMatchObject({ status: 200, error: null, changes: [] })
  })
})

describe('a stream without [DONE]', () => {
  const events = chatEvents(['Hello ', 'you'])
  it.each([
    ['has it supplied when it had come to its end', events.slice(0, -1).join('')],
    ['has it supplied behind a last event without its blank line', events.slice(0, -1).join('').trimEnd()],
  ])('%s', async (_what, sent) => {
    const { body, ended, row } = await stream([sent], 'gpt-4o')
    expect([ended, body]).toEqual(['clean', events.join('')])
    expect(row).toMatchObject({ status: 200, error: null, changes: ['done'] })
  })

  it('is a cut one when its end was not told', async () => {
    const { body, ended, row } = await stream(events.slice(0, -2), 'gpt-4o')
    expect([ended, body.includes('[DONE]'), row.error]).toEqual(['broken', false, 'upstream_cut'])
  })
})
