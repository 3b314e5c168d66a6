import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from '@jest/globals'
import { makeFolder } from '../helpers/folder.ts'
import { given } from './given.ts'

const FIRST = `
port: 0
routes: { fast: { targets: [ { provider: openai } ] } }
providers: { my-llm: { kind: openai, base_url: "http://127.0.0.1:1/v1" } }
`

describe('POST /manage/reload', () => {
  let api: Awaited<ReturnType<typeof given>>
  let write: (yaml: string) => void
  beforeEach(async () => {
    const dataDir = makeFolder({ 'llm-proxy.yaml': FIRST })
    write = (yaml) => writeFileSync(join(dataDir, 'llm-proxy.yaml'), yaml)
    api = await given({ dataDir })
  })
  const reload = () => api.post('/manage/reload')
  const status = async () => (await api.get('/manage/status')).body.configuration as Record<string, unknown>
  const patterns = async () => (await api.gateway.ctx.routing.current()).routes.map(({ pattern }) => pattern)

  it('takes over what can change while it runs, and names what needs a restart', async () => {
    const { ctx } = api.gateway
    const before = await ctx.routing.current()
    write(`${FIRST}
rules: [ { name: r, when: { model: "gpt-*" }, route: fast } ]
retry: { on: [429], factor: 3 }
timeouts: { idle_ms: 1234 }
breaker: { failures: 9 }
stream: { recovery: off }
keys: { strategy: least_busy }
prices: { models: [ { provider: vllm, model: "*", input: 1, output: 1 } ] }
alerts: { thresholds: [5] }
max_body_mb: 3
log_level: debug
`)
    const { status: code, body } = await reload()
    expect(code).toBe(200)
    expect(body).toEqual({
      reloaded_at: expect.any(String),
      changed: expect.arrayContaining([
        'rules',
        'RETRY_ON',
        'BACKOFF_FACTOR',
        'TIMEOUT_IDLE_MS',
        'BREAKER_FAILURES',
        'STREAM_RECOVERY',
        'KEYS_STRATEGY',
        'PRICE_MODELS',
        'ALERT_THRESHOLDS',
      ]),
      needs_restart: ['MAX_BODY_MB', 'LOG_LEVEL'],
      warnings: [],
    })
    expect(body.changed).toHaveLength(9)
    const after = await ctx.routing.current()
    expect(after).toMatchObject({
      rules: [{ name: 'r' }],
      retry: { on: { all5xx: false }, factor: 3 },
      timeouts: { idleMs: 1234 },
      breaker: { failures: 9 },
      stream: { recovery: 'off' },
      keys: { strategy: 'least_busy' },
    })
    expect(ctx.prices.show('vllm', 'any', 0)?.source).toBe('config')
    expect(before).toMatchObject({ rules: [], timeouts: { idleMs: 60_000 }, breaker: { failures: 5 } })
    expect(await api.audit('action=config.reload')).toMatchObject([
      { actor: 'management_token', outcome: 'success', after: { needs_restart: ['MAX_BODY_MB', 'LOG_LEVEL'] } },
    ])
    expect(await status()).toEqual({
      file: expect.stringMatching(/llm-proxy\.yaml$/),
      loaded_at: body.reloaded_at,
      needs_restart: ['MAX_BODY_MB', 'LOG_LEVEL'],
      problems: [],
    })
    expect((await reload()).body).toMatchObject({ changed: [], needs_restart: ['MAX_BODY_MB', 'LOG_LEVEL'] })
    write(FIRST)
    expect((await reload()).body).toMatchObject({ needs_restart: [] })
  })

  it('answers 400 with all problems when something is wrong, and keeps what was', async () => {
    const held = await api.gateway.ctx.routing.current()
    write('routes: { x: { targets: [ { provider: opnai } ] } }\nport: many\nbreaker: { failures: 0 }\n')
    const { status: code, body } = await reload()
    const problems = [
      'llm-proxy.yaml: port: must be a whole number from 0 to 65535 (now "many")',
      'llm-proxy.yaml: breaker.failures: must be a whole number from 1 to 10000 (now "0")',
      'llm-proxy.yaml: routes.x.targets[0].provider: unknown provider; did you mean openai?',
    ]
    expect(code).toBe(400)
    expect(body).toMatchObject({ error: { code: 'invalid_request', details: { problems } } })
    expect((body.error as { message: string }).message).toContain(problems[2])
    expect(await api.gateway.ctx.routing.current()).toBe(held)
    expect(await status()).toMatchObject({ problems })
    expect(api.gateway.logs()).toMatch(/the one before stays in force","why":"POST \/manage\/reload","problems":\[/)
    expect(await api.audit('action=config.reload')).toMatchObject([{ outcome: 'failure', reason: 'invalid_request' }])

    write(FIRST)
    expect((await reload()).status).toBe(200)
    expect(await status()).toMatchObject({ problems: [] })
  })

  it('refuses a route to a provider that is not there before the next start', async () => {
    write(`${FIRST.replace('my-llm:', 'new-llm: { kind: openai, base_url: "http://h/v1" }, my-llm:')}
rules: [ { name: r, when: { stream: true }, provider: new-llm }, { name: s, when: { stream: false }, provider: my-llm } ]
`)
    expect((await reload()).body).toMatchObject({
      error: {
        details: {
          problems: ['llm-proxy.yaml: rules[0].provider: new-llm is new, and new providers need a restart'],
        },
      },
    })
    write(FIRST.replace('my-llm:', 'new-llm: { kind: openai, base_url: "http://h/v1" }, my-llm:'))
    expect((await reload()).body).toMatchObject({ changed: [], needs_restart: ['providers.new-llm'] })
  })

  it('leaves the routes of the database as they are, behind those of the file', async () => {
    await api.post('/manage/routes', { pattern: 'slow', targets: [{ provider: 'openai' }] })
    write('routes: { other: { targets: [ { provider: openai } ] }, slow: { targets: [ { provider: gemini } ] } }')
    await reload()
    expect(await patterns()).toEqual(['other', 'slow', 'slow'])
    expect((await api.get('/manage/routes')).body.data.map(({ origin, in_force }) => [origin, in_force])).toEqual([
      ['file', true],
      ['file', true],
      ['database', false],
    ])
  })

  it('by itself logs what is wrong, says who did it, and never fails', async () => {
    const { reload: own } = api.gateway.ctx
    write('routes: 5')
    await own.bySystem('the file changed')
    expect(api.gateway.logs()).toMatch(/"why":"the file changed"/)
    write('routes: {}')
    await own.bySystem('SIGHUP')
    expect(await patterns()).toEqual([])
    expect(await api.audit('action=config.reload')).toMatchObject([
      { actor: 'system', outcome: 'success', after: { why: 'SIGHUP', changed: ['routes'] } },
      { actor: 'system', outcome: 'failure' },
    ])
  })
})
