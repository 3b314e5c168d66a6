import Anthropic, { APIError } from '@anthropic-ai/sdk'
import {
  type Ask,
  type Client,
  errorClass,
  type Hooks,
  isThinkerByItself,
  laterAsk,
  MOST_TURNS,
  type Mode,
  ownFetch,
  type Picture,
  runTool,
  type Shown,
} from '../client.ts'
import type { Call } from '../script.ts'

const OWN_ERRORS: Record<number, string> = { 503: 'ServiceUnavailableError', 529: 'OverloadedError' }

type Body = Anthropic.MessageCreateParamsNonStreaming

export const anthropic: Client = {
  name: 'the Anthropic SDK',
  dialect: 'anthropic-messages',
  endpoint: () => '/v1/messages',
  schemas: 'field',
  avoids: [],
  errorName: (status) => OWN_ERRORS[status] ?? errorClass(status),
  lacks: ['temperature'],
  connect({ url, token }) {
    const client = new Anthropic({ baseURL: url, apiKey: token, maxRetries: 0, fetch: ownFetch })
    return {
      async converse(ask, mode, hooks = {}) {
        const messages = ask.messages.map(toMessage)
        const shown: Shown[] = []
        for (let turn = 0; turn < MOST_TURNS; turn++) {
          const { answer, dropped } = await send(client, toBody(laterAsk(ask, turn), messages), mode, hooks)
          const one = { ...toShown(answer), dropped }
          shown.push(one)
          if (one.calls.length === 0 || !ask.tools) return shown
          messages.push({ role: 'assistant', content: answer.content })
          messages.push({
            role: 'user',
            content: answer.content.flatMap((block) => (block.type === 'tool_use' ? [toResult(ask, block)] : [])),
          })
        }
        throw new Error('The model does not come to an end.')
      },
      raised(error) {
        const { name, message, status } = error as APIError
        const retryAfter = error instanceof APIError ? error.headers?.get('retry-after') : undefined
        return { name: (error as object).constructor.name || name, message, status, retryAfter }
      },
    }
  },
}

async function send(client: Anthropic, body: Body, mode: Mode, { signal, onPiece }: Hooks) {
  if (mode === 'whole') {
    const { data, response } = await client.messages.create(body, { signal }).withResponse()
    return { answer: data, dropped: response.headers.get('x-llm-proxy-dropped') }
  }
  const stream = client.messages.stream(body, { signal })
  stream.on('text', () => onPiece?.()).on('thinking', () => onPiece?.())
  const answer = await stream.finalMessage()
  return { answer, dropped: stream.response?.headers.get('x-llm-proxy-dropped') }
}

const toMessage = (message: Ask['messages'][number]): Anthropic.MessageParam => {
  if (message.role === 'assistant') return { role: message.role, content: message.text }
  const { text, image, pdf } = message
  if (!image && !pdf) return { role: 'user', content: text }
  return {
    role: 'user',
    content: [{ type: 'text', text }, ...(image ? [toImage(image)] : []), ...(pdf ? [toDocument(pdf)] : [])],
  }
}

const toDocument = ({ data }: Picture): Anthropic.DocumentBlockParam => ({
  type: 'document',
  source: { type: 'base64', media_type: 'application/pdf', data },
})

const toImage = ({ mediaType, data }: Picture): Anthropic.ImageBlockParam => ({
  type: 'image',
  source: { type: 'base64', media_type: mediaType as 'image/png', data },
})

function toResult(ask: Ask, { id, name, input }: Anthropic.ToolUseBlock): Anthropic.ToolResultBlockParam {
  const { text, image } = runTool(ask.tools, { name, args: input as Call['args'] })
  const content = image === undefined ? text : [{ type: 'text' as const, text }, toImage(image)]
  return { type: 'tool_result', tool_use_id: id, content }
}

/** The others are told how many tokens they may think. */
const toThinking = (model: string): Anthropic.ThinkingConfigParam =>
  isThinkerByItself(model) ? { type: 'adaptive', display: 'summarized' } : { type: 'enabled', budget_tokens: 1_500 }

const toBody = (ask: Ask, messages: Anthropic.MessageParam[]): Body => ({
  model: ask.model,
  messages: [...messages],
  max_tokens: ask.maxTokens ?? 4_000,
  ...(ask.system !== undefined && { system: ask.system }),
  ...(ask.tools && {
    tools: ask.tools.map(({ name, description, parameters }) => ({
      name,
      description,
      input_schema: parameters as Anthropic.Tool.InputSchema,
    })),
  }),
  ...(ask.toolChoice && { tool_choice: toChoice(ask.toolChoice, ask.parallel) }),
  ...(ask.schema && { output_config: { format: { type: 'json_schema', schema: ask.schema } } }),
  ...(ask.thinks && { thinking: toThinking(ask.model) }),
  ...(ask.stop && { stop_sequences: ask.stop }),
})

function toChoice(choice: string, parallel: false | undefined): Anthropic.ToolChoice {
  if (choice === 'none') return { type: 'none' }
  const more = parallel === false ? { disable_parallel_tool_use: true } : {}
  return choice === 'required' ? { type: 'any', ...more } : { type: 'tool', name: choice, ...more }
}

const FINISH: Record<string, string> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'length',
  tool_use: 'tools',
  refusal: 'filter',
}

function toShown({ content, stop_reason, usage }: Anthropic.Message): Shown {
  const { input_tokens, cache_read_input_tokens, cache_creation_input_tokens, output_tokens } = usage
  return {
    text: content.map((block) => (block.type === 'text' ? block.text : '')).join(''),
    thought: content.map((block) => (block.type === 'thinking' ? block.thinking : '')).join(''),
    calls: content.flatMap((block) =>
      block.type === 'tool_use' ? [{ name: block.name, args: block.input as Call['args'] }] : [],
    ),
    finish: FINISH[stop_reason!] ?? String(stop_reason),
    usage: {
      input: input_tokens + (cache_read_input_tokens ?? 0) + (cache_creation_input_tokens ?? 0),
      cached: cache_read_input_tokens ?? 0,
      output: output_tokens,
    },
  }
}
