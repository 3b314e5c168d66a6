import type { Json } from '../dialect.ts'
import {
  EFFORTS,
  type HubEffort,
  type HubFormat,
  type HubMessage,
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
  refuse,
  requireText,
  unknownFields,
} from '../read.ts'
import { readCache } from './cache.ts'
import { parseBlocks } from './parse-blocks.ts'
import { refuseThread } from './thread.ts'

/** Source: types of @anthropic-ai/sdk 0.120, `MessageCreateParams`. */
export function parseRequest(body: Json): HubRequest {
  refuseThread(body)
  const unknown = unknownFields(body, KNOWN)
  const choice = readRecord(body.tool_choice, 'tool_choice')
  const output = readRecord(body.output_config, 'output_config')
  const metadata = readRecord(body.metadata, 'metadata')
  return {
    model: requireText(body.model, 'model'),
    stream: readBoolean(body.stream, 'stream') === true,
    messages: [...parseSystem(body.system), ...parseMessages(body, unknown)],
    tools: (readRecords(body.tools, 'tools') ?? []).flatMap((tool, index) => parseTool(tool, index, unknown)),
    toolChoice: choice && parseToolChoice(choice),
    parallelToolCalls:
      readBoolean(choice?.disable_parallel_tool_use, 'tool_choice.disable_parallel_tool_use') === true ? false : null,
    maxTokens: readInteger(body.max_tokens, 'max_tokens') ?? refuse('max_tokens', 'is required'),
    temperature: readNumber(body.temperature, 'temperature'),
    topP: readNumber(body.top_p, 'top_p'),
    topK: readInteger(body.top_k, 'top_k'),
    stop: readTexts(body.stop_sequences, 'stop_sequences'),
    seed: null,
    candidates: null,
    presencePenalty: null,
    frequencyPenalty: null,
    logprobs: null,
    logitBias: null,
    format: parseFormat(
      readRecord(output?.format, 'output_config.format') ?? readRecord(body.output_format, 'output_format'),
    ),
    reasoning: parseReasoning(readRecord(body.thinking, 'thinking'), readText(output?.effort, 'output_config.effort')),
    user: readText(metadata?.user_id, 'metadata.user_id'),
    metadata: null,
    serviceTier: readTier(body.service_tier),
    streamUsage: null,
    unknown,
  }
}

/** `cache_control` on the top level: caching by itself, as most others do it unasked; `output_format`: its first name. */
const KNOWN = new Set(
  (
    'model messages system max_tokens stream temperature top_p top_k stop_sequences tools tool_choice thinking output_config ' +
    'output_format metadata service_tier cache_control'
  ).split(' '),
)

/** `standard_only`: not the other one, which is paid for in advance. */
function readTier(value: unknown): string | null {
  const tier = readText(value, 'service_tier')
  return tier === 'standard_only' ? 'default' : tier
}

function parseSystem(system: unknown): HubMessage[] {
  if (system === undefined || system === null || system === '') return []
  if (typeof system === 'string') return [{ role: 'system', parts: [{ type: 'text', text: system }] }]
  if (!Array.isArray(system)) return refuse('system', 'must be text or a list of text blocks')
  const parts = readRecords(system, 'system')!.map((block, index) => ({
    type: 'text' as const,
    text: requireText(block.text, `system[${index}].text`),
    ...readCache(block),
  }))
  return parts.length === 0 ? [] : [{ role: 'system', parts }]
}

function parseMessages(body: Json, unknown: string[]): HubMessage[] {
  const messages = readRecords(body.messages, 'messages') ?? refuse('messages', 'is required')
  return messages.map((message, index) => {
    const at = `messages[${index}]`
    const role = requireText(message.role, `${at}.role`)
    if (role !== 'user' && role !== 'assistant' && role !== 'system')
      return refuse(`${at}.role`, 'must be one of user, assistant, system')
    if (message.content === undefined || message.content === null) return refuse(`${at}.content`, 'is required')
    return { role, parts: parseBlocks(message.content, `${at}.content`, unknown) }
  })
}

function parseTool(tool: Json, index: number, unknown: string[]): HubTool[] {
  const at = `tools[${index}]`
  const type = readText(tool.type, `${at}.type`)
  // What the provider runs itself (searches, code) nobody else has.
  if (type !== null && type !== 'custom') {
    unknown.push(`tools.${type}`)
    return []
  }
  const description = readText(tool.description, `${at}.description`)
  const strict = readBoolean(tool.strict, `${at}.strict`)
  return [
    {
      name: requireText(tool.name, `${at}.name`),
      parameters: readRecord(tool.input_schema, `${at}.input_schema`),
      ...(description !== null && { description }),
      ...(strict !== null && { strict }),
      ...readCache(tool),
    },
  ]
}

function parseToolChoice(choice: Json): HubToolChoice {
  switch (choice.type) {
    case 'auto':
    case 'none':
      return { type: choice.type }
    case 'any':
      return { type: 'required' }
    case 'tool':
      return { type: 'tools', names: [requireText(choice.name, 'tool_choice.name')], required: true }
    default:
      return refuse('tool_choice.type', 'must be one of auto, any, tool, none')
  }
}

function parseFormat(format: Json | null): HubFormat | null {
  if (format === null) return null
  if (format.type !== 'json_schema') return refuse('output_config.format.type', 'must be json_schema')
  const schema = readRecord(format.schema, 'output_config.format.schema')
  return { type: 'schema', name: 'answer', schema: schema ?? {}, strict: true }
}

const THINKING = new Set<unknown>(['enabled', 'adaptive', 'disabled'])

function parseReasoning(thinking: Json | null, effort: string | null): HubReasoning | null {
  if (thinking === null && effort === null) return null
  if (effort !== null && !(EFFORTS as readonly string[]).includes(effort))
    refuse('output_config.effort', `must be one of ${EFFORTS.join(', ')}`)
  if (thinking !== null && !THINKING.has(thinking.type))
    refuse('thinking.type', 'must be one of enabled, adaptive, disabled')
  if (thinking?.type === 'disabled') return { effort: 'none', budgetTokens: null, shown: null }
  return {
    effort: effort as HubEffort | null,
    budgetTokens: readInteger(thinking?.budget_tokens, 'thinking.budget_tokens'),
    shown: thinking === null ? null : thinking.display !== 'omitted',
  }
}
