/** Events with text in a streamed answer of the scripted provider. */
export const CHUNKS = 100

export type Kind = 'json' | 'json-20k' | 'sse' | 'sse-usage' | 'idle'
/** `model`: of another provider, in another dialect. */
export type Ask = { kind: Kind; token: string; gzip?: boolean; model?: string }

const BODY_BYTES = 1024
/** What a request for a silent stream says: the header that tells it is not passed on where the request is translated. */
export const IDLE = 'idle '

/** The bytes of one request as OpenAI's SDK for Node sends it: a body of 1 KB, and its usual headers. */
export function requestBytes(url: string, { kind, token, gzip = false, model = 'gpt-4o-mini' }: Ask): Buffer {
  const body = requestBody(kind, model)
  const lines = [
    'POST /v1/chat/completions HTTP/1.1',
    `host: ${new URL(url).host}`,
    `authorization: Bearer ${token}`,
    'accept: application/json',
    'content-type: application/json',
    'user-agent: OpenAI/JS 7.55.0',
    'x-stainless-arch: x64',
    'x-stainless-lang: js',
    'x-stainless-os: Linux',
    'x-stainless-package-version: 7.55.0',
    'x-stainless-retry-count: 0',
    'x-stainless-runtime: node',
    'x-stainless-runtime-version: v24.21.0',
    'x-stainless-timeout: 600',
    `x-bench: ${kind.replace('-usage', '')}`,
    ...(gzip ? ['x-bench-gzip: 1'] : []),
    'connection: keep-alive',
    `content-length: ${body.length}`,
    '',
    body,
  ]
  return Buffer.from(lines.join('\r\n'))
}

function requestBody(kind: Kind, model: string): string {
  const json = (content: string) =>
    JSON.stringify({
      model,
      messages: [
        { role: 'system', content: 'You are a helpful assistant.' },
        { role: 'user', content },
      ],
      max_tokens: 256,
      temperature: 0.7,
      ...(!kind.startsWith('json') && { stream: true }),
      ...(kind === 'sse-usage' && { stream_options: { include_usage: true } }),
    })
  const mark = kind === 'idle' ? IDLE : ''
  return json(mark + 'x'.repeat(BODY_BYTES - json(mark).length))
}
