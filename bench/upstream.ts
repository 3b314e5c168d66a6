import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { constants, createGzip, gzipSync } from 'node:zlib'
import { foreignAnswers } from './foreign-answers.ts'
import { CHUNKS, IDLE } from './requests.ts'

/*
 * The scripted provider, a process of its own. The header `x-bench` says what it answers: `json` (1 KB), `json-20k`, `sse` (100
 * events, one write each), `idle` (one event, then silence). `x-bench-gzip` makes it compress whatever the request accepts.
 */

const TICK_MS = 4

/** What OpenAI sends around an answer, so that the relays have real headers to carry. */
const HEADERS = [
  ['openai-organization', 'bench'],
  ['openai-processing-ms', '412'],
  ['openai-version', '2020-10-01'],
  ['x-ratelimit-limit-requests', '10000'],
  ['x-ratelimit-limit-tokens', '2000000'],
  ['x-ratelimit-remaining-requests', '9999'],
  ['x-ratelimit-remaining-tokens', '1999744'],
  ['x-ratelimit-reset-requests', '6ms'],
  ['x-ratelimit-reset-tokens', '7ms'],
  ['x-request-id', 'req_5f0c2b7d9a1e4c3f8b6d0e2a4c6f8b1d'],
  ['x-content-type-options', 'nosniff'],
  ['strict-transport-security', 'max-age=31536000; includeSubDomains; preload'],
].flat()

type Stream = { first: Buffer; rest: Buffer[] }

const encode = (text: string) => Buffer.from(text)
const texts = { json: answer(640), 'json-20k': answer(20_000) }
const json = Object.fromEntries(Object.entries(texts).map(([kind, text]) => [kind, encode(text)]))
const zippedJson = Object.fromEntries(Object.entries(texts).map(([kind, text]) => [kind, gzipSync(text, { level: 6 })]))
const streams = { plain: stream(events(false)), usage: stream(events(true)) }
const zippedStreams = { plain: stream(await zip(events(false))), usage: stream(await zip(events(true))) }

const FOREIGN = foreignAnswers(CHUNKS, words(640)).map(({ path, json, events }) => ({
  path,
  json: encode(json),
  sse: stream(events),
}))

const server = createServer((req, res) => {
  const pieces: Buffer[] = []
  req.on('data', (piece: Buffer) => pieces.push(piece))
  req.on('end', () => respond(req, res, pieces))
})
server.keepAliveTimeout = 120_000
server.listen(0, '127.0.0.1', 1024, () => {
  process.send?.({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
})
process.on('disconnect', () => process.exit())

function respond(req: IncomingMessage, res: ServerResponse, pieces: Buffer[]): void {
  if (req.headers['x-bench'] === undefined) return respondForeign(req, res, Buffer.concat(pieces))
  const kind = String(req.headers['x-bench'])
  const zipped = req.headers['x-bench-gzip'] !== undefined
  const encoding = zipped ? ['content-encoding', 'gzip'] : []
  const body = (zipped ? zippedJson : json)[kind]
  if (body) {
    const facts = ['content-type', 'application/json', 'content-length', String(body.length)]
    res.writeHead(200, [...facts, ...encoding, ...HEADERS]).end(body)
    return
  }
  const asked = pieces.some((piece) => piece.includes('"include_usage":true'))
  const { first, rest } = (zipped ? zippedStreams : streams)[asked ? 'usage' : 'plain']
  res.writeHead(200, ['content-type', 'text/event-stream; charset=utf-8', ...encoding, ...HEADERS])
  res.write(first)
  if (kind !== 'idle') sendPaced(res, rest)
}

/** A translated request: what is wanted stands in its path and its body alone. */
function respondForeign(req: IncomingMessage, res: ServerResponse, body: Buffer): void {
  const provider = FOREIGN.find(({ path }) => req.url!.includes(path))
  if (req.method !== 'POST' || !provider) return void res.writeHead(404).end()
  if (!req.url!.includes(':stream') && !body.includes('"stream":true')) {
    const facts = ['content-type', 'application/json', 'content-length', String(provider.json.length)]
    return void res.writeHead(200, [...facts, ...HEADERS]).end(provider.json)
  }
  res.writeHead(200, ['content-type', 'text/event-stream; charset=utf-8', ...HEADERS])
  res.write(provider.sse.first)
  if (!body.includes(`"${IDLE}`)) sendPaced(res, provider.sse.rest)
}

function sendPaced(res: ServerResponse, pieces: Buffer[]): void {
  let next = 0
  const timer = setInterval(() => {
    res.write(pieces[next++])
    // What follows the last token (usage, the end) comes at once, as providers send it.
    if (next < CHUNKS - 1) return
    clearInterval(timer)
    for (const piece of pieces.slice(next)) res.write(piece)
    res.end()
  }, TICK_MS)
  res.once('close', () => clearInterval(timer))
}

function words(length: number): string {
  return 'The quick brown fox jumps over the lazy dog. '.repeat(length / 45 + 1).slice(0, length)
}

function answer(length: number): string {
  const content = words(length)
  return JSON.stringify({
    id: 'chatcmpl-CbenchBenchBenchBenchBench',
    object: 'chat.completion',
    created: 1_763_700_000,
    model: 'gpt-4o-mini-2024-07-18',
    choices: [{ index: 0, message: { role: 'assistant', content }, logprobs: null, finish_reason: 'stop' }],
    usage: { prompt_tokens: 210, completion_tokens: Math.ceil(length / 4), total_tokens: 210 + Math.ceil(length / 4) },
    service_tier: 'default',
    system_fingerprint: 'fp_bench00000',
  })
}

/** `CHUNKS` events of 200 to 250 bytes, the usage where it was asked for, and the end. */
function events(withUsage: boolean): string[] {
  const event = (choices: unknown[], usage: object | null) =>
    `data: ${JSON.stringify({
      id: 'chatcmpl-CbenchBenchBenchBenchBench',
      object: 'chat.completion.chunk',
      created: 1_763_700_000,
      model: 'gpt-4o-mini-2024-07-18',
      choices,
      ...(withUsage && { usage }),
    })}\n\n`
  const list = Array.from({ length: CHUNKS }, (_, index) =>
    event([{ index: 0, delta: { content: ` token${index}` }, logprobs: null, finish_reason: null }], null),
  )
  if (withUsage) list.push(event([], { prompt_tokens: 210, completion_tokens: CHUNKS, total_tokens: 210 + CHUNKS }))
  return [...list, 'data: [DONE]\n\n']
}

/** Each event compressed and flushed by itself, as a provider that streams with gzip has to. */
async function zip(list: string[]): Promise<Buffer[]> {
  const gzip = createGzip({ level: 6, flush: constants.Z_SYNC_FLUSH })
  const pieces: Buffer[] = []
  for (const text of list) {
    await new Promise<void>((resolve) => gzip.write(text, () => resolve()))
    pieces.push(gzip.read() as Buffer)
  }
  const ended = new Promise<void>((resolve) => gzip.once('end', resolve))
  gzip.on('data', (piece: Buffer) => pieces.push(piece)).end()
  await ended
  return pieces
}

function stream(list: (string | Buffer)[]): Stream {
  const [first, ...rest] = list.map((piece) => (typeof piece === 'string' ? encode(piece) : piece))
  return { first: first!, rest }
}
