import OpenAI, { APIError } from 'openai'
import {
  type Ask,
  type Client,
  errorClass,
  type Hooks,
  laterAsk,
  MOST_TURNS,
  type Mode,
  ownFetch,
  type Picture,
  runTool,
  type Shown,
} from '../client.ts'
import type { Call } from '../script.ts'

type Body = OpenAI.ChatCompletionCreateParamsNonStreaming
type Message = OpenAI.ChatCompletionMessageParam
type Answer = OpenAI.ChatCompletion
/** As many extend the format. */
type Thinking = { reasoning_content?: string }

export const openaiChat: Client = {
  name: 'the OpenAI SDK',
  dialect: 'openai-chat',
  endpoint: () => '/v1/chat/completions',
  schemas: 'field',
  avoids: [],
  errorName: errorClass,
  lacks: ['pictures in results'],
  connect({ url, token }) {
    const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: token, maxRetries: 0, fetch: ownFetch })
    return {
      async converse(ask, mode, hooks = {}) {
        const messages = ask.messages.map(toMessage)
        if (ask.system !== undefined) messages.unshift({ role: 'system', content: ask.system })
        const shown: Shown[] = []
        for (let turn = 0; turn < MOST_TURNS; turn++) {
          const { answer, thought, dropped } = await send(openai, toBody(laterAsk(ask, turn), messages), mode, hooks)
          const { message } = answer.choices[0]!
          const one = { ...toShown(answer, thought), dropped }
          shown.push(one)
          if (one.calls.length === 0 || !ask.tools) return shown
          messages.push(message)
          for (const [index, call] of (message.tool_calls ?? []).entries())
            messages.push({ role: 'tool', tool_call_id: call.id, content: runTool(ask.tools, one.calls[index]!).text })
        }
        throw new Error('The model does not come to an end.')
      },
      raised: (error) => raised(error),
    }
  },
}

async function send(openai: OpenAI, body: Body, mode: Mode, { signal, onPiece }: Hooks) {
  if (mode === 'whole') {
    const { data, response } = await openai.chat.completions.create(body, { signal }).withResponse()
    const { reasoning_content = '' } = data.choices[0]!.message as Thinking
    return { answer: data, thought: reasoning_content, dropped: response.headers.get('x-llm-proxy-dropped') }
  }
  const stream = openai.chat.completions.stream({ ...body, stream: true, ...usageFor(body) }, { signal })
  let thought = ''
  stream.on('chunk', ({ choices }) => {
    const delta = choices[0]?.delta as (Thinking & { content?: string }) | undefined
    thought += delta?.reasoning_content ?? ''
    if (delta?.reasoning_content || delta?.content) onPiece?.()
  })
  const answer = await stream.finalChatCompletion()
  // What the SDK adds by itself, no provider knows.
  const { parsed: _, refusal, ...message } = answer.choices[0]!.message
  Object.assign(answer.choices[0]!, { message: refusal === null ? message : { ...message, refusal } })
  return { answer, thought, dropped: undefined }
}

/** Mistral refuses what it does not know, and this field as well. */
const usageFor = ({ model }: Body) => (model.startsWith('mistral') ? {} : { stream_options: { include_usage: true } })

export const dataUrl = ({ mediaType, data }: Picture) => `data:${mediaType};base64,${data}`

const toMessage = (message: Ask['messages'][number]): Message => {
  if (message.role === 'assistant') return { role: message.role, content: message.text }
  const { text, image, pdf } = message
  if (!image && !pdf) return { role: 'user', content: text }
  return {
    role: 'user',
    content: [
      { type: 'text', text },
      ...(image ? [{ type: 'image_url' as const, image_url: { url: dataUrl(image) } }] : []),
      ...(pdf ? [{ type: 'file' as const, file: { filename: 'a.pdf', file_data: dataUrl(pdf) } }] : []),
    ],
  }
}

const toBody = (ask: Ask, messages: Message[]): Body => ({
  model: ask.model,
  messages: [...messages],
  ...(ask.tools && {
    tools: ask.tools.map(({ name, description, parameters }) => ({
      type: 'function' as const,
      function: { name, description, parameters },
    })),
  }),
  ...(ask.toolChoice && { tool_choice: toChoice(ask.toolChoice) }),
  ...(ask.parallel === false && { parallel_tool_calls: false }),
  ...(ask.schema && {
    response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: ask.schema, strict: true } },
  }),
  ...(ask.thinks && { reasoning_effort: 'high' }),
  ...(ask.maxTokens !== undefined && { max_tokens: ask.maxTokens }),
  ...(ask.temperature !== undefined && { temperature: ask.temperature }),
  ...(ask.stop && { stop: ask.stop }),
})

const toChoice = (choice: string): OpenAI.ChatCompletionToolChoiceOption =>
  choice === 'required' || choice === 'none' ? choice : { type: 'function', function: { name: choice } }

const FINISH: Record<string, string> = { tool_calls: 'tools', content_filter: 'filter' }

function toShown({ choices, usage }: Answer, thought: string): Shown {
  const { message, finish_reason } = choices[0]!
  return {
    text: textOf(message.content) + (message.refusal ?? ''),
    thought,
    calls: (message.tool_calls ?? []).map(toCall),
    finish: FINISH[finish_reason] ?? finish_reason,
    usage: {
      input: usage?.prompt_tokens ?? 0,
      cached: usage?.prompt_tokens_details?.cached_tokens ?? 0,
      output: usage?.completion_tokens ?? 0,
    },
  }
}

/** Mistral answers in parts when it thinks. */
const textOf = (content: unknown): string =>
  Array.isArray(content)
    ? content.map((part: { text?: string }) => part.text ?? '').join('')
    : ((content as string | null) ?? '')

function toCall(call: OpenAI.ChatCompletionMessageToolCall): Call {
  if (call.type !== 'function') throw new Error(`A call of the type ${call.type}.`)
  return { name: call.function.name, args: JSON.parse(call.function.arguments) as Call['args'] }
}

export function raised(error: unknown) {
  const { name, message, status } = error as APIError
  const retryAfter = error instanceof APIError ? error.headers?.get('retry-after') : undefined
  return { name: (error as object).constructor.name || name, message, status, retryAfter }
}
