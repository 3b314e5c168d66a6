import { createAnthropic } from '@ai-sdk/anthropic'
import { createOpenAI } from '@ai-sdk/openai'
import {
  APICallError,
  generateText,
  jsonSchema,
  type LanguageModel,
  type ModelMessage,
  Output,
  type StepResult,
  stepCountIs,
  streamText,
  type ToolChoice,
  type ToolSet,
  tool,
} from 'ai'
import { type Ask, type Client, isThinkerByItself, MOST_TURNS, ownFetch, type Shown, type Speaker } from '../client.ts'

/* The Vercel AI SDK, which runs the loop of tools itself. */

Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false })

type At = { url: string; token: string }
type Options = Record<string, Record<string, string | object>>

export const vercelChat: Client = {
  name: 'the Vercel AI SDK with chat completions',
  dialect: 'openai-chat',
  endpoint: () => '/v1/chat/completions',
  schemas: 'field',
  avoids: ['mistral'],
  errorName: () => 'AI_APICallError',
  lacks: ['thoughts', 'pictures in results', 'parallel'],
  connect: (at) => {
    const openai = createOpenAI({ baseURL: `${at.url}/v1`, apiKey: at.token, fetch: ownFetch })
    return speaker(
      (model) => openai.chat(model),
      () => ({ openai: { reasoningEffort: 'high' } }),
    )
  },
}

export const vercelResponses: Client = {
  name: 'the Vercel AI SDK with the Responses API',
  dialect: 'openai-responses',
  endpoint: () => '/v1/responses',
  schemas: 'field',
  avoids: ['openai'],
  errorName: () => 'AI_APICallError',
  lacks: ['stop', 'parallel'],
  connect: (at) => {
    const openai = createOpenAI({ baseURL: `${at.url}/v1`, apiKey: at.token, fetch: ownFetch })
    const thinking = { reasoningEffort: 'high', reasoningSummary: 'auto', forceReasoning: true as unknown as object }
    return speaker(
      (model) => openai.responses(model),
      () => ({ openai: thinking }),
      { openai: { store: false as unknown as object } },
    )
  },
}

export const vercelAnthropic: Client = {
  name: 'the Vercel AI SDK with Anthropic messages',
  dialect: 'anthropic-messages',
  endpoint: () => '/v1/messages',
  schemas: 'tool',
  avoids: [],
  errorName: () => 'AI_APICallError',
  lacks: ['parallel'],
  connect: (at: At) => {
    const anthropic = createAnthropic({ baseURL: `${at.url}/v1`, apiKey: at.token, fetch: ownFetch })
    return speaker(
      (model) => anthropic(model),
      (model) => ({ anthropic: { thinking: toThinking(model) } }),
    )
  },
}

const toThinking = (model: string) =>
  isThinkerByItself(model) ? { type: 'adaptive', display: 'summarized' } : { type: 'enabled', budgetTokens: 1_500 }

const speaker = (
  modelOf: (name: string) => LanguageModel,
  thinking: (model: string) => Options,
  always: Options = {},
): Speaker => ({
  async converse(ask, mode, { signal, onPiece } = {}) {
    const settings = {
      model: modelOf(ask.model),
      system: ask.system,
      messages: ask.messages.map(toMessage),
      maxRetries: 0,
      abortSignal: signal,
      stopWhen: stepCountIs(MOST_TURNS),
      providerOptions: merged(always, ask.thinks ? thinking(ask.model) : {}) as never,
      ...(ask.tools && { tools: toTools(ask) }),
      ...(ask.toolChoice && { toolChoice: toChoice(ask.toolChoice), prepareStep: freeAfterFirst }),
      ...(ask.schema && { output: Output.object({ schema: jsonSchema<object>(ask.schema) }) }),
      ...(ask.maxTokens !== undefined && { maxOutputTokens: ask.maxTokens }),
      ...(ask.temperature !== undefined && { temperature: ask.temperature }),
      ...(ask.stop && { stopSequences: ask.stop }),
    }
    if (mode === 'whole') return (await generateText(settings)).steps.map(toShown)
    const failures: unknown[] = []
    const result = streamText({ ...settings, onError: ({ error }) => void failures.push(error) })
    for await (const part of result.fullStream)
      if (part.type === 'text-delta' || part.type === 'reasoning-delta') onPiece?.()
    if (failures.length > 0) throw failures[0]
    return (await result.steps).map(toShown)
  },
  raised(error) {
    const { name, message } = error as Error
    if (!APICallError.isInstance(error)) return { name, message }
    return { name, message, status: error.statusCode, retryAfter: error.responseHeaders?.['retry-after'] ?? null }
  },
})

/** A tool that must be called is called once. */
const freeAfterFirst = ({ stepNumber }: { stepNumber: number }) =>
  stepNumber === 0 ? {} : { toolChoice: 'auto' as const }

const merged = (a: Options, b: Options): Options =>
  Object.fromEntries(
    [...new Set([...Object.keys(a), ...Object.keys(b)])].map((name) => [name, { ...a[name], ...b[name] }]),
  )

const toMessage = (message: Ask['messages'][number]): ModelMessage => {
  if (message.role === 'assistant') return { role: message.role, content: message.text }
  const { text, image, pdf } = message
  return {
    role: 'user',
    content: [
      { type: 'text', text },
      ...(image ? [{ type: 'image' as const, image: image.data, mediaType: image.mediaType }] : []),
      ...(pdf ? [{ type: 'file' as const, data: pdf.data, mediaType: pdf.mediaType, filename: 'a.pdf' }] : []),
    ],
  }
}

const toTools = (ask: Ask): ToolSet =>
  Object.fromEntries(
    ask.tools!.map((one) => [
      one.name,
      tool({
        description: one.description,
        inputSchema: jsonSchema<Record<string, unknown>>(one.parameters),
        execute: (args) => one.run(args),
        toModelOutput: ({ output: { text, image } }) =>
          image === undefined
            ? { type: 'text', value: text }
            : {
                type: 'content',
                value: [
                  { type: 'text', text },
                  { type: 'image-data', data: image.data, mediaType: image.mediaType },
                ],
              },
      }),
    ]),
  )

const toChoice = (choice: string): ToolChoice<ToolSet> =>
  choice === 'required' || choice === 'none' ? choice : { type: 'tool', toolName: choice }

const FINISH: Record<string, string> = { 'tool-calls': 'tools', 'content-filter': 'filter' }

const toShown = (step: StepResult<ToolSet>): Shown => ({
  text: step.text,
  thought: step.reasoningText ?? '',
  calls: step.toolCalls.map(({ toolName, input }) => ({ name: toolName, args: input as Record<string, unknown> })),
  finish: FINISH[step.finishReason] ?? step.finishReason,
  usage: {
    input: step.usage.inputTokens ?? 0,
    cached: step.usage.inputTokenDetails.cacheReadTokens ?? 0,
    output: step.usage.outputTokens ?? 0,
  },
  dropped: step.response.headers?.['x-llm-proxy-dropped'] ?? null,
})
