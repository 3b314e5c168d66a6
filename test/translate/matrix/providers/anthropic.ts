import { z } from 'zod'
import { type Json, pieces, type Speech, type Talk } from '../provider.ts'
import { type Answer, type Failure, type Heard, RETRY_AFTER, toTurns, USAGE } from '../script.ts'
import { address, anything, base64, firstProblem, objectSchema, objectsIn, propertiesOf } from './shapes.ts'

/*
 * Anthropic's Messages API, after recorded answers, its types and documentation, and the refusals that users have reported (wire
 * facts 2 to 5).
 */

const cached = {
  cache_control: z.strictObject({ type: z.literal('ephemeral'), ttl: z.enum(['5m', '1h']).optional() }).optional(),
}
const id = z.string().regex(/^[\w-]+$/)
const said = z.string().regex(/\S/, 'text content blocks must contain non-whitespace text')

const text = z.strictObject({ type: z.literal('text'), text: said, citations: z.array(anything).nullish(), ...cached })
const image = z.strictObject({
  type: z.literal('image'),
  source: z.union([
    z.strictObject({
      type: z.literal('base64'),
      media_type: z.enum(['image/jpeg', 'image/png', 'image/gif', 'image/webp']),
      data: base64,
    }),
    z.strictObject({ type: z.literal('url'), url: address }),
  ]),
  ...cached,
})
const document = z.strictObject({
  type: z.literal('document'),
  source: z.strictObject({ type: z.literal('base64'), media_type: z.literal('application/pdf'), data: base64 }),
  title: z.string().optional(),
  ...cached,
})
const thinking = z.strictObject({ type: z.literal('thinking'), thinking: z.string(), signature: z.string() })
const redacted = z.strictObject({ type: z.literal('redacted_thinking'), data: z.string() })
const toolUse = z.strictObject({
  type: z.literal('tool_use'),
  id,
  name: z.string().regex(/^[\w-]{1,128}$/),
  input: anything,
  caller: anything.optional(),
  ...cached,
})
const toolResult = z.strictObject({
  type: z.literal('tool_result'),
  tool_use_id: id,
  content: z.union([z.string(), z.array(z.discriminatedUnion('type', [text, image]))]).optional(),
  is_error: z.boolean().optional(),
  ...cached,
})

const message = z.discriminatedUnion('role', [
  z.strictObject({
    role: z.literal('user'),
    content: z.union([said, z.array(z.discriminatedUnion('type', [text, image, document, toolResult])).min(1)]),
  }),
  z.strictObject({
    role: z.literal('assistant'),
    content: z.union([said, z.array(z.discriminatedUnion('type', [text, thinking, redacted, toolUse])).min(1)]),
  }),
])
const parallel = { disable_parallel_tool_use: z.boolean().optional() }

const request = z.strictObject({
  model: z.string(),
  max_tokens: z.int().min(1),
  messages: z.array(message).min(1),
  system: z.union([said, z.array(text).min(1)]).optional(),
  stream: z.boolean().optional(),
  temperature: z.number().min(0).max(1).optional(),
  top_p: z.number().min(0).max(1).optional(),
  top_k: z.int().min(0).optional(),
  stop_sequences: z.array(z.string().regex(/\S/)).optional(),
  tools: z
    .array(
      z.strictObject({
        name: z.string().regex(/^[\w-]{1,128}$/),
        type: z.literal('custom').optional(),
        description: z.string().optional(),
        input_schema: objectSchema,
        strict: z.boolean().optional(),
        eager_input_streaming: z.boolean().optional(),
        ...cached,
      }),
    )
    .optional(),
  tool_choice: z
    .discriminatedUnion('type', [
      z.strictObject({ type: z.literal('auto'), ...parallel }),
      z.strictObject({ type: z.literal('any'), ...parallel }),
      z.strictObject({ type: z.literal('tool'), name: z.string(), ...parallel }),
      z.strictObject({ type: z.literal('none') }),
    ])
    .optional(),
  thinking: z
    .discriminatedUnion('type', [
      z.strictObject({ type: z.literal('enabled'), budget_tokens: z.int().min(1024), display: z.string().optional() }),
      z.strictObject({ type: z.literal('adaptive'), display: z.enum(['summarized', 'omitted']).optional() }),
      z.strictObject({ type: z.literal('disabled') }),
    ])
    .optional(),
  output_config: z
    .strictObject({
      effort: z.enum(['low', 'medium', 'high', 'xhigh', 'max']).optional(),
      format: z.strictObject({ type: z.literal('json_schema'), schema: anything }).optional(),
    })
    .optional(),
  metadata: z.strictObject({ user_id: z.string().max(512).optional() }).optional(),
  service_tier: z.enum(['auto', 'standard_only']).optional(),
})
type Request = z.infer<typeof request>
type Block = Exclude<Request['messages'][number]['content'], string>[number]

