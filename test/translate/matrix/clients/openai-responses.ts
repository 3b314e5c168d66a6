import OpenAI from 'openai'
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
import { dataUrl, raised } from './openai-chat.ts'

type Body = OpenAI.Responses.ResponseCreateParamsNonStreaming
type Item = OpenAI.Responses.ResponseInputItem
type Answer = OpenAI.Responses.Response

export const openaiResponses: Client = {
  name: "the OpenAI SDK's Responses API",
  dialect: 'openai-responses',
  endpoint: () => '/v1/responses',
  schemas: 'field',
  avoids: ['openai'],
  errorName: errorClass,
  lacks: ['stop'],
  connect({ url, token }) {
    const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: token, maxRetries: 0, fetch: ownFetch })
    return {
      async converse(ask, mode, hooks = {}) {
        const input = ask.messages.map(toItem)
        const shown: Shown[] = []
        for (let turn = 0; turn < MOST_TURNS; turn++) {
          const { answer, dropped } = await send(openai, toBody(laterAsk(ask, turn), input), mode, hooks)
          const one = { ...toShown(answer), dropped }
          shown.push(one)
          if (one.calls.length === 0 || !ask.tools) return shown
          input.push(...(answer.output as Item[]))
          for (const item of answer.output)
            if (item.type === 'function_call')
              input.push({ type: 'function_call_output', call_id: item.call_id, output: toOutput(ask, toCall(item)) })
        }
        throw new Error('The model does not come to an end.')
      },
      raised,
    }
  },
}

async function send(openai: OpenAI, body: Body, mode: Mode, { signal, onPiece }: Hooks) {
  if (mode === 'whole') {
    const { data, response } = await openai.responses.create(body, { signal }).withResponse()
    return { answer: data, dropped: response.headers.get('x-llm-proxy-dropped') }
  }
  const stream = openai.responses.stream({ ...body, stream: true }, { signal })
  stream.on('event', ({ type }) => {
    if (type.endsWith('.delta')) onPiece?.()
  })
  return { answer: await stream.finalResponse(), dropped: undefined }
}

const toItem = (message: Ask['messages'][number]): Item => {
  if (message.role === 'assistant') return { role: message.role, content: message.text }
  const { text, image, pdf } = message
  if (!image && !pdf) return { role: 'user', content: text }
  return {
    role: 'user',
    content: [
      { type: 'input_text', text },
      ...(image ? [toImage(image)] : []),
      ...(pdf ? [{ type: 'input_file' as const, filename: 'a.pdf', file_data: dataUrl(pdf) }] : []),
    ],
  }
}

const toImage = (image: Picture) => ({ type: 'input_image', detail: 'auto', image_url: dataUrl(image) }) as const

function toOutput(ask: Ask, call: Call) {
  const { text, image } = runTool(ask.tools, call)
  return image === undefined ? text : [{ type: 'input_text' as const, text }, toImage(image)]
}

const toBody = (ask: Ask, input: Item[]): Body => ({
  model: ask.model,
  input: [...input],
  ...(ask.system !== undefined && { instructions: ask.system }),
  ...(ask.tools && {
    tools: ask.tools.map(({ name, description, parameters }) => ({
      type: 'function' as const,
      name,
      description,
      parameters,
      strict: false,
    })),
  }),
  ...(ask.toolChoice && { tool_choice: toChoice(ask.toolChoice) }),
  ...(ask.parallel === false && { parallel_tool_calls: false }),
  ...(ask.schema && {
    text: { format: { type: 'json_schema', name: 'answer', schema: ask.schema, strict: true } },
  }),
  ...(ask.thinks && {
    reasoning: { effort: 'high', summary: 'auto' },
    include: ['reasoning.encrypted_content'],
    store: false,
  }),
  ...(ask.maxTokens !== undefined && { max_output_tokens: ask.maxTokens }),
  ...(ask.temperature !== undefined && { temperature: ask.temperature }),
})

const toChoice = (choice: string): NonNullable<Body['tool_choice']> =>
  choice === 'required' || choice === 'none' ? choice : { type: 'function', name: choice }

const toCall = ({ name, arguments: json }: OpenAI.Responses.ResponseFunctionToolCall): Call => ({
  name,
  args: JSON.parse(json) as Call['args'],
})

function toShown({ output, output_text, usage, status, incomplete_details }: Answer): Shown {
  const calls = output.flatMap((item) => (item.type === 'function_call' ? [toCall(item)] : []))
  const refusals = output.flatMap((item) =>
    item.type === 'message' ? item.content.flatMap((part) => (part.type === 'refusal' ? [part.refusal] : [])) : [],
  )
  const thoughts = output.flatMap((item) => (item.type === 'reasoning' ? item.summary.map(({ text }) => text) : []))
  const why = incomplete_details?.reason === 'content_filter' ? 'filter' : 'length'
  return {
    text: output_text + refusals.join(''),
    thought: thoughts.join(''),
    calls,
    finish: status !== 'completed' ? why : calls.length > 0 ? 'tools' : 'stop',
    usage: {
      input: usage?.input_tokens ?? 0,
      cached: usage?.input_tokens_details.cached_tokens ?? 0,
      output: usage?.output_tokens ?? 0,
    },
  }
}
