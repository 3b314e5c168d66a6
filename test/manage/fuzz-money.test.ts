import { beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { aBatch, aRow } from '../store/samples.ts'
import { type Answer, given } from './given.ts'

let world: Awaited<ReturnType<typeof given>>
beforeAll(async () => {
  world = await given()
  const rows = Array.from({ length: 20 }, (_, i) => aRow({ at: Date.UTC(2026, 9 + (i % 3), 1 + i, i) }))
  await world.store.ledger.append(aBatch({ rows }))
})

/** What people and programs put where a number, a time or a name should be. */
const odd = fc.oneof(
  fc.constantFrom(
    ...[
      '',
      ' ',
      '0',
      '-0',
      '-1',
      '1.5',
      '1e3',
      '1e400',
      '0x10',
      '٣',
      '１',
      'NaN',
      'Infinity',
      '-Infinity',
      'null',
      'undefined',
      'true',
    ],
    ...[
      '9007199254740993',
      '9223372036854775808',
      '18446744073709551616',
      '1'.repeat(400),
      '0.0000000001',
      '999999999.999999999',
    ],
    ...['2026-11-21', '2026-13-01', '2026-02-30', '0000-01-01', '9999-12-31', '-000001-01-01', '2026-11-21T24:00:00Z'],
    ...[
      '2026-11-21T12:00:00+99:99',
      '2026-11-21T12:00:00',
      '9999-12-31T23:59:59.999999999Z',
      '+275760-09-13T00:00:00Z',
      '1790000000000',
    ],
    ...[
      'day',
      'hour',
      'day,day',
      'day,,hour',
      'model,',
      'metadata.',
      'metadata.__proto__',
      'metadata.a"b',
      'metadata.🦊',
      'token,project,model,provider,status',
    ],
    ...[
      "' OR 1=1 --",
      '%',
      '_',
      '*',
      '\u0000',
      '\ud83e\udd8a',
      '__proto__',
      'constructor',
      '[object Object]',
      '../..',
      '(other)',
      'a'.repeat(201),
    ],
    ...['req_zzzzzzzzz0000000000000000', 'req_000000000zzzzzzzzzzzzzzzz', 'req_', `req_${'z'.repeat(25)}`],
  ),
  fc.string({ maxLength: 12, unit: 'binary' }).filter((text) => text.isWellFormed()),
  fc.integer().map(String),
  fc.double().map(String),
  fc.bigInt().map(String),
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
)

const NAMES = {
  usage: ['group_by', 'project_id', 'token_id', 'model', 'provider', 'endpoint', 'status', 'from', 'to'],
  requests: [
    ...['project_id', 'token_id', 'model', 'provider', 'endpoint', 'status', 'error', 'from', 'to', 'limit', 'after'],
    ...['min_cost_usd', 'min_latency_ms', 'metadata'],
  ],
  budgets: ['project_id', 'token_id'],
}
const queryOf = (names: string[]) =>
  fc.array(
    fc.tuple(fc.oneof({ weight: 12, arbitrary: fc.constantFrom(...names) }, { weight: 1, arbitrary: odd }), odd),
    { maxLength: 4 },
  )

/** Served, or refused in the one shape of errors. */
function expectSane(answer: Answer, asked: unknown): void {
  const { status, body } = answer
  const shape =
    status === 200 || status === 201
      ? {}
      : { error: { message: expect.any(String), type: expect.any(String), code: expect.any(String) } }
  expect({ asked, sane: [200, 201, 400, 404, 409, 422].includes(status), body }).toMatchObject({
    asked,
    sane: true,
    body: shape,
  })
}

describe('whatever is asked', () => {
  it.each(Object.entries(NAMES))(
    'of /manage/%s is answered, or refused in the shape of errors, and never fails',
    async (path, names) => {
      await fc.assert(
        fc.asyncProperty(queryOf(names), fc.constantFrom('application/json', 'text/csv'), async (pairs, accept) => {
          const query = new URLSearchParams(pairs).toString()
          expectSane(await world.get(`/manage/${path}?${query}`, { accept }), query)
        }),
        { numRuns: 250 },
      )
      expect(world.gateway.logs()).not.toContain('"level":"error"')
    },
  )

  it('a time that is none is refused, not taken for never', async () => {
    for (const time of ['2026-11-21T12:00:00+99:99', '2026-02-30', '2026-11-21T24:00:00Z', '1790000000000', '']) {
      for (const path of ['usage', 'requests'])
        expect([time, (await world.get(`/manage/${path}?from=${encodeURIComponent(time)}`)).status]).toEqual([
          time,
          422,
        ])
    }
  })

  it('a number that is none is refused', async () => {
    for (const [name, values] of [
      ['min_latency_ms', ['', ' ', 'NaN', 'Infinity', '-1', '0x10']],
      ['limit', ['', '0', '1.5', '201', '0x10', '1e2']],
      ['status', ['', '2e2', '600']],
    ] as const) {
      for (const value of values) {
        const { status } = await world.get(`/manage/requests?${name}=${encodeURIComponent(value)}`)
        expect([name, value, status]).toEqual([name, value, 422])
      }
    }
  })
})

describe('budgets of any kind', () => {
  const value = fc.oneof(
    odd,
    fc.integer(),
    fc.double(),
    fc.constantFrom<unknown>(
      null,
      true,
      [],
      {},
      [[]],
      { $gt: 0 },
      '1'.repeat(100_000),
      Number.MAX_SAFE_INTEGER,
      2 ** 63,
      -0,
      1e-9,
      5e-324,
    ),
  )
  const budget = fc.oneof(
    value,
    fc.record(
      {
        period: fc.oneof(fc.constantFrom('day', 'week', 'month', 'total'), value),
        limit_usd: value,
        limit_tokens: value,
        reset_at: value,
        extra: value,
      },
      { requiredKeys: ['period'] },
    ),
  )

  it('are taken and then shown as they were meant, or refused in the shape of errors', async () => {
    const token = await world.token()
    await fc.assert(
      fc.asyncProperty(fc.oneof(value, fc.array(budget, { maxLength: 12 })), async (budgets) => {
        const answer = await world.patch(`/manage/tokens/${token.id}`, { budgets })
        expectSane(answer, budgets)
        if (answer.status !== 200) return
        const shown = await world.get(`/manage/budgets?token_id=${token.id}`)
        expect(shown.status).toBe(200)
        for (const { limit_usd, limit_tokens, left_usd, reserved_tokens } of shown.body.data) {
          if (limit_usd !== null) expect(String(limit_usd)).toMatch(/^\d{1,7}(\.\d{1,9})?$/)
          if (limit_tokens !== null) expect(Number.isSafeInteger(limit_tokens)).toBe(true)
          expect([left_usd, reserved_tokens]).toEqual([limit_usd, 0])
        }
      }),
      { numRuns: 250 },
    )
    expect(world.gateway.logs()).not.toContain('"level":"error"')
  })

  it('written as numbers that JSON has and JavaScript has not are refused', async () => {
    const token = await world.token()
    for (const number of ['1e400', '-1e400', '99999999999999999999', '9223372036854775808', '0.00000000001']) {
      for (const field of ['limit_usd', 'limit_tokens']) {
        const answer = await world.patch(
          `/manage/tokens/${token.id}`,
          `{"budgets":[{"period":"day","${field}":${number}}]}`,
        )
        expect([field, number, answer.status]).toEqual([field, number, 422])
      }
    }
  })
})