const blocksOf = ({ content }: Request['messages'][number]): Block[] =>
  typeof content === 'string' ? [{ type: 'text', text: content }] : content

/** Newer ones than Claude 4.5 think by themselves; the newest take neither a budget nor sampling. */
const isNew = (model: string) => /^claude-(?:opus|sonnet)-(?:4-[678]|5)/.test(model)
const isNewest = (model: string) => /^claude-(?:opus-4-[78]|(?:opus|sonnet)-5)/.test(model)

function* problems(talk: Talk): Generator<string> {
  yield* conversationProblems(talk)
  yield* thinkingProblems(talk)
  const { model } = talk
  const asked = talk.body as Request
  const { tools = [], tool_choice, output_config } = asked
  if (output_config?.effort && !isNew(model)) yield 'This model does not support the effort parameter.'
  if (isNewest(model) && asked.temperature !== undefined && asked.temperature !== 1)
    yield '`temperature` is not supported for this model'
  if (isNewest(model) && asked.top_k !== undefined) yield '`top_k` is not supported for this model'
  if (tool_choice && tools.length === 0) yield 'tool_choice may only be specified while providing tools'
  if (new Set(tools.map(({ name }) => name)).size < tools.length) yield 'tools: Tool names must be unique.'
  const strict = tools.flatMap((tool) => (tool.strict ? [tool.input_schema] : []))
  if ([output_config?.format?.schema, ...strict].flatMap(objectsIn).some((one) => one.additionalProperties !== false))
    yield "For 'object' type, 'additionalProperties' must be explicitly set to false"
  if ((JSON.stringify(asked).match(/"cache_control"/g)?.length ?? 0) > 4)
    yield 'A maximum of 4 blocks with cache_control may be provided.'
}

function* conversationProblems({ body, model }: Talk): Generator<string> {
  const { messages } = body as Request
  if (messages[0]!.role !== 'user') yield 'messages: first message must use the "user" role'
  if (messages.at(-1)!.role === 'assistant' && isNew(model))
    yield 'This model does not support assistant message prefill. The conversation must end with a user message.'
  const ids = messages.flatMap(callsOf)
  if (new Set(ids).size < ids.length) yield 'messages: `tool_use` ids must be unique'
  for (let index = 0; index <= messages.length; index++) {
    const blocks = index < messages.length ? blocksOf(messages[index]!) : []
    const calls = index === 0 ? [] : callsOf(messages[index - 1]!)
    const results = blocks.flatMap((block) => (block.type === 'tool_result' ? [block.tool_use_id] : []))
    const stray = results.find((result) => !calls.includes(result))
    if (stray)
      yield `messages.${index}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${stray}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`
    const open = calls.find((call) => !results.includes(call))
    if (open)
      yield `messages.${index - 1}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${open}.`
    if (blocks.slice(0, results.length).some(({ type }) => type !== 'tool_result'))
      yield `messages.${index}: \`tool_result\` blocks must come first`
  }
}

const callsOf = (one: Request['messages'][number]) =>
  blocksOf(one).flatMap((block) => (block.type === 'tool_use' ? [block.id] : []))

