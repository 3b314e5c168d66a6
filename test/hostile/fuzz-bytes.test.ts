import { connect } from 'node:net'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { startTestGateway, type TestGateway } from '../helpers/gateway.ts'
import { ask, chat } from '../helpers/http.ts'
import { chatAnswer, sendJson, startUpstream, type Upstream } from '../helpers/upstream.ts'

let upstream: Upstream
let gateway: TestGateway
let secret: string

beforeAll(async () => {
  upstream = await startUpstream(
    (req, res) => {
      req.on('error', () => {}).resume()
      sendJson(res, 200, chatAnswer())
    },
    { readsBody: false },
  )
  gateway = await startTestGateway({ upstream: upstream.url })
  secret = (await gateway.token()).secret
})
afterAll(async () => {
  await gateway.stop()
  await upstream.close()
})

/** Quick here; FUZZ_RUNS=2000 searches longer. */
const RUNS = { numRuns: Number(process.env.FUZZ_RUNS ?? 150) }
const PATIENCE_MS = 3_000

/** Sends bytes and, once something comes back or nothing does, the end. Fails when the gateway then keeps the connection. */
function send(bytes: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(gateway.url)
    const socket = connect(Number(port), hostname)
    let heard = ''
    const timer = setTimeout(() => reject(new Error('The connection is still open.')), PATIENCE_MS)
    const end = setTimeout(() => socket.end(), 20)
    socket.on('error', () => {})
    socket.on('data', (piece) => {
      heard += piece.toString('latin1')
      socket.end()
    })
    socket.on('close', () => {
      clearTimeout(timer)
      clearTimeout(end)
      resolve(heard)
    })
    socket.write(bytes)
  })
}

type Change = { at: number; kind: 'insert' | 'remove' | 'replace'; bytes: Uint8Array }

const change: fc.Arbitrary<Change> = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  kind: fc.constantFrom('insert' as const, 'remove' as const, 'replace' as const),
  bytes: fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 6 }),
    fc
      .constantFrom(
        '\r\n',
        '\n',
        '\0',
        ' ',
        ':',
        '\r\n\r\n',
        'chunked',
        '%',
        '/..',
        'Content-Length: 7\r\n',
        '\t',
        '😀',
      )
      .map((text) => Buffer.from(text)),
  ),
})

const apply = (bytes: Buffer, { at, kind, bytes: other }: Change) => {
  const from = Math.floor(at * bytes.length)
  const to = kind === 'insert' ? from : from + other.length
  return Buffer.concat([bytes.subarray(0, from), kind === 'remove' ? Buffer.alloc(0) : other, bytes.subarray(to)])
}

const requests = () => {
  const head = `Host: x\r\nAuthorization: Bearer ${secret}\r\n`
  const body = '{"model":"gpt-4o","messages":[]}'
  const form = '--X\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n--X--\r\n'
  return [
    `POST /v1/chat/completions HTTP/1.1\r\n${head}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    `POST /v1/chat/completions HTTP/1.1\r\n${head}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n${body}\r\n0\r\n\r\n`,
    `POST /v1/audio/transcriptions HTTP/1.1\r\n${head}Content-Type: multipart/form-data; boundary=X\r\nContent-Length: ${form.length}\r\n\r\n${form}`,
    `GET /v1/models?key=${secret}&a=%20 HTTP/1.1\r\n${head}Connection: close, x\r\n\r\n`,
    `GET /v1/realtime?model=x HTTP/1.1\r\n${head}Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: eA==\r\nSec-WebSocket-Version: 13\r\n\r\n`,
    `GET /manage/projects?limit=1 HTTP/1.1\r\n${head}\r\n`,
  ].map((text) => Buffer.from(text))
}

it('whatever bytes arrive, the connection ends, nothing of ours breaks, and the next request is served', async () => {
  const originals = requests()
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: originals.length - 1 }),
      fc.array(change, { maxLength: 5 }),
      fc.boolean(),
      async (which, changes, twice) => {
        const bytes = changes.reduce(apply, originals[which]!)
        const heard = await send(twice ? Buffer.concat([bytes, originals[0]!]) : bytes)
        expect(heard).not.toContain('internal_error')
        expect(heard === '' || /^HTTP\/1\.1 [1-5]\d\d /.test(heard)).toBe(true)
      },
    ),
    RUNS,
  )
  expect((await ask(`${gateway.url}/ready`)).status).toBe(200)
  expect((await chat(gateway.baseUrl, secret)).status).toBe(200)
  for (const line of gateway.logs().trim().split('\n')) expect(() => JSON.parse(line)).not.toThrow()
  expect(gateway.logs()).not.toContain(secret)
})
