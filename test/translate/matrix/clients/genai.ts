import {
  type ApiError,
  type Content,
  FunctionCallingConfigMode,
  type GenerateContentConfig,
  type GenerateContentResponse,
  GoogleGenAI,
  type Part,
} from '@google/genai'
import { type Ask, type Client, type Hooks, laterAsk, MOST_TURNS, type Mode, runTool, type Shown } from '../client.ts'

export const genai: Client = {
  name: "Google's SDK",
  dialect: 'gemini',
  endpoint: (model, mode) =>
    `/v1beta/models/${model}:${mode === 'whole' ? 'generateContent' : 'streamGenerateContent'}`,
  schemas: 'field',
  avoids: [],
  errorName: () => 'ApiError',
  lacks: ['parallel'],
  connect({ url, token }) {
    const client = new GoogleGenAI({ apiKey: token, httpOptions: { baseUrl: url } })
    return {
      async converse(ask, mode, hooks = {}) {
        const contents = ask.messages.map(toContent)
        const shown: Shown[] = []
        for (let turn = 0; turn < MOST_TURNS; turn++) {
          const chunks = await send(client, laterAsk(ask, turn), contents, mode, hooks)
          const one = toShown(chunks)
          shown.push(one)
          if (one.calls.length === 0 || !ask.tools) return shown
          const parts = chunks.flatMap(partsOf)
          contents.push({ role: 'model', parts })
          contents.push({
            role: 'user',
            parts: parts.flatMap((part) => (part.functionCall ? [toResponse(ask, part.functionCall)] : [])),
          })
        }
        throw new Error('The model does not come to an end.')
      },
      raised(error) {
        const { name, message, status } = error as ApiError
        return { name, message, status }
      },
    }
  },
}

async function send(
  client: GoogleGenAI,
  ask: Ask,
  contents: Content[],
  mode: Mode,
  { signal, onPiece }: Hooks,
): Promise<GenerateContentResponse[]> {
  const request = { model: ask.model, contents: [...contents], config: { ...toConfig(ask), abortSignal: signal } }
  if (mode === 'whole') return [await client.models.generateContent(request)]
  const chunks: GenerateContentResponse[] = []
  for await (const chunk of await client.models.generateContentStream(request)) {
    chunks.push(chunk)
    if (partsOf(chunk).length > 0) onPiece?.()
  }
  return chunks
}

/** A chunk may be about another one alone. */
const firstOf = (candidates: GenerateContentResponse['candidates']) => candidates?.find(({ index = 0 }) => index === 0)

const partsOf = ({ candidates }: GenerateContentResponse): Part[] => firstOf(candidates)?.content?.parts ?? []

const toContent = (message: Ask['messages'][number]): Content => {
  if (message.role === 'assistant') return { role: 'model', parts: [{ text: message.text }] }
  const media = [message.image, message.pdf].filter((one) => one !== undefined)
  return {
    role: 'user',
    parts: [
      { text: message.text },
      ...media.map(({ mediaType, data }) => ({ inlineData: { mimeType: mediaType, data } })),
    ],
  }
}

function toResponse(ask: Ask, { id, name, args }: NonNullable<Part['functionCall']>): Part {
  const { text, image } = runTool(ask.tools, { name: name!, args: args ?? {} })
  const parts = image && [{ inlineData: { mimeType: image.mediaType, data: image.data } }]
  return { functionResponse: { id, name, response: { output: text }, ...(parts && { parts }) } }
}

const toConfig = (ask: Ask): GenerateContentConfig => ({
  ...(ask.system !== undefined && { systemInstruction: ask.system }),
  ...(ask.tools && {
    tools: [
      {
        functionDeclarations: ask.tools.map(({ name, description, parameters }) => ({
          name,
          description,
          parametersJsonSchema: parameters,
        })),
      },
    ],
  }),
  ...(ask.toolChoice && { toolConfig: { functionCallingConfig: toCalling(ask.toolChoice) } }),
  ...(ask.schema && { responseMimeType: 'application/json', responseJsonSchema: ask.schema }),
  ...(ask.thinks && { thinkingConfig: { includeThoughts: true, thinkingBudget: 1_500 } }),
  ...(ask.maxTokens !== undefined && { maxOutputTokens: ask.maxTokens }),
  ...(ask.temperature !== undefined && { temperature: ask.temperature }),
  ...(ask.stop && { stopSequences: ask.stop }),
})

function toCalling(choice: string) {
  if (choice === 'none') return { mode: FunctionCallingConfigMode.NONE }
  const mode = FunctionCallingConfigMode.ANY
  return choice === 'required' ? { mode } : { mode, allowedFunctionNames: [choice] }
}

const FINISH: Record<string, string> = { STOP: 'stop', MAX_TOKENS: 'length', SAFETY: 'filter' }

function toShown(chunks: GenerateContentResponse[]): Shown {
  const parts = chunks.flatMap(partsOf)
  const { usageMetadata } = chunks.findLast((chunk) => chunk.usageMetadata) ?? {}
  const reason = chunks.map(({ candidates }) => firstOf(candidates)?.finishReason).findLast(Boolean)
  const calls = parts.flatMap(({ functionCall: call }) => (call ? [{ name: call.name!, args: call.args ?? {} }] : []))
  return {
    text: parts.map(({ text, thought }) => (thought ? '' : (text ?? ''))).join(''),
    thought: parts.map(({ text, thought }) => (thought ? (text ?? '') : '')).join(''),
    calls,
    // It has no reason of its own for calls.
    finish: calls.length > 0 && reason === 'STOP' ? 'tools' : (FINISH[reason ?? ''] ?? String(reason)),
    usage: {
      input: usageMetadata?.promptTokenCount ?? 0,
      cached: usageMetadata?.cachedContentTokenCount ?? 0,
      output: (usageMetadata?.candidatesTokenCount ?? 0) + (usageMetadata?.thoughtsTokenCount ?? 0),
    },
    dropped:
      chunks[0]?.sdkHttpResponse?.headers?.['x-llm-proxy-dropped'] ?? (chunks[0]?.sdkHttpResponse ? null : undefined),
  }
}
