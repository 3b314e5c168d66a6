/* What each dialect can carry, asked of the dialects themselves: the tables of docs/translation.md. */
import type { DialectName } from '../src/formats/dialect.ts'
import { DIALECTS } from '../src/formats/dialects.ts'
import type { HubField, HubPart, HubRequest } from '../src/formats/hub.ts'
import { factsOf } from '../src/formats/model-facts.ts'
import { hubRequest } from '../test/formats/samples.ts'

/** A model of each, for what depends on it. */
const MODELS: [DialectName, title: string, model: string][] = [
  ['openai-chat', 'chat completions', 'gpt-4o'],
  ['openai-responses', 'Responses', 'gpt-5.5'],
  ['anthropic-messages', 'Anthropic', 'claude-sonnet-4-5'],
  ['anthropic-messages', 'Anthropic, Claude 5', 'claude-opus-5'],
  ['gemini', 'Gemini', 'gemini-3-pro'],
]

const PNG = { kind: 'base64', mediaType: 'image/png', data: 'iVBORw0KGgo=' } as const
const PDF = { kind: 'base64', mediaType: 'application/pdf', data: 'JVBERi0=' } as const
const TOOL = {
  name: 'get_weather',
  description: 'Tells it.',
  parameters: { type: 'object', properties: { city: { type: 'string' } } },
}
const SCHEMA = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
}

const FIELDS: [what: string, field: HubField, some: Partial<HubRequest>][] = [
  ['`max_tokens`', 'maxTokens', { maxTokens: 100 }],
  ['`temperature`', 'temperature', { temperature: 0.5 }],
  ['`top_p`', 'topP', { topP: 0.5 }],
  ['`top_k`', 'topK', { topK: 5 }],
  ['`stop`', 'stop', { stop: ['END'] }],
  ['`seed`', 'seed', { seed: 7 }],
  ['`n`', 'candidates', { candidates: 2 }],
  ['`presence_penalty`', 'presencePenalty', { presencePenalty: 0.5 }],
  ['`frequency_penalty`', 'frequencyPenalty', { frequencyPenalty: 0.5 }],
  ['`logprobs`', 'logprobs', { logprobs: 2 }],
  ['`logit_bias`', 'logitBias', { logitBias: { '50256': -100 } }],
  ['tools', 'tools', { tools: [TOOL] }],
  ['a tool that must be called', 'toolChoice', { tools: [TOOL], toolChoice: { type: 'required' } }],
  ['one call at a time', 'parallelToolCalls', { tools: [TOOL], parallelToolCalls: false }],
  ['any JSON object', 'format', { format: { type: 'json' } }],
  ['JSON by a schema', 'format', { format: { type: 'schema', name: 'answer', schema: SCHEMA, strict: true } }],
  ['reasoning effort', 'reasoning', { reasoning: { effort: 'high', budgetTokens: null, shown: null } }],
  ['`user`', 'user', { user: 'user-1' }],
  ['`metadata`', 'metadata', { metadata: { team: 'a' } }],
  ['`service_tier: flex`', 'serviceTier', { serviceTier: 'flex' }],
]

const PARTS: [what: string, part: HubPart][] = [
  ['pictures as data', { type: 'image', source: PNG }],
  ['pictures by address', { type: 'image', source: { kind: 'url', url: 'https://example.com/a.png' } }],
  ['PDF as data', { type: 'file', source: PDF, name: 'a.pdf' }],
  ['PDF by address', { type: 'file', source: { kind: 'url', url: 'https://example.com/a.pdf' } }],
  ['text files', { type: 'file', source: { kind: 'text', text: 'Hello' } }],
  ['files by id', { type: 'file', source: { kind: 'file_id', id: 'file-1' } }],
  ['sound', { type: 'audio', source: { kind: 'base64', mediaType: 'audio/wav', data: 'UklGRg==' } }],
]

const EMPTY = hubRequest({ model: '' })

const isCarried = (dialect: DialectName, model: string, some: Partial<HubRequest>): boolean => {
  let lost = false
  const request = { ...EMPTY, model, ...some }
  DIALECTS[dialect]!.buildRequest(request, factsOf(model), () => {
    lost = true
  })
  return !lost
}

const row = (what: string, some: Partial<HubRequest>) =>
  `| ${what} | ${MODELS.map(([dialect, , model]) => (isCarried(dialect, model, some) ? '✓' : 'dropped')).join(' | ')} |`

/** What becomes of each field and part, for a model of each dialect. */
export function translationTable(): string {
  const head = `| to | ${MODELS.map(([, title]) => title).join(' | ')} |\n|${'---|'.repeat(MODELS.length + 1)}`
  const fields = FIELDS.map(([what, , some]) => row(what, some))
  const parts = PARTS.map(([what, part]) => row(what, { messages: [{ role: 'user', parts: [part] }] }))
  return `${head}\n${[...fields, ...parts].join('\n')}`
}
