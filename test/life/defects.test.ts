import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type ChildGateway, startChildGateway } from '../helpers/child.ts'
import { startTestGateway, type TestGateway } from '../helpers/gateway.ts'
import { chat, type RawAnswer } from '../helpers/http.ts'
import { startUpstream, type Upstream } from '../helpers/upstream.ts'

let upstream: Upstream
beforeAll(async () => {
  upstream = await startUpstream()
})
afterAll(() => upstream.close())

const codeOf = (answer: RawAnswer) => (JSON.parse(answer.body.toString()) as { error: { code: string } }).error.code

describe('a defect of the gateway', () => {
  let gateway: TestGateway
  let secret: string
  beforeAll(async () => {
    gateway = await startTestGateway({ upstream: upstream.url })
    secret = (await gateway.token()).secret
  })
  afterAll(() => gateway.stop())

  /** Breaks one part for one request. */
  async function breaking<Part extends object, Name extends keyof Part>(part: Part, name: Name, how: () => never) {
    const whole = part[name]
    part[name] = how as Part[Name]
    try {
      return await chat(gateway.baseUrl, secret)
    } finally {
      part[name] = whole
    }
  }

  const broken = (): never => {
    throw new TypeError('x.y is undefined in /home/build/secret-path.ts')
  }

  it.each<[string, () => Promise<RawAnswer>]>([
    ['looks the token up', () => breaking(gateway.ctx.tokens, 'find', broken)],
    ['asks for the limits', () => breaking(gateway.ctx.kv, 'acquire', broken)],
    ['chooses the provider', () => breaking(gateway.ctx.providers, 'get', broken)],
    ['sends the request', () => breaking(gateway.ctx.http, 'start', broken)],
  ])('where it %s is a 500 that tells nothing, and the next request is served', async (_where, defect) => {
    const answer = await defect()
    expect([answer.status, codeOf(answer)]).toEqual([500, 'internal_error'])
    expect(answer.body.toString()).not.toContain('secret-path')
    expect(gateway.logs()).toContain('secret-path')
    expect((await chat(gateway.baseUrl, secret)).status).toBe(200)
  })

  it('leaves one row for each request of a known token', async () => {
    const { secret: own, token } = await gateway.token()
    const whole = gateway.ctx.http.start
    gateway.ctx.http.start = broken
    await chat(gateway.baseUrl, own)
    gateway.ctx.http.start = whole
    const rows = (await gateway.rows()).filter(({ tokenId }) => tokenId === token.id)
    expect(rows).toMatchObject([{ status: 500, error: 'internal_error' }])
  })
})

describe('an exception that nobody catches', () => {
  let gateway: ChildGateway
  const THROWS = `
    process.on('SIGUSR2', () => { throw new Error('thrown where nobody looks') })
    process.on('SIGWINCH', () => { Promise.reject(new Error('rejected where nobody looks')) })`
  beforeAll(async () => {
    const preload = `data:text/javascript,${encodeURIComponent(THROWS)}`
    gateway = await startChildGateway({ upstream: upstream.url, nodeArgs: ['--import', preload] })
  })

  it.each([
    [
      'SIGUSR2',
      /"message":"uncaught exception".*thrown where nobody looks|thrown where nobody looks.*"message":"uncaught exception"/,
    ],
    [
      'SIGWINCH',
      /"message":"unhandled rejection".*rejected where nobody looks|rejected where nobody looks.*"message":"unhandled rejection"/,
    ],
  ] as const)('is logged, and the process goes on serving (%s)', async (signal, logged) => {
    const { secret } = await gateway.token()
    gateway.kill(signal)
    await gateway.says(logged)
    expect((await chat(gateway.baseUrl, secret)).status).toBe(200)
  })

  it('and still ends cleanly when it is told to', async () => {
    gateway.kill('SIGTERM')
    expect(await gateway.exited).toEqual({ code: 0, signal: null })
  })
})
