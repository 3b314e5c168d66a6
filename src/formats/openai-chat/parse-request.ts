import { readUrl } from '../data-url.ts'
import type { Json } from '../dialect.ts'
import {
  EFFORTS,
  type HubEffort,
  type HubFormat,
  type HubMessage,
  type HubPart,
  type HubReasoning,
  type HubRequest,
  type HubTool,
  type HubToolChoice,
} from '../hub.ts'
import {
  readBoolean,
  readInteger,
  readNumber,
  readRecord,
  readRecords,
  readText,
  readTexts,
  record,
  refuse,
  requireText,
  unknownFields,
} from '../read.ts'
import { readCache, readReasoning } from './extensions.ts'

/** Source: OpenAI API specification 2.3.0, `CreateChatCompletionRequest`; `top_k`, `reasoning` and `cache_control` as aggregators have them. */
export function parseRequest(body: Json): HubRequest {
  if (body.functions != null || body.function_call != null)
    refuse(body.functions != null ? 'functions' : 'function_call', 'is not translated for this model: send `tools`')
  const logprobs = readBoolean(body.logprobs, 'logprobs') === true
  return {
    model: requireText(body.model, 'model'),
    stream: readBoolean(body.stream, 'stream') === true,
    messages: (readRecords(body.messages, 'messages') ?? refuse('messages', 'is required')).map(parseMessage),
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
    logitBias: readRecord(body.logit_bias, 'logit_bias') as Record<string, number> | null,
    format: parseFormat(readRecord(body.response_format, 'response_format')),
    reasoning: parseReasoning(body),
    user: readText(body.safety_identifier, 'safety_identifier') ?? readText(body.user, 'user'),
    metadata: readRecord(body.metadata, 'metadata') as Record<string, string> | null,
    serviceTier: readText(body.service_tier, 'service_tier'),
    streamUsage: record(body.stream_options).include_usage === true,
    unknown: unknownFields(body, KNOWN).filter((name) => !isNeutral(name, body[name])),
  }
}

const KNOWN = new Set(
  (
    'model stream messages tools tool_choice parallel_tool_calls max_completion_tokens max_tokens temperature top_p top_k stop seed n ' +
    'presence_penalty frequency_penalty logprobs top_logprobs logit_bias response_format reasoning_effort reasoning user ' +
    'safety_identifier metadata service_tier stream_options'
  ).split(' '),
)

/** What asks for nothing that every model would not do by itself. */
function isNeutral(name: string, value: unknown): boolean {
  if (name === 'store') return value === false
  // The key of an automatic cache, which others keep without one.
  if (name === 'prompt_cache_key' || name === 'prompt_cache_retention') return true
  return name === 'modalities' && Array.isArray(value) && value.length === 1 && value[0] === 'text'
}

function parseMessage(message: Json, index: number): HubMessage {
  const at = `messages[${index}]`
  const role = requireText(message.role, `${at}.role`)
  const name = readText(message.name, `${at}.name`)
  const named = name === null ? {} : { name }
  switch (role) {
    case 'system':
    case 'developer':
    case 'user':
      return { role, parts: parseContent(message.content, `${at}.content`), ...named }
    case 'assistant':
      return { role, parts: parseAssistant(message, at), ...named }
    case 'tool': {
      const id = requireText(message.tool_call_id, `${at}.tool_call_id`)
      const result: HubPart = { type: 'tool_result', id, parts: parseContent(message.content, `${at}.content`) }
      return { role: 'user', parts: [name === null ? result : { ...result, name }] }
    }
    default:
      return refuse(`${at}.role`, 'must be one of system, developer, user, assistant, tool')
  }
}

function parseAssistant(message: Json, at: string): HubPart[] {
  const { parts: reasoning, seals } = readReasoning(message)
  const parts = [...reasoning, ...parseContent(message.content, `${at}.content`)]
  const refusal = readText(message.refusal, `${at}.refusal`)
  if (refusal) parts.push({ type: 'refusal', text: refusal })
  const calls = readRecords(message.tool_calls, `${at}.tool_calls`) ?? []
  calls.forEach((call, index) => {
    const place = `${at}.tool_calls[${index}]`
    const called = readRecord(call.function, `${place}.function`)
    if (called === null) refuse(place, 'must be a function call')
    const id = requireText(call.id, `${place}.id`)
    const signature = seals.get(id)
    parts.push({
      type: 'tool_call',
      id,
      name: requireText(called.name, `${place}.function.name`),
      arguments: readText(called.arguments, `${place}.function.arguments`) ?? '',
      ...(signature !== undefined && { signature }),
    })
  })
  return parts
}

function parseContent(content: unknown, at: string): HubPart[] {
  if (content === undefined || content === null) return []
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }]
  const parts = readRecords(content, at)!
  return parts.map((part, index) => {
    const cache = readCache(part)
    return { ...parsePart(part, `${at}[${index}]`), ...(cache && { cache }) }
  })
}

