import { request } from 'node:http'
import { connect, type Socket } from 'node:net'

export type RawAnswer = {
  status: number
  statusText: string
  headers: string[]
  header(name: string): string | undefined
  body: Buffer
  ended: 'clean' | 'broken'
}

type Ask = { method?: string; headers?: Record<string, string> | string[]; body?: string | Buffer }

/** One request on a connection of its own; the answer as it came, also when it broke off. */
export function ask(url: string, { method = 'GET', headers = {}, body }: Ask = {}): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const req = request(url, { method, headers: headers as Record<string, string>, agent: false }, (res) => {
      const pieces: Buffer[] = []
      const done = (ended: RawAnswer['ended']) =>
        resolve({
          status: res.statusCode!,
          statusText: res.statusMessage!,
          headers: res.rawHeaders,
          header: (name) => [res.headers[name]].flat()[0],
          body: Buffer.concat(pieces),
          ended,
        })
      res.on('data', (piece: Buffer) => pieces.push(piece))
      res.on('end', () => done('clean'))
      res.on('error', () => done('broken'))
    })
    req.on('error', reject)
    req.end(body)
  })
}

/** A chat request with a proxy token. */
export const chat = (baseUrl: string, token: string, body: object = {}, headers: Record<string, string> = {}) =>
  ask(`${baseUrl}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'Hi' }], ...body }),
  })

/** Writes bytes as they are and gives back all that the server says until it closes the connection (or `until` matches). */
export function raw(url: string, bytes: string | Buffer, until?: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url)
    const socket: Socket = connect(Number(port), hostname)
    let heard = ''
    socket.on('data', (piece) => {
      heard += piece.toString('latin1')
      if (until?.test(heard)) socket.destroy()
    })
    socket.on('close', () => resolve(heard)).on('error', (error) => (heard === '' ? reject(error) : resolve(heard)))
    socket.write(bytes)
  })
}

/** Resolves once `condition` holds; asks again each turn of the event loop. Rejects after ten seconds. */
export async function eventually<T>(
  condition: () => Promise<T | false | undefined | null> | T | false | undefined | null,
  what = 'condition',
): Promise<T> {
  const deadline = performance.now() + 10_000
  for (;;) {
    const value = await condition()
    if (value) return value
    if (performance.now() > deadline) throw new Error(`Waited in vain for: ${what}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}
