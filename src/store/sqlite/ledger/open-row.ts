import type { OpenRequest } from '../../store.ts'
import type { Bound, RawRow } from './columns.ts'

export const OPEN_COLUMNS = [
  'request_id',
  'at',
  'token_id',
  'project_id',
  'method',
  'endpoint',
  'model',
  'provider',
  'stream',
  'input_tokens',
  'reserved_nano_usd',
  'process',
]

export const bindOpen = (open: OpenRequest): Bound[] => [
  open.requestId,
  open.at,
  open.tokenId,
  open.projectId,
  open.method,
  open.endpoint,
  open.model,
  open.provider,
  open.stream ? 1 : 0,
  open.inputTokens,
  open.reservedNanoUsd,
  open.process,
]

export function toOpen(raw: RawRow): OpenRequest {
  const text = (name: string) => raw[name] as string
  return {
    requestId: text('request_id'),
    at: raw.at as number,
    tokenId: text('token_id'),
    projectId: text('project_id'),
    method: text('method'),
    endpoint: text('endpoint'),
    model: text('model'),
    provider: text('provider'),
    stream: raw.stream === 1,
    inputTokens: raw.input_tokens as number,
    reservedNanoUsd: BigInt(text('reserved_nano_usd')),
    process: text('process'),
  }
}

/** True of what `bindOpen` never writes. */
export const IS_ODD_OPEN =
  "typeof(at) <> 'integer' OR typeof(input_tokens) <> 'integer' OR typeof(reserved_nano_usd) <> 'integer' OR reserved_nano_usd < 0"
