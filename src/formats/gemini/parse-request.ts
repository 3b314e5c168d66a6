import type { Json, RequestPlace } from '../dialect.ts'
import { EFFORTS, type HubEffort, type HubFormat, type HubReasoning, type HubRequest } from '../hub.ts'
import {
  readBoolean,
  readInteger,
  readNumber,
  readRecord,
  readText,
  readTexts,
  refuse,
  requireText,
  unknownFields,
} from '../read.ts'
import { camelCase, readMessage, readMessages } from './fields.ts'
import { parseContents, parseSystem } from './parse-contents.ts'
import { parseToolChoice, parseTools } from './parse-tools.ts'
import { toJsonSchema } from './schema.ts'
import { parseTier } from './tiers.ts'

/** Source: `GenerateContentRequest` of google.ai.generativelanguage.v1beta, with the newer fields of js-genai 2.18. */
export function parseRequest(raw: Json, place: RequestPlace): HubRequest {
  const body = camelCase(raw)
  if (body.cachedContent != null)
    refuse('cachedContent', 'is kept by another provider: send the contents themselves for this model')
  const config = readMessage(body.generationConfig, 'generationConfig') ?? {}
  const unknown = [
    ...unknownFields(body, KNOWN).filter((name) => !(name === 'safetySettings' && asksForNone(body.safetySettings))),
    ...unknownFields(config, CONFIG)
      .filter((name) => !(name === 'responseModalities' && isText(config.responseModalities)))
      .map((name) => `generationConfig.${name}`),
  ]
  const number = (name: string) => readNumber(config[name], `generationConfig.${name}`)
  const integer = (name: string) => readInteger(config[name], `generationConfig.${name}`)
  const tier = readText(body.serviceTier, 'serviceTier')
  const contents = parseContents(body.contents, unknown)
  if (contents.length === 0) refuse('contents', 'is required')
  return {
    model: (place.model ?? requireText(body.model, 'model')).replace(/^models\//, ''),
    stream: place.stream === true,
    messages: [...parseSystem(body.systemInstruction), ...contents],
    tools: parseTools(body.tools, unknown),
    toolChoice: parseToolChoice(body.toolConfig, unknown),
    parallelToolCalls: null,
    maxTokens: integer('maxOutputTokens'),
    temperature: number('temperature'),
    topP: number('topP'),
    topK: integer('topK'),
    stop: readTexts(config.stopSequences, 'generationConfig.stopSequences'),
    seed: integer('seed'),
    candidates: integer('candidateCount'),
    presencePenalty: number('presencePenalty'),
    frequencyPenalty: number('frequencyPenalty'),
    logprobs:
      readBoolean(config.responseLogprobs, 'generationConfig.responseLogprobs') === true
        ? (integer('logprobs') ?? 0)
        : null,
    logitBias: null,
    format: parseFormat(config, unknown),
    reasoning: parseReasoning(readMessage(config.thinkingConfig, THINKING)),
    user: null,
    metadata: readRecord(body.labels, 'labels') as Record<string, string> | null,
    serviceTier: tier && parseTier(tier),
    streamUsage: null,
    unknown: [...new Set(unknown)],
  }
}

const KNOWN = new Set(
  'model contents systemInstruction tools toolConfig generationConfig labels serviceTier cachedContent'.split(' '),
)
const CONFIG = new Set(
  (
    'temperature topP topK maxOutputTokens stopSequences candidateCount seed presencePenalty frequencyPenalty responseLogprobs ' +
    'logprobs responseMimeType responseSchema responseJsonSchema thinkingConfig'
  ).split(' '),
)

/** Safety settings that switch the filters off: others have none to switch. */
const asksForNone = (settings: unknown) =>
  readMessages(settings, 'safetySettings').every(({ threshold }) => threshold === 'BLOCK_NONE' || threshold === 'OFF')

const isText = (modalities: unknown) =>
  Array.isArray(modalities) && modalities.every((one) => typeof one === 'string' && one.toUpperCase() === 'TEXT')

function parseFormat(config: Json, unknown: string[]): HubFormat | null {
  const own = readRecord(config.responseSchema, 'generationConfig.responseSchema')
  const schema =
    readRecord(config.responseJsonSchema, 'generationConfig.responseJsonSchema') ?? (own && toJsonSchema(own))
  const type = readText(config.responseMimeType, 'generationConfig.responseMimeType')
  // One word out of a list.
  if (type === 'text/x.enum') {
    unknown.push('generationConfig.responseMimeType')
    return null
  }
  if (schema !== null) return { type: 'schema', name: 'answer', schema }
  if (type === null || type === '') return null
  if (type === 'text/plain') return { type: 'text' }
  if (type === 'application/json') return { type: 'json' }
  return refuse('generationConfig.responseMimeType', 'must be one of text/plain, application/json, text/x.enum')
}

const THINKING = 'generationConfig.thinkingConfig'

function parseReasoning(config: Json | null): HubReasoning | null {
  if (config === null) return null
  const shown = readBoolean(config.includeThoughts, `${THINKING}.includeThoughts`)
  const budget = readInteger(config.thinkingBudget, `${THINKING}.thinkingBudget`)
  const level = readText(config.thinkingLevel, `${THINKING}.thinkingLevel`)?.toLowerCase() ?? null
  if (level !== null && level !== 'thinking_level_unspecified' && !(EFFORTS as readonly string[]).includes(level))
    refuse(`${THINKING}.thinkingLevel`, 'must be one of MINIMAL, LOW, MEDIUM, HIGH')
  if (budget === 0) return { effort: 'none', budgetTokens: null, shown }
  const effort = level === 'thinking_level_unspecified' ? null : (level as HubEffort | null)
  // Minus one: as much as the model thinks fit.
  if (budget !== null && budget < 0) return { effort: effort ?? 'medium', budgetTokens: null, shown }
  return { effort, budgetTokens: budget, shown }
}
