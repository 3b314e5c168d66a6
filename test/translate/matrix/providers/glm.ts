import { z } from 'zod'
import type { Speech, Talk } from '../provider.ts'
import { type Failure, RETRY_AFTER } from '../script.ts'
import { type ChatRequest, hear, isStream, type Manner, modelOf, resultProblems, stream, usage, whole } from './chat.ts'
import { firstProblem } from './shapes.ts'

/*
 * Z.ai's GLM: OpenAI's format with thoughts as `reasoning_content`, as DeepSeek, Moonshot and xAI have it. It passes over fields that
 * it does not know. Like its cousins (DeepSeek and Moonshot, see model-facts.ts) it wants what it thought back with the calls that this
 * led to; clients who put streams together may have a part of it, or nothing.
 */

const request = z.looseObject({
  model: z.string(),
  messages: z.array(z.looseObject({ role: z.enum(['system', 'user', 'assistant', 'tool']) })).min(1),
})

type Thinking = { messages: { role: string; tool_calls?: unknown[]; reasoning_content?: string }[] }

function* problems({ body, memory }: Talk): Generator<string> {
  yield* resultProblems(body as ChatRequest)
  const thoughts = [...memory.seals.values()]
  const isThought = (text: string | undefined) => text !== undefined && thoughts.some((one) => one.includes(text))
  const bare = (body as Thinking).messages.find((one) => one.tool_calls && !isThought(one.reasoning_content))
  if (thoughts.length > 0 && bare) yield 'reasoning_content is missing in assistant tool call message'
}

const manner: Manner = {
  id: '20260101Scripted',
  served: (model) => model,
  newCallId: (number) => `call_${number}00200300`,
  thought: (text) => ({ reasoning_content: text }),
  refusal: (text) => ({ content: text }),
  refusalReason: 'sensitive',
  usage,
  usageIn: 'last',
  callsWhole: true,
  idle: {},
}

const FAILED: Record<Failure, [status: number, code: string]> = {
  bad_request: [400, '1210'],
  wrong_key: [401, '1002'],
  forbidden: [403, '1220'],
  not_found: [404, '1211'],
  too_long: [400, '1261'],
  rate_limit: [429, '1302'],
  server: [500, '500'],
  overloaded: [503, '1234'],
}

/** It has no seals: a thought is known by its text. */
const remember = ({ memory }: Talk, thought: string | undefined) => {
  if (thought !== undefined) memory.seals.set(thought, thought)
}

export const glmSpeech: Speech = {
  isStream,
  modelOf,
  check(talk, { url }) {
    if (url !== '/v1/chat/completions') return `There is nothing at ${url}.`
    return firstProblem(request, talk.body) ?? problems(talk).next().value ?? null
  },
  hear,
  whole(answer, talk) {
    remember(talk, answer.thought)
    return whole(answer, talk, manner)
  },
  stream(answer, talk) {
    remember(talk, answer.thought)
    return stream(answer, talk, manner)
  },
  streamFailure: `data: ${JSON.stringify({ error: { code: '1234', message: 'Overloaded' } })}\n\n`,
  failure(kind, words) {
    const [status, code] = FAILED[kind]
    const headers: Record<string, string> = kind === 'rate_limit' ? { 'retry-after': String(RETRY_AFTER) } : {}
    return { status, body: { error: { code, message: words } }, headers }
  },
}
