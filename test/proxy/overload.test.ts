import type { ServerResponse } from 'node:http'
import { afterEach, describe, expect, it } from '@jest/globals'
import { makeFolder } from '../helpers/folder.ts'
import { startTestGateway, type TestGateway } from '../helpers/gateway.ts'
import { chat, eventually } from '../helpers/http.ts'
import { chatAnswer, chatEvents, sendJson, sseHead, startUpstream, type Upstream } from '../helpers/upstream.ts'

let upstream: Upstream
let gateway: TestGateway
afterEach(async () => {
  await gateway.stop()
  await upstream.close()
})

type Limits = { maxConcurrent: number; maxQueued: number; queueTimeoutMs: number }

/** A provider that answers when it is told to, sent no more than so many requests at once. */
async function start(limits: Partial<Limits> | null, config: Parameters<typeof startTestGateway>[0] = {}) {
  const held: ServerResponse[] = []
  upstream = await startUpstream((_req, res) => void held.push(res))
  const openai = {
    apiKey: 'sk-provider-secret-key-0000000000000000',
    baseUrl: upstream.url,
    ...(limits && { limits: { maxConcurrent: 1, maxQueued: 100, queueTimeoutMs: 60_000, ...limits } }),
  }
  gateway = await startTestGateway({ ...config, config: { providers: { openai }, ...config.config } })
  const { secret } = await gateway.token()
  const waiting = async () => {
    const metric = gateway.ctx.metrics.registry.getSingleMetric('llmproxy_queue_waiting')!
    return (await metric.get()).values.find(({ labels }) => labels.provider === 'openai')?.value ?? 0
  }
  const answer = (index: number) => sendJson(held[index]!, 200, chatAnswer())
  const ask = (token = secret, body = {}) => chat(gateway.baseUrl, token, body)
  return {
    held,
    secret,
    answer,
    ask,
    waiting,
    until: (count: number) => eventually(() => held.length >= count, `${count} at the provider`),
  }
}

