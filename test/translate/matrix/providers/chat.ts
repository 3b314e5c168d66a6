import { z } from 'zod'
import { type Json, pieces, type Speech, type Talk } from '../provider.ts'
import { type Answer, type Heard, type HeardTurn, toTurns, USAGE } from '../script.ts'
import { anything, objectSchema, propertiesOf } from './shapes.ts'

/* What OpenAI's chat completions and those who copy them have in common, after recorded answers. */

export const tool = z.strictObject({
  type: z.literal('function'),
  function: z.strictObject({
    name: z.string().regex(/^[\w-]{1,64}$/),
    description: z.string().optional(),
    parameters: objectSchema.optional(),
    strict: z.boolean().nullish(),
  }),
})

export const toolCall = z.strictObject({
  id: z.string().min(1),
  type: z.literal('function'),
  function: z.strictObject({ name: z.string().min(1), arguments: z.string() }),
})

export const namedTool = z.strictObject({ type: z.literal('function'), function: z.strictObject({ name: z.string() }) })

export const format = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text') }),
  z.strictObject({ type: z.literal('json_object') }),
  z.strictObject({
    type: z.literal('json_schema'),
    json_schema: z.strictObject({
      name: z.string().regex(/^[\w-]{1,64}$/),
      description: z.string().optional(),
      schema: anything,
      strict: z.boolean().nullish(),
    }),
  }),
])

type Part = {
  type: string
  text?: string
  image_url?: string | { url: string }
  file?: { file_data: string }
}
type Message = {
  role: string
  content?: string | Part[] | null
  tool_calls?: { id: string; function: { name: string; arguments: string } }[]
  tool_call_id?: string
}
export type ChatRequest = {
  messages: Message[]
  stream?: boolean
  stream_options?: { include_usage?: boolean }
  tools?: { function: { name: string; parameters?: unknown; strict?: boolean } }[]
  tool_choice?: string | { type: string; function?: { name: string } }
  parallel_tool_calls?: boolean
  max_tokens?: number
  max_completion_tokens?: number
  temperature?: number
  stop?: string | string[]
  response_format?: { type: string; json_schema?: { schema: unknown; strict?: boolean } }
  reasoning_effort?: string
  /** Z.ai's switch. */
  thinking?: { type: 'enabled' | 'disabled' }
}

/** Results come right behind the message of their calls, one for each, and belong to no other. */
export function* resultProblems({ messages }: ChatRequest): Generator<string> {
  let open: string[] = []
  for (const [index, { role, tool_calls = [], tool_call_id = '' }] of messages.entries()) {
    if (role === 'tool') {
      if (!open.includes(tool_call_id))
        yield `messages.[${index}]: messages with role 'tool' must be a response to a preceding message with 'tool_calls': ${tool_call_id}`
      open = open.filter((id) => id !== tool_call_id)
    } else if (open.length > 0)
      yield `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following had none: ${open.join(', ')}`
    else open = tool_calls.map(({ id }) => id)
  }
  if (open.length > 0) yield `The following tool_call_ids did not have response messages: ${open.join(', ')}`
}

export function hear({ body }: Talk): Heard {
  const asked = body as ChatRequest
  const { tools = [], tool_choice = null, stop = [], reasoning_effort } = asked
  const isInstruction = ({ role }: Message) => role === 'system' || role === 'developer'
  return {
    system: asked.messages.filter(isInstruction).map(textOf).join('\n'),
    turns: toTurns(asked.messages.filter((one) => !isInstruction(one)).map(hearMessage)),
    tools: tools.map((one) => one.function.name),
    toolChoice: typeof tool_choice === 'string' ? tool_choice : (tool_choice?.function?.name ?? null),
    parallel: asked.parallel_tool_calls ?? null,
    maxTokens: asked.max_completion_tokens ?? asked.max_tokens ?? null,
    temperature: asked.temperature ?? null,
    stop: [stop].flat(),
    schema: asked.response_format?.json_schema ? propertiesOf(asked.response_format.json_schema.schema) : null,
    thinks: asked.thinking?.type === 'enabled' || (reasoning_effort ?? 'none') !== 'none',
  }
}

function hearMessage(message: Message): Partial<HeardTurn> & Pick<HeardTurn, 'role'> {
  if (message.role === 'tool') return { role: 'user', results: [textOf(message)] }
  return {
    role: message.role === 'assistant' ? 'assistant' : 'user',
    text: textOf(message),
    images: partsOf(message).flatMap(({ image_url, file }) => {
      const url = file?.file_data ?? (typeof image_url === 'object' ? image_url.url : image_url)
      return url === undefined ? [] : [url.replace(/^data:/, '')]
    }),
    calls: (message.tool_calls ?? []).map((call) => ({
      name: call.function.name,
      args: JSON.parse(call.function.arguments) as Json,
    })),
  }
}

