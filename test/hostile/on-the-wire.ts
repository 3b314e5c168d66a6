import { connect } from 'node:net'
import { startTestGateway, type TestGateway } from '../helpers/gateway.ts'
import { eventually, raw } from '../helpers/http.ts'
import { startUpstream, type Upstream } from '../helpers/upstream.ts'

export const CHAT = '{"model":"gpt-4o","messages":[]}'

export type Wire = {
  gateway: TestGateway
  upstream: Upstream
  secret: string
  /** A POST as it goes over the wire, with the token and whatever `head` adds (lines that end in CRLF). */
  post(target: string, options?: { head?: string; body?: string; token?: string; version?: string }): string
  /** Sends bytes on a connection of their own; all that comes back until the gateway closes it (or `until` matches). */
  send(bytes: string | Buffer, until?: RegExp): Promise<string>
  stop(): Promise<void>
}

/** A gateway with a scripted provider, and a client that writes whatever it likes. */
export async function openWire(options: Parameters<typeof startTestGateway>[0] = {}): Promise<Wire> {
  const upstream = await startUpstream()
  const gateway = await startTestGateway({ upstream: upstream.url, ...options })
  const { secret } = await gateway.token()
  return {
    gateway,
    upstream,
    secret,
    post: (target, { head, body = CHAT, token = secret, version = '1.1' } = {}) =>
      `POST ${target} HTTP/${version}\r\nHost: gateway\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n${head ?? `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n`}\r\n${body}`,
    send: (bytes, until) => raw(gateway.url, bytes, until),
    async stop() {
      await gateway.stop()
      await upstream.close()
    },
  }
}

export const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1])

/** The gateway's own error code in an answer as it came over the wire; null when there is none. */
export function codeOf(answer: string): string | null {
  const body = answer.slice(answer.indexOf('\r\n\r\n') + 4)
  try {
    return (JSON.parse(body) as { error: { code: string } }).error.code
  } catch {
    return null
  }
}

/** The rows of `tokenId` once there are `count` of them. Fails when there are more. */
export async function rowsOf(gateway: TestGateway, tokenId: string, count: number) {
  const own = async () => (await gateway.rows()).filter((row) => row.tokenId === tokenId)
  const rows = await eventually(async () => {
    const found = await own()
    return found.length >= count && found
  }, `${count} rows`)
  if (rows.length > count) throw new Error(`${rows.length} rows instead of ${count}`)
  return rows
}

/** A client that says `bytes` and then leaves in this manner, once `ready` has come. */
export function leave(url: string, bytes: string, how: 'FIN' | 'RST', ready: () => Promise<unknown>): Promise<string> {
  return new Promise((resolve) => {
    const { hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname)
    let heard = ''
    socket.on('data', (piece) => (heard += piece)).on('error', () => {})
    socket.on('close', () => resolve(heard))
    socket.write(bytes, async () => {
      await ready()
      if (how === 'FIN') socket.end()
      else socket.resetAndDestroy()
    })
  })
}
