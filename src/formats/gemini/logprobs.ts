import type { Json } from '../dialect.ts'
import type { HubLogprob } from '../hub.ts'
import { record, records, text } from '../read.ts'

type Alternative = Omit<HubLogprob, 'top'>

/** Of each token: the chosen one, and beside it the likeliest ones. */
export function parseLogprobs(result: unknown): HubLogprob[] | null {
  const { chosenCandidates, topCandidates } = record(result)
  if (!Array.isArray(chosenCandidates)) return null
  const tops = records(topCandidates)
  return records(chosenCandidates).map((chosen, index) => ({
    ...parseOne(chosen),
    top: records(tops[index]?.candidates).map(parseOne),
  }))
}

const parseOne = ({ token, logProbability }: Json): Alternative => ({
  token: text(token),
  logprob: typeof logProbability === 'number' ? logProbability : 0,
})

export const buildLogprobs = (logprobs: HubLogprob[]): Json => ({
  topCandidates: logprobs.map(({ top }) => ({ candidates: top.map(buildOne) })),
  chosenCandidates: logprobs.map(buildOne),
})

const buildOne = ({ token, logprob }: Alternative): Json => ({ token, logProbability: logprob })