const partsOf = ({ content }: Message): Part[] =>
  typeof content === 'string' ? [{ type: 'text', text: content }] : (content ?? [])
const textOf = (message: Message) =>
  partsOf(message)
    .map(({ text = '' }) => text)
    .join('')

/** What those who copy the format do each in their way. */
export type Manner = {
  id: string
  /** As the answer tells it. */
  served(model: string): string
  newCallId(number: number): string
  /** The message of a whole answer, or the first delta: how a thought and a refusal are told. */
  thought(text: string): Json | null
  refusal(text: string): Json
  refusalReason: string
  usage(answer: Answer): Json
  /** Usage comes in the last chunk, or in one of its own for those who ask. */
  usageIn: 'last' | 'own'
  /** Calls come whole, or in pieces. */
  callsWhole: boolean
  /** What every delta says besides. */
  idle: Json
}

export const isStream: Speech['isStream'] = (_seen, body) => body.stream === true
export const modelOf: Speech['modelOf'] = (_seen, body) => String(body.model)

const reasonOf = ({ stop, calls }: Answer, manner: Manner) =>
  stop === 'length' ? 'length' : stop === 'refusal' ? manner.refusalReason : calls ? 'tool_calls' : 'stop'

const callsOf = ({ calls = [] }: Answer, { newCallId }: Manner, { memory }: Talk): Json[] =>
  calls.map(({ name, args }) => {
    const id = newCallId(memory.ids.length)
    memory.ids.push(id)
    return { id, type: 'function', function: { name, arguments: JSON.stringify(args) } }
  })

export function whole(answer: Answer, talk: Talk, manner: Manner): Json {
  const { thought, text, stop } = answer
  const calls = callsOf(answer, manner, talk)
  const message = {
    role: 'assistant',
    ...manner.idle,
    content: text ?? null,
    ...(thought !== undefined && manner.thought(thought)),
    ...(stop === 'refusal' && manner.refusal(text!)),
    ...(calls.length > 0 && { tool_calls: calls }),
  }
  // Where thoughts are parts of the content, the text is one behind them.
  if (Array.isArray(message.content) && text !== undefined) message.content.push({ type: 'text', text })
  return {
    id: manner.id,
    object: 'chat.completion',
    created: 1_790_000_000,
    model: manner.served(talk.model),
    choices: [{ index: 0, message, logprobs: null, finish_reason: reasonOf(answer, manner) }],
    usage: manner.usage(answer),
  }
}

export function stream(answer: Answer, talk: Talk, manner: Manner): { content: string[]; end: string[] } {
  const { thought, text = '', stop } = answer
  const asksUsage = manner.usageIn === 'own' && (talk.body as ChatRequest).stream_options?.include_usage === true
  const frame = (choices: Json[], more: Json = asksUsage ? { usage: null } : {}) =>
    `data: ${JSON.stringify({ id: manner.id, object: 'chat.completion.chunk', created: 1_790_000_000, model: manner.served(talk.model), choices, ...more })}\n\n`
  const delta = (one: Json, finish_reason: string | null = null, more?: Json) =>
    frame([{ index: 0, delta: one, logprobs: null, finish_reason }], more)
  const said = pieces(text).map((piece) => delta(stop === 'refusal' ? manner.refusal(piece) : { content: piece }))
  const thoughts = pieces(thought ?? '').flatMap((piece) => {
    const told = manner.thought(piece)
    return told === null ? [] : [delta(told)]
  })
  const calls = callsOf(answer, manner, talk).flatMap((call, index) => {
    const { name, arguments: json } = call.function as { name: string; arguments: string }
    if (manner.callsWhole) return [delta({ tool_calls: [{ ...call, index }] })]
    return [
      delta({ tool_calls: [{ index, ...call, function: { name, arguments: '' } }] }),
      ...pieces(json).map((piece) => delta({ tool_calls: [{ index, function: { arguments: piece } }] })),
    ]
  })
  const counted = { usage: manner.usage(answer) }
  return {
    content: [delta({ role: 'assistant', content: '', ...manner.idle }), ...thoughts, ...said, ...calls],
    end: [
      delta({}, reasonOf(answer, manner), manner.usageIn === 'last' ? counted : undefined),
      ...(asksUsage ? [frame([], counted)] : []),
      'data: [DONE]\n\n',
    ],
  }
}

/** As most count: the prompt with what came from a cache, the completion with what was thought. */
export const usage = ({ thought }: Answer): Json => ({
  prompt_tokens: USAGE.input,
  completion_tokens: USAGE.output,
  total_tokens: USAGE.input + USAGE.output,
  prompt_tokens_details: { cached_tokens: USAGE.cached },
  completion_tokens_details: { reasoning_tokens: thought === undefined ? 0 : USAGE.reasoning },
})