/** A client who can leave. */
function leaver(secret: string, body = {}) {
  const controller = new AbortController()
  const done = fetch(`${gateway.baseUrl}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-4o', messages: [], ...body }),
    signal: controller.signal,
  })
  // What it hears when it leaves is its own affair.
  done.catch(() => {})
  return { done, leave: () => controller.abort() }
}

describe('a provider that is sent so many requests at once', () => {
  it('gets the next one when one has ended, and every client its answer', async () => {
    const { ask, answer, held, waiting, until } = await start({ maxConcurrent: 2 })
    const all = Array.from({ length: 5 }, () => ask())
    await until(2)
    await eventually(async () => (await waiting()) === 3, 'three to wait')
    expect(held).toHaveLength(2)
    for (let i = 0; i < 5; i++) {
      await until(i + 1)
      answer(i)
    }
    expect((await Promise.all(all)).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
    expect(await waiting()).toBe(0)
  })

  it('is asked for a further one when a stream has ended, not when it begins', async () => {
    const { ask, answer, held, until, secret } = await start({})
    const { done } = leaver(secret, { stream: true })
    await until(1)
    const [first, ...rest] = chatEvents(['Hello', '!'])
    held[0]!.writeHead(200, sseHead).write(first!)
    await done
    const next = ask()
    await eventually(async () =>
      (await gateway.ctx.metrics.registry.metrics()).includes('llmproxy_queue_waiting{provider="openai"} 1'),
    )
    expect(held).toHaveLength(1)
    held[0]!.end(rest.join(''))
    await until(2)
    answer(1)
    expect((await next).status).toBe(200)
  })

  it.each([
    ['the client of the one before leaves', (_held: ServerResponse, leave: () => void) => leave()],
    ['the one before is cut off', (held: ServerResponse) => void held.socket!.destroy()],
    ['the one before fails', (held: ServerResponse) => sendJson(held, 500, { error: { message: 'no' } })],
    [
      'the one before is refused for its key',
      (held: ServerResponse) => sendJson(held, 401, { error: { message: 'no' } }),
    ],
  ])('is free again when %s', async (_what, end) => {
    const { ask, answer, held, until, secret, waiting } = await start({})
    const { leave } = leaver(secret)
    await until(1)
    const next = ask()
    await eventually(async () => (await waiting()) === 1, 'one to wait')
    end(held[0]!, leave)
    await until(2)
    answer(1)
    expect((await next).status).toBe(200)
  })

  it('is free again when the one before took too long', async () => {
    const timeouts = { connectMs: 5000, headersMs: 300, firstTokenMs: 300, idleMs: 5000, totalMs: 60_000 }
    const { ask, answer, until } = await start({}, { config: { timeouts } })
    const slow = ask()
    await until(1)
    const next = ask()
    await until(2)
    answer(1)
    expect([(await slow).status, (await next).status]).toEqual([504, 200])
  })

  it('never hears of a request whose client leaves while it waits', async () => {
    const { ask, answer, held, until, secret, waiting } = await start({})
    const first = ask()
    await until(1)
    const { leave } = leaver(secret)
    await eventually(async () => (await waiting()) === 1, 'one to wait')
    leave()
    await eventually(async () => (await waiting()) === 0, 'nobody to wait')
    answer(0)
    await first
    await eventually(async () => (await gateway.rows()).some(({ status }) => status === 499), 'the row of who left')
    expect(held).toHaveLength(1)
    const { attempts, costNanoUsd } = (await gateway.rows()).find(({ status }) => status === 499)!
    expect([attempts, costNanoUsd]).toEqual([[], 0n])
  })

  it('turns away who finds the line full, and who waits too long: 503 with retry-after, counted', async () => {
    const { ask, answer, until, waiting } = await start({ maxQueued: 1, queueTimeoutMs: 300 })
    const first = ask()
    await until(1)
    const second = ask()
    await eventually(async () => (await waiting()) === 1, 'one to wait')
    const full = await ask()
    const late = await second
    for (const refused of [full, late]) {
      expect([refused.status, refused.header('retry-after')]).toEqual([503, '1'])
      expect(JSON.parse(refused.body.toString()).error).toMatchObject({
        code: 'overloaded',
        details: { provider: 'openai' },
      })
    }
    expect(await gateway.ctx.metrics.registry.metrics()).toContain('llmproxy_rejected_total{code="overloaded"} 2')
    answer(0)
    expect((await first).status).toBe(200)
  })

  it('serves projects in turn, however many requests one of them has in the line', async () => {
    const { ask, answer, until, waiting, secret } = await start({})
    const { secret: other } = await gateway.token({}, {})
    const order: string[] = []
    const tell = (name: string, token: string) => ask(token, { user: name }).then(() => void order.push(name))
    const first = ask()
    await until(1)
    const all: Promise<void>[] = []
    for (const [name, token] of [
      ['a1', secret],
      ['a2', secret],
      ['a3', secret],
      ['b1', other],
    ] as const) {
      all.push(tell(name, token))
      const before = all.length
      await eventually(async () => (await waiting()) === before, `${name} to wait`)
    }
    for (let i = 0; i < 5; i++) {
      await until(i + 1)
      answer(i)
    }
    await Promise.all([first, ...all])
    const asked = upstream.seen.slice(1).map(({ body }) => (JSON.parse(body.toString()) as { user: string }).user)
    expect(asked).toEqual(['a1', 'b1', 'a2', 'a3'])
  })
})

describe('a provider that has too much to do', () => {
  it('is passed by where a route has another one', async () => {
    upstream = await startUpstream()
    const held: ServerResponse[] = []
    const busy = await startUpstream((_req, res) => void held.push(res))
    const dataDir = makeFolder({
      'llm-proxy.yaml': `providers:
  busy: { kind: openai, base_url: "${busy.url}", api_key: sk-busy-0123456789, max_concurrent: 1, max_queued: 0 }
  idle: { kind: openai, base_url: "${upstream.url}", api_key: sk-idle-0123456789 }
routes:
  smart: { targets: [ { provider: busy, model: a }, { provider: idle, model: b } ] }
`,
    })
    gateway = await startTestGateway({ dataDir })
    const { secret } = await gateway.token()
    const first = chat(gateway.baseUrl, secret, { model: 'smart' })
    await eventually(() => held.length === 1, 'the first at the busy one')
    const second = await chat(gateway.baseUrl, secret, { model: 'smart' })
    expect([second.status, second.header('x-llm-proxy-provider')]).toEqual([200, 'idle'])
    sendJson(held[0]!, 200, chatAnswer())
    expect((await first).header('x-llm-proxy-provider')).toBe('busy')
    await busy.close()
  })
})

describe('MAX_CONCURRENT_REQUESTS', () => {
  it('refuses who comes when all places are taken, and lets in whoever was refused before the one who had them all', async () => {
    const { ask, answer, until, held, secret } = await start(null, { config: { maxConcurrentRequests: 10 } })
    const { secret: other } = await gateway.token({}, {})
    const hog = Array.from({ length: 10 }, () => ask(secret))
    await until(10)
    const refused = await ask(other)
    expect([refused.status, refused.header('retry-after')]).toEqual([503, '1'])
    answer(0)
    await hog[0]
    const greedy = await ask(secret)
    expect([greedy.status, JSON.parse(greedy.body.toString()).error.message]).toEqual([
      503,
      expect.stringContaining('share'),
    ])
    const letIn = ask(other)
    await until(11)
    for (let i = 1; i < 11; i++) answer(i)
    expect((await letIn).status).toBe(200)
    await Promise.all(hog)
    expect(held).toHaveLength(11)
    // All have been given back: four fifths are anybody's, whoever else wants some.
    const again = Array.from({ length: 8 }, () => ask(secret))
    await until(19)
    for (let i = 11; i < 19; i++) answer(i)
    expect((await Promise.all(again)).every(({ status }) => status === 200)).toBe(true)
  })
})
