import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

export type Seen = {
  method: string
  url: string
  headers: IncomingMessage['headers']
  rawHeaders: string[]
  body: Buffer
  /** Resolves when the gateway closed this request's connection before the answer's end. */
  aborted: Promise<void>
}

export type Script = (req: IncomingMessage, res: ServerResponse, seen: Seen) => void | Promise<void>

export type Upstream = {
  url: string
  /** Every request so far, oldest first. */
  seen: Seen[]
  /** What it does from now on. */
  script(script: Script): void
  /** The next request, or one that has come already and was not yet taken. */
  next(): Promise<Seen>
  close(): Promise<void>
}

/** A provider that does as it is told, on a real socket. `readsBody: false` leaves the request's body to the script. */
export async function startUpstream(
  first: Script = (_req, res) => sendJson(res, 200, chatAnswer()),
  { readsBody = true } = {},
): Promise<Upstream> {
  let script = first
  const seen: Seen[] = []
  const waiting: ((seen: Seen) => void)[] = []
  const untaken: Seen[] = []
  const sockets = new Set<Socket>()

  const server = createServer(async (req, res) => {
    const pieces: Buffer[] = []
    if (readsBody) for await (const piece of req) pieces.push(piece as Buffer)
    const aborted = new Promise<void>((resolve) => {
      res.once('close', () => {
        if (!res.writableEnded) resolve()
      })
    })
    const one: Seen = {
      method: req.method!,
      url: req.url!,
      headers: req.headers,
      rawHeaders: req.rawHeaders,
      body: Buffer.concat(pieces),
      aborted,
    }
    seen.push(one)
    const taker = waiting.shift()
    if (taker) taker(one)
    else untaken.push(one)
    await script(req, res, one)
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => {})
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    seen,
    script(next) {
      script = next
    },
    next: () => {
      const one = untaken.shift()
      return one ? Promise.resolve(one) : new Promise((resolve) => waiting.push(resolve))
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  }
}

export function sendJson(
  res: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  const text = JSON.stringify(body)
  res
    .writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text), ...headers })
    .end(text)
}

export const sseHead = { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' }

/** A chat answer as OpenAI gives it. */
export function chatAnswer(content = 'Hello!', usage = { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 }) {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1_790_000_000,
    model: 'gpt-4o-2024-08-06',
    choices: [
      { index: 0, message: { role: 'assistant', content, refusal: null }, logprobs: null, finish_reason: 'stop' },
    ],
    usage,
  }
}

/** The events of a streamed chat, as OpenAI sends them with (`usage`) or without `include_usage`. */
export function chatEvents(words: string[], usage: object | null = null): string[] {
  const chunk = (choices: unknown[], more: object = usage ? { usage: null } : {}) =>
    `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1_790_000_000, model: 'gpt-4o-2024-08-06', choices, ...more })}\n\n`
  return [
    chunk([
      { index: 0, delta: { role: 'assistant', content: '', refusal: null }, logprobs: null, finish_reason: null },
    ]),
    ...words.map((content) => chunk([{ index: 0, delta: { content }, logprobs: null, finish_reason: null }])),
    chunk([{ index: 0, delta: {}, logprobs: null, finish_reason: 'stop' }]),
    ...(usage ? [chunk([], { usage })] : []),
    'data: [DONE]\n\n',
  ]
}

/** Streams a chat, with usage when it was asked for. */
export const streamChat =
  (words: string[], usage = { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 }): Script =>
  (_req, res, { body }) => {
    const asked = (JSON.parse(body.toString()) as { stream_options?: { include_usage?: boolean } }).stream_options
      ?.include_usage
    res.writeHead(200, sseHead)
    for (const event of chatEvents(words, asked ? usage : null)) res.write(event)
    res.end()
  }
