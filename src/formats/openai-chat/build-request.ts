import { withCallIds } from '../call-ids.ts'
import { dataUrl } from '../data-url.ts'
import type { Dialect, Json } from '../dialect.ts'
import { effortFor } from '../effort.ts'
import type { HubFormat, HubMessage, HubPart, HubRequest, HubSource, HubTool, HubToolChoice } from '../hub.ts'
import type { ModelFacts } from '../model-facts.ts'
import { withoutEmpty } from '../read.ts'
import { withoutForeignSeals } from '../seals.ts'
import { sealDetail, textDetail, writeCache } from './extensions.ts'

type Lose = Parameters<Dialect['buildRequest']>[2]

export function buildRequest(request: HubRequest, facts: ModelFacts, lose: Lose): Json {
  const { tools, temperature, topP, topK, logprobs } = request
  const sampling = facts.takesSampling ? { temperature, top_p: topP } : {}
  if (!facts.takesSampling) {
    if (temperature !== null) lose('temperature')
    if (topP !== null) lose('topP')
  }
  if (topK !== null) lose('topK')
  return withoutEmpty({
    model: request.model,
    messages: withCallIds(withoutForeignSeals(request.messages, 'openai-chat'), facts).flatMap((message) =>
      buildMessages(message, lose),
    ),
    ...(request.stream && { stream: true }),
    ...(request.stream && request.streamUsage && { stream_options: { include_usage: true } }),
    tools: tools.length === 0 ? null : tools.map(buildTool),
    tool_choice: request.toolChoice && buildToolChoice(request.toolChoice),
    // Without tools some refuse it.
    parallel_tool_calls: tools.length === 0 ? null : request.parallelToolCalls,
    [facts.countsReasoning ? 'max_completion_tokens' : 'max_tokens']: request.maxTokens,
    ...sampling,
    stop: request.stop.length === 0 ? null : request.stop,
    seed: request.seed,
    n: request.candidates,
    presence_penalty: request.presencePenalty,
    frequency_penalty: request.frequencyPenalty,
    logprobs: logprobs === null ? null : true,
    top_logprobs: logprobs || null,
    logit_bias: request.logitBias,
    response_format: request.format && buildFormat(request.format),
    reasoning_effort: buildEffort(request, facts, lose),
    user: request.user,
    metadata: request.metadata,
    service_tier: request.serviceTier,
  })
}

function buildEffort({ reasoning, tools }: HubRequest, facts: ModelFacts, lose: Lose): string | null {
  if (!facts.takesToolsWithEffort && tools.length > 0) {
    if (reasoning !== null && reasoning.effort !== 'none') lose('reasoning')
    return 'none'
  }
  return effortFor(reasoning, facts)
}

function buildMessages({ role, parts, name }: HubMessage, lose: Lose): Json[] {
  const named = name === undefined ? {} : { name }
  if (role === 'assistant') return [{ role, ...named, ...buildAssistant(parts) }]
  const results = parts.filter((part) => part.type === 'tool_result')
  const others = parts.filter((part) => part.type !== 'tool_result')
  // Results must follow the calls directly; what they show besides text comes behind all of them, from the user.
  const shown = results.flatMap(({ parts: inner }) => inner.filter(({ type }) => type !== 'text'))
  const content = [...shown, ...others].flatMap((part) => buildPart(part, lose))
  return [
    ...results.map((result) => ({ role: 'tool', tool_call_id: result.id, content: textOf(result.parts) })),
    ...(content.length > 0 || results.length === 0 ? [{ role, ...named, content: plain(content) }] : []),
  ]
}

/** A text alone is written as such. */
const plain = (content: Json[]) =>
  content.length === 0 ? '' : content.length === 1 && isBareText(content[0]!) ? content[0]!.text : content
const isBareText = (part: Json) => part.type === 'text' && part.cache_control === undefined

const textOf = (parts: HubPart[]) => parts.map((part) => (part.type === 'text' ? part.text : '')).join('')

