import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { createLogger, describeError, type Logger } from '../../src/logger.ts'
import type { LedgerRow } from '../../src/store/store.ts'
import { NO_USAGE } from '../../src/usage/read-usage.ts'

const AT = Date.UTC(2026, 10, 21, 12, 0, 0, 5)
const SECRET = 'sk-Ab3dEf6hIj9kLm2nOp5qRs8t'
let writes: string[]
function open(level: 'error' | 'warn' | 'info' | 'debug' = 'info', format: 'json' | 'pretty' = 'json'): Logger {
  // Of this logger alone: another one may still have something to say.
  const mine: string[] = []
  writes = mine
  return createLogger({ level, format, write: (text) => void mine.push(text), now: () => AT })
}
const said = (log: Logger) => {
  log.flush()
  return writes.join('')
}
const lines = (log: Logger) =>
  said(log)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

type Said = Partial<LedgerRow> & { cause?: string }
/** A row, and the cause of its failure. */
const request = ({ cause, ...fields }: Said = {}): [LedgerRow, string | null] => [
  {
    requestId: 'req_1',
    at: AT,
    projectId: 'proj_1',
    tokenId: 'tok_1',
    method: 'POST',
    endpoint: '/v1/chat/completions',
    model: 'gpt-4o',
    provider: 'openai',
    servedModel: 'gpt-4o-2024-08-06',
    status: 200,
    error: null,
    stream: true,
    latencyMs: 12.3,
    firstTokenMs: 4.5,
    usage: {
      inputTokens: 9,
      outputTokens: 3,
      cachedTokens: 0,
      cacheWriteTokens: 0,
      reasoningTokens: 0,
      details: null,
      source: 'reported',
    },
    estimateReason: null,
    costNanoUsd: null,
    priceSource: null,
    reservedNanoUsd: null,
    cache: 'bypass',
    requestBytes: 100,
    responseBytes: 200,
    attempts: [{ provider: 'openai', model: null, outcome: 'answered', status: 200, durationMs: 1, error: null }],
    changes: [],
    ...fields,
  },
  cause ?? null,
]

describe('a line', () => {
  it('is JSON, with its time, level, message and fields', () => {
    const log = open()
    log.warn('something', { path: '/x', count: 3 })
    expect(lines(log)).toEqual([
      { time: '2026-11-21T12:00:00.005Z', level: 'warn', message: 'something', path: '/x', count: 3 },
    ])
  })

  it('begins with what people look for: time, level and message', () => {
    const log = open()
    log.warn('something', { path: '/x' })
    expect(Object.keys(lines(log)[0]!)).toEqual(['time', 'level', 'message', 'path'])
  })

  it.each([
    ['error', ['error']],
    ['warn', ['error', 'warn']],
    ['info', ['error', 'warn', 'info', 'request']],
    ['debug', ['error', 'warn', 'info', 'debug', 'request']],
  ] as const)('of level %s and above is written: %j', (level, expected) => {
    const log = open(level)
    for (const one of ['error', 'warn', 'info', 'debug'] as const) log[one](one)
    log.request(...request())
    expect(lines(log).map(({ message }) => message)).toEqual(expected)
  })

  it('tells of an error with its causes, and without its secrets', () => {
    const log = open()
    const inner = Object.assign(new Error(`Incorrect API key provided: ${SECRET}`), { code: 'ECONNREFUSED' })
    log.error('failed', { cause: new Error('outer', { cause: new TypeError('middle', { cause: inner }) }) })
    expect(lines(log)[0]!.cause).toBe(
      'Error: outer ← TypeError: middle ← Error ECONNREFUSED: Incorrect API key provided: sk-[redacted]',
    )
  })

  it('has no secret, wherever it was put', () => {
    const places = [
      (log: Logger) => log.info(`token ${SECRET}`),
      (log: Logger) => log.info('x', { token: SECRET }),
      (log: Logger) => log.info('x', { deep: { headers: [{ authorization: `Bearer ${SECRET}` }] } }),
      (log: Logger) => log.error('x', { cause: new Error(SECRET) }),
      (log: Logger) => log.error('x', { cause: new AggregateError([new Error(SECRET)], SECRET) }),
      (log: Logger) =>
        log.request(...request({ model: SECRET, endpoint: `/v1/x?key=${SECRET}`, cause: `Error: ${SECRET}` })),
    ]
    for (const format of ['json', 'pretty'] as const) {
      for (const put of places) {
        const log = open('debug', format)
        put(log)
        expect([said(log).includes('[redacted]'), said(log).includes(SECRET.slice(5))]).toEqual([true, false])
      }
    }
  })

  it('says what it can of fields that are no JSON', () => {
    const loop: Record<string, unknown> = { name: 'loop' }
    loop.self = loop
    const log = open()
    log.info('odd', { loop, big: 12n, nothing: undefined, date: new Date(AT) })
    expect(lines(log)[0]).toMatchObject({ message: 'odd', loop: { name: 'loop' }, date: '2026-11-21T12:00:00.005Z' })
  })

  it.each(['json', 'pretty'] as const)('of format %s never throws over its fields', (format) => {
    const loop: Record<string, unknown> = {}
    loop.self = loop
    const log = open('info', format)
    expect(() => {
      log.info('odd', { loop, big: 12n })
      log.info('odd', {
        get boom(): string {
          throw new Error('getter')
        },
      })
    }).not.toThrow()
    expect(said(log).match(/odd/g)).toHaveLength(2)
  })

  it('keeps its message apart from a field of that name', () => {
    const log = open()
    log.info('what happened', { message: 'another text', level: 'error' })
    expect(lines(log)[0]).toMatchObject({ level: 'info', message: 'what happened' })
  })
})

