import { type IncomingMessage, type OutgoingHttpHeader, type OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { Capture, omittedBy } from './capture.ts'

type Headers = OutgoingHttpHeaders | OutgoingHttpHeader[]
type Done = (error?: Error | null) => void

/** A response that remembers what was sent: headers as they went out, and the beginning of its body. */
export type RecordedResponse = ServerResponse & {
  /** Flat list; null while nothing was sent. */
  readonly sentHeaders: string[] | null
  /** Null while nothing was sent. */
  readonly sentBody: Capture | null
}

/**
 * The class of the server's responses while answers are kept (`ServerResponse` in `createServer`): whoever answers, and in which
 * way, it passes here. Methods of a class, since functions that are made for each request are dear (docs/architecture.md).
 */
export function recordedResponse(maxBytes: number) {
  return class<Request extends IncomingMessage> extends ServerResponse<Request> {
    sentHeaders: string[] | null = null
    sentBody: Capture | null = null

    override writeHead(status: number, statusMessage?: string, headers?: Headers): this
    override writeHead(status: number, headers?: Headers): this
    override writeHead(status: number, second?: string | Headers, third?: Headers): this {
      if (typeof second === 'string') super.writeHead(status, second, third)
      else super.writeHead(status, second)
      const sent = headersOf(this, typeof second === 'string' ? third : second)
      this.sentHeaders = sent
      this.sentBody = new Capture(omittedBy(sent) === null ? maxBytes : 0)
      return this
    }

    override write(chunk: unknown, encoding?: BufferEncoding | Done, done?: Done): boolean {
      const isGone = this.destroyed
      const taken = super.write(chunk, encoding as BufferEncoding, done)
      if (!isGone) this.#note(chunk, encoding)
      return taken
    }

    override end(chunk?: unknown, encoding?: BufferEncoding | (() => void), done?: () => void): this {
      const isOver = this.writableEnded || this.destroyed
      super.end(chunk, encoding as BufferEncoding, done)
      if (!isOver && typeof chunk !== 'function') this.#note(chunk, encoding)
      return this
    }

    #note(chunk: unknown, encoding: unknown): void {
      if (chunk === undefined || chunk === null) return
      if (typeof chunk !== 'string') this.sentBody?.add(chunk as Uint8Array)
      else this.sentBody?.add(Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8'))
    }
  }
}

/** Node keeps those that were set one by one, and then adds those given here; otherwise what is given is all. */
function headersOf(res: ServerResponse, given: Headers = []): string[] {
  const names = res.getHeaderNames()
  if (names.length > 0) return flat(names.map((name) => [name, res.getHeader(name)]))
  return Array.isArray(given) ? given.map(String) : flat(Object.entries(given))
}

const flat = (headers: (readonly [string, OutgoingHttpHeader | undefined])[]) =>
  headers.flatMap(([name, value]) => [value].flat().flatMap((one) => (one === undefined ? [] : [name, String(one)])))
