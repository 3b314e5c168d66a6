import { createHash } from 'node:crypto'
import { type IncomingMessage, type RequestOptions, request } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { memoryOf } from '../helpers/child.ts'

export const MB = 1024 * 1024

/** So many megabytes that are all different, made as they are taken. */
export function* megabytes(count: number): Generator<Buffer> {
  for (let number = 0; number < count; number++) {
    const piece = Buffer.alloc(MB, number & 0xff)
    piece.writeUInt32LE(number)
    yield piece
  }
}

export async function sha256Of(
  source: AsyncIterable<Buffer> | Iterable<Buffer>,
): Promise<{ hash: string; bytes: number }> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const piece of source) {
    hash.update(piece)
    bytes += piece.length
  }
  return { hash: hash.digest('hex'), bytes }
}

/** Sends a body piece by piece at the speed of the receiver; resolves with the answer, its body still to be read. */
export function upload(
  url: string,
  { headers = {}, ...options }: RequestOptions & { headers?: Record<string, string> },
  body: Iterable<Buffer>,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const req = request(url, { method: 'POST', agent: false, headers, ...options })
    req.on('response', resolve).on('error', reject)
    // What goes wrong is told by the request.
    pipeline(Readable.from(body, { objectMode: false, highWaterMark: MB }), req).catch(() => {})
  })
}

export async function textOf(message: IncomingMessage): Promise<string> {
  let text = ''
  for await (const piece of message) text += piece
  return text
}

/** By how much a process' memory grew at most while `work` was done. */
export async function growthDuring(pid: number, work: () => Promise<void>): Promise<number> {
  const before = memoryOf(pid).now
  let most = before
  const timer = setInterval(() => {
    most = Math.max(most, memoryOf(pid).now)
  }, 20)
  try {
    await work()
  } finally {
    clearInterval(timer)
  }
  return Math.max(most, memoryOf(pid).now) - before
}