describe('the line of a request', () => {
  it('is one, of JSON, with what DESIGN promises', () => {
    const log = open()
    log.request(...request({ changes: ['model'], costNanoUsd: 3_500_000n }))
    expect(lines(log)).toEqual([
      {
        time: '2026-11-21T12:00:00.005Z',
        level: 'info',
        message: 'request',
        request_id: 'req_1',
        project: 'proj_1',
        token: 'tok_1',
        method: 'POST',
        path: '/v1/chat/completions',
        model: 'gpt-4o',
        provider: 'openai',
        served_model: 'gpt-4o-2024-08-06',
        status: 200,
        error: null,
        stream: true,
        latency_ms: 12.3,
        first_token_ms: 4.5,
        input_tokens: 9,
        output_tokens: 3,
        usage_source: 'reported',
        cost_usd: '0.0035',
        request_bytes: 100,
        response_bytes: 200,
        attempts: 1,
        changes: ['model'],
      },
    ])
  })

  it('stays one line of JSON whatever a caller or a provider puts into it', () => {
    const odd = fc.string({ unit: 'binary' })
    fc.assert(
      fc.property(odd, odd, odd, fc.array(odd), (model, path, cause, changes) => {
        const log = open()
        log.request(
          ...request({
            model,
            endpoint: path,
            cause,
            changes,
            servedModel: cause,
            method: path,
            provider: null,
            firstTokenMs: null,
          }),
        )
        expect(said(log).match(/\n/g)).toHaveLength(1)
        expect(lines(log)[0]).toMatchObject({ request_id: 'req_1', status: 200, first_token_ms: null, provider: null })
      }),
    )
  })

  it('is short for people, with what went wrong', () => {
    const log = open('info', 'pretty')
    log.request(...request())
    log.request(
      ...request({ status: 502, error: 'upstream_unreachable', cause: 'ECONNREFUSED', model: null, usage: NO_USAGE }),
    )
    expect(said(log)).toBe(
      '12:00:00.005 info  200 POST /v1/chat/completions gpt-4o 12.3 ms 9+3 tokens req_1\n' +
        '12:00:00.005 info  502 POST /v1/chat/completions 12.3 ms upstream_unreachable (ECONNREFUSED) req_1\n',
    )
  })

  it('for people cannot be made two, nor coloured, by a caller', () => {
    const log = open('info', 'pretty')
    log.request(...request({ model: 'x\n12:00:00.000 info  forged\u001b[31m\u009b2J\r', endpoint: '/v1/\u0000\u007f' }))
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there.
    expect(said(log).trimEnd()).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/)
  })

  it('for people cannot be made two by what a provider said', () => {
    const log = open('info', 'pretty')
    log.request(
      ...request({
        status: 502,
        error: 'upstream_auth_failed',
        cause: 'openai answered 401: {\n  "error": 1\n}\u001b[31m',
      }),
    )
    expect(said(log).trimEnd()).not.toContain('\n')
  })
})

describe('lines', () => {
  it('of one turn leave in one write, in their order', async () => {
    const log = open()
    for (let i = 0; i < 50; i++) i % 2 ? log.info(`line ${i}`) : log.request(...request({ requestId: `line ${i}` }))
    expect(writes).toHaveLength(0)
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
    expect(writes).toHaveLength(1)
    expect(lines(log).map(({ message, request_id }) => request_id ?? message)).toEqual(
      Array.from({ length: 50 }, (_, i) => `line ${i}`),
    )
  })

  it('that are many leave at once rather than fill the memory', () => {
    const log = open()
    for (let i = 0; i < 200; i++) log.request(...request({ cause: 'x'.repeat(20_000) }))
    expect(writes.length).toBeGreaterThanOrEqual(3)
    for (const text of writes) expect(text.length).toBeLessThan(1_100_000)
    expect(lines(log)).toHaveLength(200)
  })

  it('are not written twice, however often they are flushed', () => {
    const log = open()
    log.info('once')
    log.flush()
    log.flush()
    expect(writes).toHaveLength(1)
  })
})

describe('an error in one line', () => {
  it.each([
    [new Error('x'), 'Error: x'],
    [Object.assign(new Error('x'), { code: 'E1' }), 'Error E1: x'],
    [new RangeError('a', { cause: 'text' }), 'RangeError: a ← text'],
    ['text', 'text'],
    [undefined, ''],
    [null, ''],
  ])('%s', (error, expected) => {
    expect(describeError(error)).toBe(expected)
  })

  it('ends, though it is its own cause', () => {
    const error = new Error('round')
    error.cause = error
    expect(describeError(error)).toBe(Array(5).fill('Error: round').join(' ← '))
  })
})
