import type { Json } from '../dialect.ts'
import type { HubLogprob } from '../hub.ts'
import { record, records, text } from '../read.ts'

type Alternative = Omit<HubLogprob, 'top'>

export function parseLogprobs(logprobs: unknown): HubLogprob[] | null {
  const { content } = record(logprobs)
  if (!Array.isArray(content)) return null
  return records(content).map((entry) => ({ ...parseOne(entry), top: records(entry.top_logprobs).map(parseOne) }))
}

const parseOne = ({ token, logprob, bytes }: Json): Alternative => ({
  token: text(token),
  logprob: typeof logprob === 'number' ? logprob : 0,
  ...(Array.isArray(bytes) && { bytes: bytes as number[] }),
})

export const buildLogprobs = (logprobs: HubLogprob[]): Json => ({
  content: logprobs.map((entry) => ({ ...buildOne(entry), top_logprobs: entry.top.map(buildOne) })),
  refusal: null,
})

const buildOne = ({ token, logprob, bytes }: Alternative): Json => ({
  token,
  logprob,
  bytes: bytes ?? [...Buffer.from(token)],
})
