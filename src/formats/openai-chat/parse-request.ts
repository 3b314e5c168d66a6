import type { Json } from '../dialect.ts'
import { EFFORTS, type HubEffort, type HubReasoning, type HubRequest } from '../hub.ts'
import {
  readBoolean,
  readInteger,
  readNumber,
  readRecord,
  readRecords,
  readText,
  readTexts,
  refuse,
  requireText,
  unknownFields,
} from '../read.ts'
import { parseMessage } from './parse-messages.ts'
import { parseFormat, parseTool, parseToolChoice } from './parse-tools.ts'

/**
 * Source: OpenAI API specification 2.3.0, `CreateChatCompletionRequest`; `top_k`, `reasoning`, `thinking` and `cache_control` as
 * aggregators and other providers have them.
 */
export function parseRequest(body: Json): HubRequest {
  for (const legacy of ['functions', 'function_call'])
    if (body[legacy] != null) refuse(legacy, 'is not translated for this model: send `tools` and `tool_choice`')
  const unknown = unknownFields(body, KNOWN).filter((name) => !isNeutral(name, body[name]))
  const messages = readRecords(body.messages, 'messages') ?? refuse('messages', 'is required')
  const options = readRecord(body.stream_options, 'stream_options')
  const logprobs = readBoolean(body.logprobs, 'logprobs') === true
  return {
    model: requireText(body.model, 'model'),
    stream: readBoolean(body.stream, 'stream') === true,
    messages: messages.map((message, index) => parseMessage(message, index, unknown)),
    tools: (readRecords(body.tools, 'tools') ?? []).map(parseTool),
    toolChoice: parseToolChoice(body.tool_choice),
    parallelToolCalls: readBoolean(body.parallel_tool_calls, 'parallel_tool_calls'),
    maxTokens:
      readInteger(body.max_completion_tokens, 'max_completion_tokens') ?? readInteger(body.max_tokens, 'max_tokens'),
    temperature: readNumber(body.temperature, 'temperature'),
    topP: readNumber(body.top_p, 'top_p'),
    topK: readInteger(body.top_k, 'top_k'),
    stop: readTexts(body.stop, 'stop'),
    seed: readInteger(body.seed, 'seed'),
    candidates: readInteger(body.n, 'n'),
    presencePenalty: readNumber(body.presence_penalty, 'presence_penalty'),
    frequencyPenalty: readNumber(body.frequency_penalty, 'frequency_penalty'),
    logprobs: logprobs ? (readInteger(body.top_logprobs, 'top_logprobs') ?? 0) : null,
    logitBias: readValues(body.logit_bias, 'logit_bias', readNumber),
    format: parseFormat(readRecord(body.response_format, 'response_format')),
    reasoning: parseReasoning(body),
    user: readText(body.safety_identifier, 'safety_identifier') ?? readText(body.user, 'user'),
    metadata: readValues(body.metadata, 'metadata', readText),
    serviceTier: readText(body.service_tier, 'service_tier'),
    streamUsage: readBoolean(options?.include_usage, 'stream_options.include_usage') === true,
    unknown,
  }
}

const KNOWN = new Set(
  (
    'model stream messages tools tool_choice parallel_tool_calls max_completion_tokens max_tokens temperature top_p top_k stop seed n ' +
    'presence_penalty frequency_penalty logprobs top_logprobs logit_bias response_format reasoning_effort reasoning thinking user ' +
    'safety_identifier metadata service_tier stream_options'
  ).split(' '),
)

/** What asks for nothing that every model would not do by itself. */
function isNeutral(name: string, value: unknown): boolean {
  if (name === 'store') return value === false
  // The key of an automatic cache, which others keep without one; the usage that is reported anyway.
  if (name === 'prompt_cache_key' || name === 'prompt_cache_retention' || name === 'usage') return true
  return name === 'modalities' && Array.isArray(value) && value.length === 1 && value[0] === 'text'
}

function readValues<T>(
  value: unknown,
  param: string,
  read: (one: unknown, param: string) => T | null,
): Record<string, T> | null {
  const values = readRecord(value, param)
  if (values === null) return null
  const kept = Object.entries(values).flatMap(([name, one]) => {
    const known = read(one, `${param}.${name}`)
    return known === null ? [] : [[name, known] as const]
  })
  return Object.fromEntries(kept)
}

/** Three ways to say it: an effort, `reasoning` as OpenRouter has it, `thinking` as Z.ai, DeepSeek and Anthropic have it. */
function parseReasoning(body: Json): HubReasoning | null {
  const own = readRecord(body.reasoning, 'reasoning')
  const thinking = readRecord(body.thinking, 'thinking')
  const effort = readEffort(body.reasoning_effort, 'reasoning_effort') ?? readEffort(own?.effort, 'reasoning.effort')
  const budgetTokens =
    readInteger(own?.max_tokens, 'reasoning.max_tokens') ??
    readInteger(thinking?.budget_tokens, 'thinking.budget_tokens')
  const excluded = readBoolean(own?.exclude, 'reasoning.exclude')
  const enabled =
    readBoolean(own?.enabled, 'reasoning.enabled') ?? readSwitch(readText(thinking?.type, 'thinking.type'))
  if (effort === null && budgetTokens === null && excluded === null && enabled === null) return null
  const asEffort = enabled === false ? 'none' : enabled === true && budgetTokens === null ? 'medium' : null
  return { effort: effort ?? asEffort, budgetTokens, shown: excluded === null ? null : !excluded }
}

function readEffort(value: unknown, param: string): HubEffort | null {
  const effort = readText(value, param)
  if (effort !== null && !(EFFORTS as readonly string[]).includes(effort))
    refuse(param, `must be one of ${EFFORTS.join(', ')}`)
  return effort as HubEffort | null
}

const readSwitch = (type: string | null): boolean | null =>
  type === null || type === 'auto' ? null : type !== 'disabled'