function buildAssistant(parts: HubPart[]): Json {
  const content: Json[] = []
  const calls: Json[] = []
  const details: Json[] = []
  let refusal: string | null = null
  for (const part of parts) {
    if (part.type === 'text') content.push(buildText(part))
    else if (part.type === 'refusal') refusal = (refusal ?? '') + part.text
    else if (part.type === 'tool_call') {
      calls.push({ id: part.id, type: 'function', function: { name: part.name, arguments: part.arguments || '{}' } })
      if (part.signature !== undefined) details.push(sealDetail(part.signature, part.id))
    } else if (part.type === 'reasoning') {
      if (part.redacted !== undefined) details.push(sealDetail(part.redacted))
      else if (part.signature !== undefined) details.push(textDetail(part.text, part.signature))
    }
  }
  return withoutEmpty({
    content: content.length === 0 ? (calls.length > 0 || refusal !== null ? undefined : '') : plain(content),
    refusal,
    tool_calls: calls.length === 0 ? null : calls,
    reasoning_details: details.length === 0 ? null : details,
  })
}

const buildText = ({ text, cache }: HubPart & { type: 'text' }): Json => ({
  type: 'text',
  text,
  ...(cache && { cache_control: writeCache(cache) }),
})

function buildPart(part: HubPart, lose: Lose): Json[] {
  switch (part.type) {
    case 'text':
      return [buildText(part)]
    case 'image':
      return buildImage(part, lose)
    case 'audio':
      return [
        { type: 'input_audio', input_audio: { data: part.source.data, format: audioFormat(part.source.mediaType) } },
      ]
    case 'file':
      return buildFile(part.source, part.name, lose)
    case 'refusal':
      return [{ type: 'text', text: part.text }]
    default:
      lose(`part:${part.type}`)
      return []
  }
}

function buildImage({ source, detail }: HubPart & { type: 'image' }, lose: Lose): Json[] {
  const more = detail === undefined ? {} : { detail }
  if (source.kind === 'url') return [{ type: 'image_url', image_url: { url: source.url, ...more } }]
  if (source.kind === 'base64')
    return [{ type: 'image_url', image_url: { url: dataUrl(source.mediaType, source.data), ...more } }]
  lose('part:image')
  return []
}

function buildFile(source: HubSource, name: string | undefined, lose: Lose): Json[] {
  switch (source.kind) {
    case 'text':
      return [{ type: 'text', text: source.text }]
    case 'file_id':
      return [{ type: 'file', file: { file_id: source.id } }]
    case 'base64': {
      const filename = name ?? `document.${source.mediaType.split('/')[1] ?? 'bin'}`
      return [{ type: 'file', file: { filename, file_data: dataUrl(source.mediaType, source.data) } }]
    }
    default:
      lose('part:file')
      return []
  }
}

/** `audio/mpeg` is how `mp3` is really called. */
const audioFormat = (mediaType: string) => {
  const format = mediaType.replace(/^audio\/(?:x-)?/, '')
  return format === 'mpeg' ? 'mp3' : format === 'wave' ? 'wav' : format
}

const buildTool = ({ name, description, parameters, strict, cache }: HubTool): Json => ({
  type: 'function',
  function: {
    name,
    ...(description !== undefined && { description }),
    ...(parameters !== null && { parameters }),
    ...(strict !== undefined && { strict }),
  },
  ...(cache && { cache_control: writeCache(cache) }),
})

function buildToolChoice(choice: HubToolChoice): unknown {
  if (choice.type !== 'tools') return choice.type
  const tools = choice.names.map((name) => ({ type: 'function', function: { name } }))
  if (tools.length === 1 && choice.required) return tools[0]
  return { type: 'allowed_tools', allowed_tools: { mode: choice.required ? 'required' : 'auto', tools } }
}

function buildFormat(format: HubFormat): Json {
  if (format.type === 'text') return { type: 'text' }
  if (format.type === 'json') return { type: 'json_object' }
  const { name, schema, strict, description } = format
  const more = { ...(strict !== undefined && { strict }), ...(description !== undefined && { description }) }
  return { type: 'json_schema', json_schema: { name, schema, ...more } }
}
