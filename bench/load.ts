import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { type Ask, requestBytes } from './requests.ts'

/*
 * The load generator, a process of its own: HTTP/1.1 on bare sockets, so many connections, each with one request at a time.
 * It reads answers as little as it can, but a wrong status or an incomplete answer fails the run.
 */

export type Order =
  | { type: 'open'; url: string; ask: Ask; connections: number }
  /** Until the time is over, or so many answers are here. `pauseMs`: of each connection, between two requests. */
  | { type: 'run'; ms: number; requests?: number; pauseMs?: number }
  /** One request on every connection that has none; done when all answers have begun. */
  | { type: 'hold' }
  | { type: 'close' }
/** Latencies in milliseconds, from the first byte out to the last byte in. */
export type Ran = { requests: number; bytes: number; ms: number; p50: number; p99: number }
export type Report = { ran?: Ran; error?: string }

const TAIL = 48
const HOLD_AT_ONCE = 64

type Connection = {
  socket: Socket
  /** Sends the request; resolves with the bytes of the answer once it is whole, with `begun` once its first event is here. */
  ask(begun: boolean): Promise<number>
}

let request: Buffer = Buffer.alloc(0)
let open: Connection[] = []
let held = 0

process.on('message', (order: Order) => {
  carryOut(order).then(
    (ran) => process.send!({ ran } satisfies Report),
    (error: Error) => process.send!({ error: error.message } satisfies Report),
  )
})
process.on('disconnect', () => process.exit())

async function carryOut(order: Order): Promise<Ran | undefined> {
  switch (order.type) {
    case 'open': {
      request = requestBytes(order.url, order.ask)
      const streamed = !order.ask.kind.startsWith('json')
      const readable = order.ask.gzip !== true
      for (let missing = order.connections; missing > 0; missing -= HOLD_AT_ONCE) {
        const some = Array.from({ length: Math.min(missing, HOLD_AT_ONCE) }, () =>
          openConnection(order.url, streamed && readable),
        )
        open.push(...(await Promise.all(some)))
      }
      return
    }
    case 'run':
      return run(order.ms, order.requests ?? Number.POSITIVE_INFINITY, order.pauseMs ?? 0)
    case 'hold':
      for (; held < open.length; held += HOLD_AT_ONCE) {
        await Promise.all(open.slice(held, held + HOLD_AT_ONCE).map((connection) => connection.ask(true)))
      }
      held = open.length
      return
    case 'close':
      for (const { socket } of open) socket.destroy()
      open = []
      held = 0
  }
}

async function run(ms: number, requests: number, pauseMs: number): Promise<Ran> {
  const latencies: number[] = []
  let bytes = 0
  const started = performance.now()
  const until = started + ms
  const loop = async (connection: Connection) => {
    for (let at = started; at < until && latencies.length < requests; ) {
      bytes += await connection.ask(false)
      const now = performance.now()
      latencies.push(now - at)
      at = now
      if (pauseMs === 0) continue
      await delay(pauseMs)
      at = performance.now()
    }
  }
  await Promise.all(open.map(loop))
  const took = performance.now() - started
  latencies.sort((a, b) => a - b)
  const quantile = (share: number) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))]!
  return { requests: latencies.length, bytes, ms: took, p50: quantile(0.5), p99: quantile(0.99) }
}

function openConnection(url: string, endsWithDone: boolean): Promise<Connection> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname)
    socket.setNoDelay(true)
    let waiting: { begun: boolean; resolve(bytes: number): void; reject(error: Error): void } | null = null
    let head = ''
    let bytes = 0
    /** Left of a body of known length; -1: the chunks tell. */
    let left = 0
    let tail: Buffer = Buffer.alloc(0)

    const finish = (error?: Error) => {
      const who = waiting
      waiting = null
      if (error) who?.reject(error)
      else who?.resolve(bytes)
    }
    const readHead = (piece: Buffer): Buffer | null => {
      const before = head.length
      head += piece.toString('latin1')
      const end = head.indexOf('\r\n\r\n')
      if (end === -1) return null
      if (!head.startsWith('HTTP/1.1 200')) {
        finish(new Error(`${url} answered: ${head.slice(0, 600)}`))
        return null
      }
      const length = /\r\ncontent-length: *(\d+)/i.exec(head.slice(0, end + 2))
      left = length ? Number(length[1]) : -1
      head = 'read'
      return piece.subarray(end + 4 - before)
    }
    const keepTail = (piece: Buffer) => {
      tail = piece.length >= TAIL ? piece.subarray(-TAIL) : Buffer.concat([tail, piece]).subarray(-TAIL)
    }

    socket.on('connect', () => {
      socket.off('error', reject)
      socket.on('error', (error) => finish(error))
      resolve({
        socket,
        ask: (begun) =>
          new Promise((done, failed) => {
            if (socket.destroyed) return failed(new Error(`${url} closed a kept connection.`))
            waiting = { begun, resolve: done, reject: failed }
            head = ''
            bytes = 0
            tail = Buffer.alloc(0)
            socket.write(request)
          }),
      })
    })
    socket.on('data', (piece) => {
      bytes += piece.length
      const body = head === 'read' ? piece : readHead(piece)
      if (body === null || waiting === null) return
      if (waiting.begun) return body.length > 0 ? finish() : undefined
      if (left >= 0) {
        left -= body.length
        return left === 0 ? finish() : undefined
      }
      keepTail(body)
      if (!tail.subarray(-5).equals(LAST_CHUNK)) return
      finish(endsWithDone && !tail.includes('[DONE]') ? new Error(`${url}: a stream without its end`) : undefined)
    })
    socket.on('close', () => finish(new Error(`${url} closed the connection within an answer.`)))
    socket.on('error', reject)
  })
}

const LAST_CHUNK = Buffer.from('0\r\n\r\n')
