import type { Json } from './dialect.ts'
import type { HubLogprob } from './hub.ts'
import { records, text } from './read.ts'

/* Probabilities of tokens, one entry for each token, as all of OpenAI's APIs write them. */

type Alternative = Omit<HubLogprob, 'top'>

export const parseLogprobs = (entries: unknown): HubLogprob[] =>
  records(entries).map((entry) => ({ ...parseOne(entry), top: records(entry.top_logprobs).map(parseOne) }))

const parseOne = ({ token, logprob, bytes }: Json): Alternative => ({
  token: text(token),
  logprob: typeof logprob === 'number' ? logprob : 0,
  ...(Array.isArray(bytes) && { bytes: bytes as number[] }),
})

export const buildLogprobs = (logprobs: HubLogprob[]): Json[] =>
  logprobs.map((entry) => ({ ...buildOne(entry), top_logprobs: entry.top.map(buildOne) }))

const buildOne = ({ token, logprob, bytes }: Alternative): Json => ({
  token,
  logprob,
  bytes: bytes ?? [...Buffer.from(token)],
})
