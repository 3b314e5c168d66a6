import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { likeOpenAi, type Provider } from './provider.ts'

/** The built-in provider for a first try without any key: it says the last user message back. Its base URL is set at start. */
export const demo: Provider = {
  ...likeOpenAi,
  name: 'demo',
  baseUrl: null,
  rateLimits: null,
}

export const DEMO_MODEL = 'demo'

export type DemoServer = { url: string; close(): Promise<void> }

type Body = Record<string, unknown>

/**
 * Serves the demo provider on a free loopback port, in OpenAI's dialect: models, chat (JSON and SSE, with usage), embeddings.
 * Deterministic: the same request gets the same answer, but for its time.
 */
export async function startDemo(): Promise<DemoServer> {
  const server = createServer((req, res) => void answer(req, res))
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  server.unref()
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
  try {
    const path = (req.url ?? '').split('?')[0]
    if (req.method === 'GET' && path === '/v1/models') return json(res, 200, { object: 'list', data: [modelCard] })
    if (req.method === 'GET' && path === `/v1/models/${DEMO_MODEL}`) return json(res, 200, modelCard)
    const body = req.method === 'POST' ? await readBody(req) : {}
    if (req.method === 'POST' && path === '/v1/chat/completions')
      return body.stream === true ? streamChat(body, res) : chat(body, res)
    if (req.method === 'POST' && path === '/v1/embeddings') return embeddings(body, res)
    fail(
      res,
      404,
      `The demo provider has no ${req.method} ${path}. It does chat completions, embeddings and models; set a provider key for the rest.`,
    )
  } catch {
    fail(res, 400, 'The demo provider could not read this request.')
  }
}

const modelCard = { id: DEMO_MODEL, object: 'model', created: 1_700_000_000, owned_by: 'llm-proxy' }
const head = (object: string) => ({
  id: 'chatcmpl-demo',
  object,
  created: Math.floor(Date.now() / 1000),
  model: DEMO_MODEL,
})

function chat(body: Body, res: ServerResponse): void {
  const content = lastUserMessage(body)
  json(res, 200, {
    ...head('chat.completion'),
    choices: [
      { index: 0, message: { role: 'assistant', content, refusal: null }, logprobs: null, finish_reason: 'stop' },
    ],
    usage: usageFor(body, content),
  })
}

function streamChat(body: Body, res: ServerResponse): void {
  const content = lastUserMessage(body)
  const withUsage = (body.stream_options as { include_usage?: unknown } | undefined)?.include_usage === true
  const event = (choices: unknown[], usage: unknown = null) => {
    const chunk = { ...head('chat.completion.chunk'), choices, ...(withUsage && { usage }) }
    res.write(`data: ${JSON.stringify(chunk)}\n\n`)
  }
  const delta = (delta: Body, finish_reason: string | null = null) =>
    event([{ index: 0, delta, logprobs: null, finish_reason }])
  res.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' })
  delta({ role: 'assistant', content: '', refusal: null })
  for (const word of content.match(/\S+\s*|\s+/g) ?? []) delta({ content: word })
  delta({}, 'stop')
  if (withUsage) event([], usageFor(body, content))
  res.end('data: [DONE]\n\n')
}

function embeddings(body: Body, res: ServerResponse): void {
  const inputs = Array.isArray(body.input) && typeof body.input[0] !== 'number' ? body.input : [body.input]
  const data = inputs.map((input, index) => {
    const vector = embed(typeof input === 'string' ? input : JSON.stringify(input ?? ''))
    // The official SDKs ask for base64: little-endian 32-bit floats.
    const embedding = body.encoding_format === 'base64' ? Buffer.from(vector.buffer).toString('base64') : [...vector]
    return { object: 'embedding', index, embedding }
  })
  const prompt_tokens = inputs.reduce((sum, input) => sum + words(String(input)), 0)
  json(res, 200, { object: 'list', data, model: DEMO_MODEL, usage: { prompt_tokens, total_tokens: prompt_tokens } })
}

/** A unit vector of eight numbers made of the text's characters: no meaning, but the same text has the same one. */
function embed(text: string): Float32Array {
  const vector = new Float32Array(8)
  for (let i = 0; i < text.length; i++) vector[i % 8]! += text.charCodeAt(i) / 128
  const length = Math.hypot(...vector) || 1
  return vector.map((value) => value / length)
}

function lastUserMessage(body: Body): string {
  const messages = Array.isArray(body.messages) ? (body.messages as { role?: unknown; content?: unknown }[]) : []
  const content = messages.findLast((message) => message?.role === 'user')?.content
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content.map((part: { text?: unknown }) => (typeof part?.text === 'string' ? part.text : '')).join('')
}

/** One word, one token: easy to check by eye. */
const words = (text: string) => text.match(/\S+/g)?.length ?? 0

function usageFor(body: Body, content: string) {
  const messages = Array.isArray(body.messages) ? (body.messages as { content?: unknown }[]) : []
  const prompt_tokens = messages.reduce(
    (sum, { content }) => sum + words(typeof content === 'string' ? content : JSON.stringify(content ?? '')),
    0,
  )
  const completion_tokens = words(content)
  return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens }
}

async function readBody(req: IncomingMessage): Promise<Body> {
  const pieces: Buffer[] = []
  for await (const piece of req) pieces.push(piece as Buffer)
  return JSON.parse(Buffer.concat(pieces).toString('utf8')) as Body
}

function json(res: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body)
  res.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }).end(text)
}

const fail = (res: ServerResponse, status: number, message: string) =>
  json(res, status, { error: { message, type: 'invalid_request_error', param: null, code: null } })