function parsePart(part: Json, at: string): HubPart {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: requireText(part.text, `${at}.text`) }
    case 'refusal':
      return { type: 'refusal', text: requireText(part.refusal, `${at}.refusal`) }
    case 'image_url': {
      const image = readRecord(part.image_url, `${at}.image_url`) ?? refuse(`${at}.image_url`, 'is required')
      const detail = readText(image.detail, `${at}.image_url.detail`)
      const source = readUrl(requireText(image.url, `${at}.image_url.url`))
      return { type: 'image', source, ...(detail !== null && { detail }) }
    }
    case 'input_audio': {
      const audio = readRecord(part.input_audio, `${at}.input_audio`) ?? refuse(`${at}.input_audio`, 'is required')
      const format = requireText(audio.format, `${at}.input_audio.format`)
      const data = requireText(audio.data, `${at}.input_audio.data`)
      return { type: 'audio', source: { kind: 'base64', mediaType: `audio/${format}`, data } }
    }
    case 'file':
      return parseFile(readRecord(part.file, `${at}.file`) ?? refuse(`${at}.file`, 'is required'), `${at}.file`)
    default:
      return refuse(`${at}.type`, 'must be one of text, image_url, input_audio, file, refusal')
  }
}

function parseFile(file: Json, at: string): HubPart {
  const name = readText(file.filename, `${at}.filename`)
  const named = name === null ? {} : { name }
  const id = readText(file.file_id, `${at}.file_id`)
  if (id !== null) return { type: 'file', source: { kind: 'file_id', id }, ...named }
  const data = requireText(file.file_data, `${at}.file_data`)
  // Some clients send the bytes bare, which stands for a PDF.
  const source = data.startsWith('data:')
    ? readUrl(data)
    : { kind: 'base64' as const, mediaType: 'application/pdf', data }
  return { type: 'file', source, ...named }
}

function parseTool(tool: Json, index: number): HubTool {
  const at = `tools[${index}]`
  const declared = readRecord(tool.function, `${at}.function`)
  if (declared === null) refuse(`${at}.type`, 'must be `function`: other tools are not translated for this model')
  const description = readText(declared.description, `${at}.function.description`)
  const strict = readBoolean(declared.strict, `${at}.function.strict`)
  const cache = readCache(tool)
  return {
    name: requireText(declared.name, `${at}.function.name`),
    parameters: readRecord(declared.parameters, `${at}.function.parameters`),
    ...(description !== null && { description }),
    ...(strict !== null && { strict }),
    ...(cache && { cache }),
  }
}

function parseToolChoice(choice: unknown): HubToolChoice | null {
  if (choice === undefined || choice === null) return null
  if (choice === 'auto' || choice === 'none' || choice === 'required') return { type: choice }
  const { type, function: named, allowed_tools } = record(choice)
  if (type === 'function')
    return { type: 'tools', names: [requireText(record(named).name, 'tool_choice.function.name')], required: true }
  if (type === 'allowed_tools') {
    const { mode, tools } = record(allowed_tools)
    const names = (readRecords(tools, 'tool_choice.allowed_tools.tools') ?? []).map((tool, index) =>
      requireText(record(tool.function).name, `tool_choice.allowed_tools.tools[${index}].function.name`),
    )
    return { type: 'tools', names, required: mode === 'required' }
  }
  return refuse('tool_choice', 'must be auto, none, required, or name a function')
}

function parseFormat(format: Json | null): HubFormat | null {
  if (format === null) return null
  switch (format.type) {
    case 'text':
      return { type: 'text' }
    case 'json_object':
      return { type: 'json' }
    case 'json_schema': {
      const at = 'response_format.json_schema'
      const declared = readRecord(format.json_schema, at) ?? refuse(at, 'is required')
      const strict = readBoolean(declared.strict, `${at}.strict`)
      const description = readText(declared.description, `${at}.description`)
      return {
        type: 'schema',
        name: readText(declared.name, `${at}.name`) ?? 'answer',
        schema: readRecord(declared.schema, `${at}.schema`) ?? {},
        ...(strict !== null && { strict }),
        ...(description !== null && { description }),
      }
    }
    default:
      return refuse('response_format.type', 'must be one of text, json_object, json_schema')
  }
}

function parseReasoning(body: Json): HubReasoning | null {
  const own = readRecord(body.reasoning, 'reasoning')
  const effort = readText(body.reasoning_effort, 'reasoning_effort') ?? readText(own?.effort, 'reasoning.effort')
  const budgetTokens = readInteger(own?.max_tokens, 'reasoning.max_tokens')
  const excluded = readBoolean(own?.exclude, 'reasoning.exclude')
  const enabled = readBoolean(own?.enabled, 'reasoning.enabled')
  if (effort === null && budgetTokens === null && excluded === null && enabled === null) return null
  if (effort !== null && !(EFFORTS as readonly string[]).includes(effort))
    refuse('reasoning_effort', `must be one of ${EFFORTS.join(', ')}`)
  const asEffort = (effort as HubEffort | null) ?? (enabled === false ? 'none' : enabled === true ? 'medium' : null)
  return { effort: asEffort, budgetTokens, shown: excluded === null ? null : !excluded }
}
