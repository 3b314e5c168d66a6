import { z } from 'zod'
import type { Speech, Talk } from '../provider.ts'
import { type Answer, type Failure, RETRY_AFTER, USAGE } from '../script.ts'
import {
  type ChatRequest,
  format,
  hear,
  isStream,
  type Manner,
  modelOf,
  namedTool,
  resultProblems,
  stream,
  tool,
  toolCall,
  whole,
} from './chat.ts'
import { address, dataAddress, firstProblem } from './shapes.ts'

/*
 * Mistral's chat completions, after its API specification, recorded answers, and the refusals that users have reported: 422 for every
 * field that it does not know, ids of nine letters and digits, no word of the user right behind a tool's
 * (github.com/avante-corp/avante.nvim/pull/2695).
 */

const text = z.strictObject({ type: z.literal('text'), text: z.string() })
const thinking = z.strictObject({ type: z.literal('thinking'), thinking: z.array(text) })
const url = z.union([address, dataAddress])
const image = z.strictObject({
  type: z.literal('image_url'),
  image_url: z.union([url, z.strictObject({ url, detail: z.enum(['auto', 'low', 'high']).optional() })]),
})

const message = z.discriminatedUnion('role', [
  z.strictObject({ role: z.literal('system'), content: z.union([z.string(), z.array(text)]) }),
  z.strictObject({
    role: z.literal('user'),
    content: z.union([z.string(), z.array(z.discriminatedUnion('type', [text, image]))]),
  }),
  z.strictObject({
    role: z.literal('assistant'),
    content: z.union([z.string(), z.array(z.discriminatedUnion('type', [text, thinking]))]).nullish(),
    tool_calls: z.array(toolCall.extend({ index: z.int().optional() })).nullish(),
    prefix: z.boolean().optional(),
  }),
  z.strictObject({
    role: z.literal('tool'),
    content: z.union([z.string(), z.array(z.discriminatedUnion('type', [text, image]))]),
    tool_call_id: z.string().optional(),
    name: z.string().optional(),
  }),
])

const request = z.strictObject({
  model: z.string(),
  messages: z.array(message).min(1),
  stream: z.boolean().optional(),
  tools: z.array(tool).min(1).optional(),
  tool_choice: z.union([z.enum(['auto', 'none', 'any', 'required']), namedTool]).optional(),
  parallel_tool_calls: z.boolean().optional(),
  max_tokens: z.int().min(0).optional(),
  temperature: z.number().min(0).max(1.5).optional(),
  top_p: z.number().min(0).max(1).optional(),
  n: z.int().optional(),
  random_seed: z.int().optional(),
  stop: z.union([z.string(), z.array(z.string())]).optional(),
  presence_penalty: z.number().optional(),
  frequency_penalty: z.number().optional(),
  response_format: format.optional(),
  reasoning_effort: z.enum(['none', 'high']).optional(),
  prompt_mode: z.literal('reasoning').optional(),
  safe_prompt: z.boolean().optional(),
})

function* problems({ body }: Talk): Generator<string> {
  const asked = body as ChatRequest
  const { messages } = asked
  yield* resultProblems(asked)
  for (const [index, { role }] of messages.entries())
    if (role === 'user' && messages[index - 1]?.role === 'tool') yield "Unexpected role 'user' after role 'tool'"
  const last = messages.at(-1)!.role
  if (last !== 'user' && last !== 'tool')
    yield `Expected last role User or Tool (or Assistant with prefix True) for serving but got ${last}`
  const odd = messages.flatMap((one) => one.tool_calls ?? []).find(({ id }) => !/^[a-zA-Z0-9]{9}$/.test(id))
  if (odd) yield `Tool call id was ${odd.id} but must be a-z, A-Z, 0-9, with a length of 9.`
}

const manner: Manner = {
  id: '735e434874a24f68a2390b3cab149242',
  served: (model) => model,
  newCallId: (number) => `nineLet${String(number).padStart(2, '0')}`,
  thought: (words) => ({ content: [{ type: 'thinking', thinking: [{ type: 'text', text: words }] }] }),
  refusal: (words) => ({ content: words }),
  refusalReason: 'stop',
  usage: (_answer: Answer) => ({
    prompt_tokens: USAGE.input,
    total_tokens: USAGE.input + USAGE.output,
    completion_tokens: USAGE.output,
    prompt_tokens_details: { cached_tokens: USAGE.cached },
    service_tier: 'standard',
  }),
  usageIn: 'last',
  callsWhole: true,
  idle: {},
}

/** What the gateway lets the model say so that it may hear the user is nobody's word. */
const withoutFiller = ({ messages }: ChatRequest) =>
  messages.filter(
    ({ role }, index) =>
      !(
        role === 'assistant' &&
        messages[index - 1]?.role === 'tool' &&
        messages[index + 1]?.role === 'user' &&
        messages[index]!.content === 'Understood.'
      ),
  )

const FAILED: Record<Failure, [status: number, type: string, code: string]> = {
  bad_request: [400, 'invalid_request_error', '3051'],
  wrong_key: [401, '', ''],
  forbidden: [403, 'invalid_request_forbidden', '1910'],
  not_found: [404, 'invalid_model', '1500'],
  too_long: [400, 'invalid_request_prompt', '3051'],
  rate_limit: [429, 'rate_limited', '1300'],
  server: [500, 'internal_server_error', '1000'],
  overloaded: [503, 'unreachable_backend', '1100'],
}

export const mistralSpeech: Speech = {
  isStream,
  modelOf,
  check(talk, { url, headers }) {
    if (url !== '/v1/chat/completions') return `no Route matched with those values: ${url}`
    if (!headers.authorization?.startsWith('Bearer ')) return 'No API key found in request'
    return firstProblem(request, talk.body) ?? problems(talk).next().value ?? null
  },
  hear: (talk) => hear({ ...talk, body: { ...talk.body, messages: withoutFiller(talk.body as ChatRequest) } }),
  whole: (answer, talk) => whole(answer, talk, manner),
  stream: (answer, talk) => stream(answer, talk, manner),
  streamFailure: `data: ${JSON.stringify({ object: 'error', message: 'Overloaded', type: 'unreachable_backend', param: null, code: '1100' })}\n\n`,
  failure(kind, words) {
    const [status, type, code] = FAILED[kind]
    const headers: Record<string, string> = kind === 'rate_limit' ? { 'retry-after': String(RETRY_AFTER) } : {}
    const body = kind === 'wrong_key' ? { detail: words } : { object: 'error', message: words, type, param: null, code }
    return { status, body, headers }
  },
}
