import { MANAGEMENT_TOKEN, type TestGateway } from '../../helpers/gateway.ts'
import { ask } from '../../helpers/http.ts'
import { sendJson, sseHead, startUpstream, type Upstream } from '../../helpers/upstream.ts'

type Stored = { id: string; object: string } & Record<string, unknown>

/** A provider whose accounts (one a key) see their own objects alone, as OpenAI's do. */
export type Accounts = {
  upstream: Upstream
  /** What an account has, by the key. */
  of(key: string): Map<string, Stored>
  /** The keys of all requests so far to paths that begin so. */
  keysAt(path: string): string[]
}

const KINDS: Record<string, [prefix: string, object: string]> = {
  files: ['file-', 'file'],
  batches: ['batch_', 'batch'],
  vector_stores: ['vs_', 'vector_store'],
  threads: ['thread_', 'thread'],
  assistants: ['asst_', 'assistant'],
  conversations: ['conv_', 'conversation'],
  responses: ['resp_', 'response'],
}

export async function startAccounts(): Promise<Accounts> {
  const accounts = new Map<string, Map<string, Stored>>()
  const of = (key: string) => {
    const known = accounts.get(key) ?? new Map<string, Stored>()
    accounts.set(key, known)
    return known
  }
  let made = 0
  const keyOf = (headers: { authorization?: string }) => headers.authorization!.replace('Bearer ', '')

  const upstream = await startUpstream((_req, res, { method, url, headers, body }) => {
    const own = of(keyOf(headers))
    const [, , kind = '', id, ...rest] = new URL(url, 'http://x').pathname.split('/')
    const [prefix, object] = KINDS[kind] ?? ['x_', 'x']
    const asked = headers['content-type']?.startsWith('application/json') ? JSON.parse(body.toString()) : {}
    for (const needed of [asked.input_file_id, asked.previous_response_id, ...(asked.file_ids ?? [])])
      if (needed !== undefined && !own.has(needed)) return sendJson(res, 404, notThere(needed))
    if (id === undefined && method === 'GET') {
      const data = [...own.values()].filter((one) => one.object === object)
      return sendJson(res, 200, {
        object: 'list',
        data,
        first_id: data[0]?.id,
        last_id: data.at(-1)?.id,
        has_more: false,
      })
    }
    if (id === undefined) {
      const one: Stored = { id: `${prefix}${++made}`, object, metadata: asked.metadata ?? {} }
      own.set(one.id, one)
      if (kind === 'batches') {
        const output = { id: `file-out${made}`, object: 'file' }
        own.set(output.id, output)
        one.output_file_id = output.id
      }
      if (kind !== 'responses') return sendJson(res, 200, one)
      if (!asked.stream) return sendJson(res, 200, responseOf(one.id))
      res.writeHead(200, sseHead)
      res.write(
        event({
          type: 'response.created',
          sequence_number: 0,
          response: { ...responseOf(one.id), status: 'in_progress' },
        }),
      )
      return void res.end(event({ type: 'response.completed', sequence_number: 1, response: responseOf(one.id) }))
    }
    const one = own.get(id)
    if (one === undefined) return sendJson(res, 404, notThere(id))
    if (method === 'DELETE') own.delete(id)
    if (rest[0] === 'content')
      return void res.writeHead(200, { 'content-type': 'application/octet-stream' }).end('bytes')
    sendJson(res, 200, rest.length === 0 ? one : { id: `${rest[0]}_of_${id}`, object: rest[0] })
  })
  const keysAt = (path: string) =>
    upstream.seen.filter(({ url }) => url.startsWith(path)).map(({ headers }) => keyOf(headers))
  return { upstream, of, keysAt }
}

const notThere = (id: string) => ({
  error: { message: `No such object: ${id}`, type: 'invalid_request_error', param: 'id', code: null },
})

const event = (data: { type: string; [member: string]: unknown }) =>
  `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`

const responseOf = (id: string) => ({
  id,
  object: 'response',
  status: 'completed',
  model: 'gpt-4o',
  output: [
    {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      content: [{ type: 'output_text', text: 'Hi', annotations: [] }],
    },
  ],
  usage: { input_tokens: 3, output_tokens: 1, total_tokens: 4 },
})

/** A key of a project's own; its id. */
export async function addKey(
  gateway: TestGateway,
  projectId: string,
  key: string,
  provider = 'openai',
): Promise<string> {
  const answer = await manage(gateway, 'POST', `/projects/${projectId}/provider-keys`, { provider, key })
  return (answer as { id: string }).id
}

export async function manage(gateway: TestGateway, method: string, path: string, body?: object): Promise<unknown> {
  const { status, body: said } = await ask(`${gateway.url}/manage${path}`, {
    method,
    headers: { authorization: `Bearer ${MANAGEMENT_TOKEN}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  })
  if (status >= 300) throw new Error(`${method} ${path}: ${status} ${said.toString()}`)
  return said.length === 0 ? null : JSON.parse(said.toString())
}

/** Requests of one client. */
export function client(gateway: TestGateway, secret: string) {
  const call = async (method: string, path: string, body?: object, headers: Record<string, string> = {}) => {
    const answer = await ask(`${gateway.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${secret}`, ...(body && { 'content-type': 'application/json' }), ...headers },
      ...(body && { body: JSON.stringify(body) }),
    })
    const text = answer.body.toString()
    // biome-ignore lint/suspicious/noExplicitAny: what the scripted provider says is known to the test
    const json: any = text.startsWith('{') ? JSON.parse(text) : null
    return { ...answer, text, json }
  }
  return {
    get: (path: string, headers?: Record<string, string>) => call('GET', path, undefined, headers),
    post: (path: string, body: object = {}) => call('POST', path, body),
    delete: (path: string) => call('DELETE', path),
    /** A file as SDKs send it; its id. */
    async upload(headers: Record<string, string> = {}): Promise<string> {
      const form = new FormData()
      form.set('purpose', 'batch')
      form.set('file', new Blob(['{}\n']), 'batch.jsonl')
      const request = new Request(`${gateway.url}/v1/files`, { method: 'POST', body: form })
      const answer = await ask(`${gateway.url}/v1/files`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${secret}`,
          'content-type': request.headers.get('content-type')!,
          ...headers,
        },
        body: Buffer.from(await request.arrayBuffer()),
      })
      return (JSON.parse(answer.body.toString()) as { id: string }).id
    },
  }
}