function* thinkingProblems({ body, model, memory }: Talk): Generator<string> {
  const { messages, thinking: config, tool_choice, temperature = 1, max_tokens } = body as Request
  for (const block of messages.flatMap(blocksOf)) {
    if (block.type !== 'thinking') continue
    const given = memory.seals.get(block.signature)
    if (given === undefined) yield 'messages: Invalid `signature` in `thinking` block'
    // Without its text it is as good: the seal holds it.
    else if (block.thinking !== given && block.thinking !== '')
      yield 'messages: `thinking` blocks in the latest assistant message cannot be modified'
  }
  if (config?.type === 'adaptive' && !isNew(model)) yield 'adaptive thinking is not supported on this model'
  if (config?.type !== 'enabled') return
  if (isNewest(model)) yield '"thinking.type.enabled" is not supported for this model'
  if (config.budget_tokens >= max_tokens) yield '`max_tokens` must be greater than `thinking.budget_tokens`'
  if (tool_choice?.type === 'any' || tool_choice?.type === 'tool')
    yield 'Thinking may not be enabled when tool_choice forces tool use.'
  if (temperature !== 1) yield '`temperature` may only be set to 1 when thinking is enabled'
  const first = messages.findLast(({ role }) => role === 'assistant')
  const type = first && blocksOf(first)[0]!.type
  if (blocksOf(messages.at(-1)!).some((block) => block.type === 'tool_result') && !type?.includes('thinking'))
    yield `Expected \`thinking\` or \`redacted_thinking\`, but found \`${type}\`. When \`thinking\` is enabled, a final \`assistant\` message must start with a thinking block`
}

const imageOf = ({ source }: z.infer<typeof image> | z.infer<typeof document>) =>
  source.type === 'url' ? source.url : `${source.media_type};base64,${source.data}`

function hear({ body }: Talk): Heard {
  const asked = body as Request
  const { system = '', tools = [], tool_choice } = asked
  const turns = asked.messages.map((one) => {
    const blocks = blocksOf(one)
    const inner = blocks.flatMap((b) => (b.type === 'tool_result' && Array.isArray(b.content) ? b.content : []))
    return {
      role: one.role,
      text: blocks.map((b) => (b.type === 'text' ? b.text : '')).join(''),
      images: [...inner, ...blocks].flatMap((b) => (b.type === 'image' || b.type === 'document' ? [imageOf(b)] : [])),
      calls: blocks.flatMap((b) => (b.type === 'tool_use' ? [{ name: b.name, args: b.input }] : [])),
      results: blocks.flatMap((b) => (b.type === 'tool_result' ? [resultOf(b)] : [])),
    }
  })
  const forced = tool_choice?.type === 'tool' ? tool_choice.name : tool_choice?.type
  return {
    system: typeof system === 'string' ? system : system.map((one) => one.text).join('\n'),
    turns: toTurns(turns),
    tools: tools.map(({ name }) => name),
    toolChoice: forced === 'any' ? 'required' : (forced ?? null),
    parallel: tool_choice && 'disable_parallel_tool_use' in tool_choice ? !tool_choice.disable_parallel_tool_use : null,
    maxTokens: asked.max_tokens,
    temperature: asked.temperature ?? null,
    stop: asked.stop_sequences ?? [],
    schema: asked.output_config?.format ? propertiesOf(asked.output_config.format.schema) : null,
    thinks: asked.thinking !== undefined && asked.thinking.type !== 'disabled',
  }
}

const resultOf = ({ content = '' }: z.infer<typeof toolResult>) =>
  typeof content === 'string' ? content : content.map((one) => (one.type === 'text' ? one.text : '')).join('')

/** The cache stands beside the input: 30 = 15 + 12 read + 3 written. */
export const CACHE_WRITE = 3
const usage = ({ thought }: Answer) => ({
  input_tokens: USAGE.input - USAGE.cached - CACHE_WRITE,
  cache_creation_input_tokens: CACHE_WRITE,
  cache_read_input_tokens: USAGE.cached,
  output_tokens: USAGE.output,
  ...(thought !== undefined && { output_tokens_details: { thinking_tokens: USAGE.reasoning } }),
})

const ending = ({ stop, calls }: Answer, { body }: Talk) => ({
  stop_reason:
    stop === 'length'
      ? 'max_tokens'
      : stop === 'sequence'
        ? 'stop_sequence'
        : stop === 'refusal'
          ? 'refusal'
          : calls
            ? 'tool_use'
            : 'end_turn',
  stop_sequence: stop === 'sequence' ? (body.stop_sequences as string[])[0]! : null,
  stop_details: null,
})

/** As they stand in a whole answer. */
function contentOf({ thought, text: words, calls = [] }: Answer, { memory }: Talk): Json[] {
  const content: Json[] = []
  if (thought !== undefined) {
    const signature = Buffer.from(`sealed by Claude, number ${memory.seals.size}`).toString('base64')
    memory.seals.set(signature, thought)
    content.push({ type: 'thinking', thinking: thought, signature })
  }
  if (words !== undefined) content.push({ type: 'text', text: words })
  for (const { name, args } of calls) {
    const given = `toolu_01${String(memory.ids.length).padStart(22, 'A')}`
    memory.ids.push(given)
    content.push({ type: 'tool_use', id: given, name, input: args })
  }
  return content
}

