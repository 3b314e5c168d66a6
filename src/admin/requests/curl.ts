import type { KeptRequest, LedgerRow } from '../../store/store.ts'

/** `missing`: why the body is not in it. */
export type Curl = { command: string; missing: string | null }

/** Headers that change what is answered; credentials are never kept. */
const TOLD = /^(?:accept|anthropic-version|anthropic-beta|openai-beta|content-type)$/i

/**
 * The request as a command, with the token in `LLM_PROXY_TOKEN`. `kept`: what the client sent, where it was read; without it the body
 * is expected in a file.
 */
export function curlOf(
  { method, endpoint }: Pick<LedgerRow, 'method' | 'endpoint'>,
  kept: KeptRequest | null,
  origin: string,
): Curl {
  const { body, missing } = bodyOf(method, kept)
  const headers = (kept?.headers ?? [['content-type', 'application/json']]).filter(([name]) => TOLD.test(name))
  const parts = [
    `curl ${quote(origin + (kept?.path ?? endpoint))}`,
    ...(method === 'POST' && body !== null ? [] : [`-X ${quote(method)}`]),
    '-H "Authorization: Bearer $LLM_PROXY_TOKEN"',
    ...(body === null ? [] : headers.map(([name, value]) => `-H ${quote(`${name}: ${value}`)}`)),
    ...(body === null ? [] : [body]),
  ]
  return { command: parts.join(' \\\n  '), missing }
}

function bodyOf(method: string, kept: KeptRequest | null): { body: string | null; missing: string | null } {
  if (method === 'GET' || method === 'HEAD' || method === 'DELETE') return { body: null, missing: null }
  const inFile = (missing: string) => ({ body: '--data-binary @request.json', missing })
  if (kept === null) return inFile('Put the body of the request into request.json: it is not shown here.')
  if (kept.body.text === null || kept.body.truncated)
    return inFile('Put the body of the request into request.json: not all of it was kept.')
  return kept.body.size === 0
    ? { body: null, missing: null }
    : { body: `--data-raw ${quote(kept.body.text)}`, missing: null }
}

/** One word to a shell, whatever is in it. */
const quote = (text: string) => (/^[\w./:=@-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`)
