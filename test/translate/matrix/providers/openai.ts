import { z } from 'zod'
import type { Speech, Talk } from '../provider.ts'
import { type Failure, RETRY_AFTER } from '../script.ts'
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
  usage,
  whole,
} from './chat.ts'
import { address, base64, dataAddress, firstProblem, isStrict } from './shapes.ts'

/* OpenAI's own chat completions, after its specification 2.3.0 and recorded answers and refusals. */

const text = z.strictObject({ type: z.literal('text'), text: z.string() })
const userPart = z.discriminatedUnion('type', [
  text,
  z.strictObject({
    type: z.literal('image_url'),
    image_url: z.strictObject({
      url: z.union([address, dataAddress]),
      detail: z.enum(['auto', 'low', 'high']).optional(),
    }),
  }),
  z.strictObject({
    type: z.literal('file'),
    file: z.strictObject({ filename: z.string(), file_data: dataAddress }),
  }),
  z.strictObject({
    type: z.literal('input_audio'),
    input_audio: z.strictObject({ data: base64, format: z.enum(['wav', 'mp3']) }),
  }),
])
const words = z.union([z.string(), z.array(text).min(1)])
const named = { name: z.string().optional() }

const message = z.discriminatedUnion('role', [
  z.strictObject({ role: z.literal('system'), content: words, ...named }),
  z.strictObject({ role: z.literal('developer'), content: words, ...named }),
  z.strictObject({ role: z.literal('user'), content: z.union([z.string(), z.array(userPart).min(1)]), ...named }),
  z
    .strictObject({
      role: z.literal('assistant'),
      content: words.nullish(),
      refusal: z.string().nullish(),
      annotations: z.array(z.unknown()).optional(),
      tool_calls: z.array(toolCall).min(1).optional(),
      ...named,
    })
    .refine(({ content, tool_calls, refusal }) => content != null || tool_calls || refusal != null, {
      message: "expected a string for 'content', or 'tool_calls'",
    }),
  z.strictObject({ role: z.literal('tool'), content: words, tool_call_id: z.string() }),
])

const request = z.strictObject({
  model: z.string(),
  messages: z.array(message).min(1),
  stream: z.boolean().optional(),
  stream_options: z.strictObject({ include_usage: z.boolean().optional() }).optional(),
  tools: z.array(tool).min(1).max(128).optional(),
  tool_choice: z
    .union([
      z.enum(['auto', 'none', 'required']),
      namedTool,
      z.strictObject({
        type: z.literal('allowed_tools'),
        allowed_tools: z.strictObject({ mode: z.enum(['auto', 'required']), tools: z.array(namedTool) }),
      }),
    ])
    .optional(),
  parallel_tool_calls: z.boolean().optional(),
  max_tokens: z.int().min(1).optional(),
  max_completion_tokens: z.int().min(1).optional(),
  temperature: z.number().min(0).max(2).optional(),
  top_p: z.number().min(0).max(1).optional(),
  n: z.int().optional(),
  seed: z.int().optional(),
  stop: z.union([z.string(), z.array(z.string()).min(1).max(4)]).optional(),
  presence_penalty: z.number().optional(),
  frequency_penalty: z.number().optional(),
  logprobs: z.boolean().optional(),
  top_logprobs: z.int().max(20).optional(),
  logit_bias: z.record(z.string(), z.number()).optional(),
  response_format: format.optional(),
  reasoning_effort: z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']).optional(),
  user: z.string().optional(),
  safety_identifier: z.string().max(64).optional(),
  prompt_cache_key: z.string().optional(),
  store: z.boolean().optional(),
  metadata: z.record(z.string(), z.string().max(512)).optional(),
  service_tier: z.enum(['auto', 'default', 'flex', 'priority']).optional(),
})

const reasons = (model: string) => /^(?:o\d|gpt-5)/.test(model)

