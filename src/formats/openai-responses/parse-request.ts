import type { Json } from '../dialect.ts'
import type { HubMessage, HubRequest } from '../hub.ts'
import {
  readBoolean,
  readInteger,
  readNumber,
  readRecord,
  readRecords,
  readText,
  readTexts,
  requireText,
  unknownFields,
} from '../read.ts'
import { parseInput } from './parse-input.ts'
import { parseFormat, parseReasoning, parseTool, parseToolChoice } from './parse-settings.ts'
import { refuseState, STATE_FIELDS } from './unsupported.ts'

const LOGPROBS = 'message.output_text.logprobs'

/** Source: OpenAI API specification 2.3.0, `CreateResponse`; types of openai-node 7.55. Throws `unsupported_parameter`, too. */
export function parseRequest(body: Json): HubRequest {
  refuseState(body)
  const include = readTexts(body.include, 'include')
  const text = readRecord(body.text, 'text')
  const reasoning = readRecord(body.reasoning, 'reasoning')
  const metadata = readRecord(body.metadata, 'metadata')
  const alternatives = readInteger(body.top_logprobs, 'top_logprobs')
  return {
    model: requireText(body.model, 'model'),
    stream: readBoolean(body.stream, 'stream') === true,
    messages: [...parseInstructions(body.instructions), ...parseInput(body.input)],
    tools: (readRecords(body.tools, 'tools') ?? []).flatMap(parseTool),
    toolChoice: parseToolChoice(body.tool_choice),
    parallelToolCalls: readBoolean(body.parallel_tool_calls, 'parallel_tool_calls'),
    maxTokens: readInteger(body.max_output_tokens, 'max_output_tokens'),
    temperature: readNumber(body.temperature, 'temperature'),
    topP: readNumber(body.top_p, 'top_p'),
    topK: null,
    stop: [],
    seed: null,
    candidates: null,
    presencePenalty: null,
    frequencyPenalty: null,
    logprobs: include.includes(LOGPROBS) ? (alternatives ?? 0) : alternatives || null,
    logitBias: null,
    format: parseFormat(readRecord(text?.format, 'text.format')),
    reasoning: parseReasoning(reasoning),
    user: readText(body.safety_identifier, 'safety_identifier') ?? readText(body.user, 'user'),
    // SDKs send an empty one, which says nothing.
    metadata: metadata && Object.keys(metadata).length > 0 ? (metadata as Record<string, string>) : null,
    serviceTier: readText(body.service_tier, 'service_tier'),
    streamUsage: null,
    unknown: [
      ...unknownFields(body, KNOWN).filter((name) => name !== 'truncation' || body.truncation !== 'disabled'),
      ...include.filter((one) => !INCLUDED.has(one)).map((one) => `include.${one}`),
      ...unknownIn('text', text, { format: true, verbosity: 'medium' }),
      ...unknownIn('reasoning', reasoning, { effort: true, summary: true, generate_summary: true, mode: 'standard' }),
    ],
  }
}

/** Keys and lifetimes of a cache that others keep without them, and the padding of a stream, change no answer. */
const KNOWN = new Set([
  ...STATE_FIELDS,
  ...(
    'model input instructions stream tools tool_choice parallel_tool_calls max_output_tokens temperature top_p top_logprobs include ' +
    'reasoning text user safety_identifier metadata service_tier stream_options prompt_cache_key prompt_cache_retention ' +
    'prompt_cache_options'
  ).split(' '),
])

/** Seals are always given: without them a client that keeps the conversation itself could not go on. */
const INCLUDED = new Set([LOGPROBS, 'reasoning.encrypted_content'])

/** `known`: true, or the value that asks for nothing. */
const unknownIn = (parent: string, fields: Json | null, known: Record<string, true | string>): string[] =>
  unknownFields(fields ?? {}, new Set())
    .filter((name) => known[name] !== true && known[name] !== fields![name])
    .map((name) => `${parent}.${name}`)

function parseInstructions(instructions: unknown): HubMessage[] {
  const said = readText(instructions, 'instructions')
  return said ? [{ role: 'system', parts: [{ type: 'text', text: said }] }] : []
}
