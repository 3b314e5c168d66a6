import { type AddressInfo, createServer, type Socket } from 'node:net'

export type RawProvider = {
  url: string
  /** What it says to the next requests, byte for byte; `then` is what it does with the connection after that. */
  says(bytes: string | Buffer | (string | Buffer)[], then?: 'wait' | 'end' | 'reset'): void
  /** What it does with the connection of the next requests. */
  does(act: (socket: Socket) => void): void
  /** Resolves when the connection of the last request is closed. */
  closed(): Promise<void>
  close(): Promise<void>
}

/** A provider that is not bound by HTTP: it reads a request, and then says whatever it is told to. */
export async function startRawProvider(): Promise<RawProvider> {
  let act: (socket: Socket) => void = (socket) => socket.end()
  let last: Promise<void> = Promise.resolve()
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    const closed = new Promise<void>((resolve) => {
      socket.on('close', () => {
        sockets.delete(socket)
        resolve()
      })
    })
    socket.on('error', () => {})
    let heard = ''
    socket.on('data', (piece) => {
      heard += piece.toString('latin1')
      const end = heard.indexOf('\r\n\r\n')
      const length = Number(/content-length: (\d+)/i.exec(heard)?.[1] ?? 0)
      if (end === -1 || heard.length < end + 4 + length) return
      heard = ''
      last = closed
      act(socket)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    says(bytes, then = 'wait') {
      act = (socket) => {
        const pieces = [bytes].flat()
        pieces.forEach((piece, index) => {
          socket.write(piece, () => {
            if (index < pieces.length - 1 || then === 'wait') return
            if (then === 'end') socket.end()
            else socket.resetAndDestroy()
          })
        })
      }
    },
    does(next) {
      act = next
    },
    closed: () => last,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  }
}

export const ANSWER = '{"id":"x","model":"m","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}'

/** An answer of 200 with these header lines (each ends in CRLF). */
export const ok = (head: string, body: string | Buffer = ANSWER) =>
  Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n${head}\r\n`), Buffer.from(body)])