function* problems({ body, model }: Talk): Generator<string> {
  const asked = body as ChatRequest
  const { messages, tools = [], response_format, reasoning_effort, stop, temperature = 1 } = asked
  yield* resultProblems(asked)
  const long = messages.flatMap((one) => one.tool_calls ?? []).find(({ id }) => id.length > 40)
  if (long) yield `Invalid 'tool_calls[0].id': string too long. Expected a string with maximum length 40: ${long.id}`
  if (asked.stream_options && !asked.stream)
    yield "The 'stream_options' parameter is only allowed when 'stream' is enabled."
  if (tools.length === 0 && (asked.tool_choice !== undefined || asked.parallel_tool_calls !== undefined))
    yield "'tool_choice' is only allowed when 'tools' are specified."
  if (reasons(model) && asked.max_tokens !== undefined)
    yield "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
  if (reasons(model) && (stop !== undefined || temperature !== 1))
    yield "Unsupported parameter: 'stop' and 'temperature' are not supported with this model."
  if (!reasons(model) && reasoning_effort !== undefined)
    yield 'Unrecognized request argument supplied: reasoning_effort'
  if (/^gpt-5\.[456]/.test(model) && tools.length > 0 && reasoning_effort !== 'none')
    yield `Function tools with reasoning_effort are not supported for ${model} in /v1/chat/completions.`
  if (response_format?.type === 'json_object' && !/json/i.test(JSON.stringify(messages)))
    yield "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."
  const strict = [
    ...tools.flatMap((one) => (one.function.strict ? [one.function.parameters] : [])),
    ...(response_format?.json_schema?.strict ? [response_format.json_schema.schema] : []),
  ]
  if (!strict.every(isStrict))
    yield "Invalid schema: 'additionalProperties' is required to be supplied and to be false, and 'required' to include every key."
}

const manner: Manner = {
  id: 'chatcmpl-Scripted',
  served: (model) => (/\d{4}-\d\d-\d\d$/.test(model) ? model : `${model}-2026-01-01`),
  newCallId: (number) => `call_${String(number).padStart(24, 'x')}`,
  // It keeps them to itself.
  thought: () => null,
  refusal: (text) => ({ content: null, refusal: text }),
  refusalReason: 'stop',
  usage,
  usageIn: 'own',
  callsWhole: false,
  idle: { refusal: null },
}

const FAILED: Record<Failure, [status: number, type: string, code: string | null]> = {
  bad_request: [400, 'invalid_request_error', null],
  wrong_key: [401, 'invalid_request_error', 'invalid_api_key'],
  forbidden: [403, 'invalid_request_error', 'unsupported_country_region_territory'],
  not_found: [404, 'invalid_request_error', 'model_not_found'],
  too_long: [400, 'invalid_request_error', 'context_length_exceeded'],
  rate_limit: [429, 'requests', 'rate_limit_exceeded'],
  server: [500, 'server_error', null],
  overloaded: [503, 'service_unavailable', 'server_is_overloaded'],
}

export const openaiSpeech: Speech = {
  isStream,
  modelOf,
  check(talk, { url, headers }) {
    if (url !== '/v1/chat/completions') return `Invalid URL (POST ${url})`
    if (!headers.authorization?.startsWith('Bearer ')) return "You didn't provide an API key."
    return firstProblem(request, talk.body) ?? problems(talk).next().value ?? null
  },
  hear,
  whole: (answer, talk) => whole(answer, talk, manner),
  stream: (answer, talk) => stream(answer, talk, manner),
  streamFailure: `data: ${JSON.stringify({ error: { message: 'Overloaded', type: 'server_error', param: null, code: null } })}\n\n`,
  failure(kind, words) {
    const [status, type, code] = FAILED[kind]
    const headers: Record<string, string> = kind === 'rate_limit' ? { 'retry-after': String(RETRY_AFTER) } : {}
    return { status, body: { error: { message: words, type, param: null, code } }, headers }
  },
}