const head = { id: 'msg_01ScriptedAnswer', type: 'message', role: 'assistant' }
/** As a dated name, which is what answers tell. */
const served = (model: string) => (/\d{8}$/.test(model) ? model : `${model}-20260101`)

const frame = (event: Json) => `event: ${String(event.type)}\ndata: ${JSON.stringify(event).slice(0, -1)}   }\n\n`

function framesOf(block: Json, index: number): string[] {
  const delta = (one: Json) => frame({ type: 'content_block_delta', index, delta: one })
  const start = (content_block: Json) => frame({ type: 'content_block_start', index, content_block })
  const stop = frame({ type: 'content_block_stop', index })
  if (block.type === 'thinking')
    return [
      start({ type: 'thinking', thinking: '', signature: '' }),
      ...pieces(String(block.thinking)).map((piece) => delta({ type: 'thinking_delta', thinking: piece })),
      delta({ type: 'signature_delta', signature: block.signature }),
      stop,
    ]
  if (block.type === 'text')
    return [
      start({ type: 'text', text: '' }),
      frame({ type: 'ping' }),
      ...pieces(String(block.text)).map((piece) => delta({ type: 'text_delta', text: piece })),
      stop,
    ]
  // Without arguments there is nothing but the empty piece.
  const json = JSON.stringify(block.input)
  return [
    start({ ...block, input: {} }),
    delta({ type: 'input_json_delta', partial_json: '' }),
    ...(json === '{}' ? [] : pieces(json)).map((piece) => delta({ type: 'input_json_delta', partial_json: piece })),
    stop,
  ]
}

const FAILED: Record<Failure, [status: number, type: string]> = {
  bad_request: [400, 'invalid_request_error'],
  wrong_key: [401, 'authentication_error'],
  forbidden: [403, 'permission_error'],
  not_found: [404, 'not_found_error'],
  too_long: [400, 'invalid_request_error'],
  rate_limit: [429, 'rate_limit_error'],
  server: [500, 'api_error'],
  overloaded: [529, 'overloaded_error'],
}
const failed = (type: string, words: string) => ({
  type: 'error',
  error: { details: null, type, message: words },
  request_id: 'req_011Scripted',
})

export const anthropicSpeech: Speech = {
  isStream: (_seen, body) => body.stream === true,
  modelOf: (_seen, body) => String(body.model),
  check(talk, { headers, url }) {
    if (url.split('?')[0] !== '/v1/messages') return `There is nothing at ${url}.`
    if (!headers['x-api-key']) return 'x-api-key header is required'
    const version = headers['anthropic-version']
    if (version !== '2023-06-01' && version !== '2026-10-21') return 'anthropic-version: header is required'
    const removed = ['temperature', 'top_p', 'top_k'].find((name) => name in talk.body)
    if (version === '2026-10-21' && removed) return `${removed}: Extra inputs are not permitted`
    return firstProblem(request, talk.body) ?? problems(talk).next().value ?? null
  },
  hear,
  whole: (answer, talk) => ({
    ...head,
    model: served(talk.model),
    content: contentOf(answer, talk),
    ...ending(answer, talk),
    usage: usage(answer),
  }),
  stream(answer, talk) {
    const blocks = contentOf(answer, talk).map(framesOf)
    const started = { ...head, model: served(talk.model), content: [], stop_reason: null, stop_sequence: null }
    const { output_tokens_details: _, ...counted } = usage(answer)
    const start = frame({ type: 'message_start', message: { ...started, usage: { ...counted, output_tokens: 1 } } })
    const rest = frame({ type: 'message_delta', delta: ending(answer, talk), usage: usage(answer) })
    const content = [start, ...blocks.flat()]
    // The end of the last block belongs to the end.
    const close = blocks.length === 0 ? [] : [content.pop()!]
    return { content, end: [...close, rest, frame({ type: 'message_stop' })] }
  },
  streamFailure: frame(failed('overloaded_error', 'Overloaded')),
  failure(kind, words) {
    const [status, type] = FAILED[kind]
    const headers: Record<string, string> = kind === 'rate_limit' ? { 'retry-after': String(RETRY_AFTER) } : {}
    return { status, body: failed(type, words), headers }
  },
}
