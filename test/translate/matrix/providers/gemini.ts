import { z } from 'zod'
import { type Json, pieces, type Speech, type Talk } from '../provider.ts'
import { type Answer, type Failure, type Heard, RETRY_AFTER, toTurns, USAGE } from '../script.ts'
import { anything, base64, firstProblem, propertiesOf } from './shapes.ts'

/* Gemini's generateContent, after recorded answers and refusals, the types of js-genai and wire facts 2 to 5. */

const blob = z.strictObject({ mimeType: z.string().regex(/^\w+\/[\w.+-]+$/), data: base64 })
const seal = { thoughtSignature: z.base64().optional() }
const textPart = z.strictObject({ text: z.string(), thought: z.boolean().optional(), ...seal })
const part = z.union([
  textPart,
  z.strictObject({ inlineData: blob, ...seal }),
  z.strictObject({ fileData: z.strictObject({ fileUri: z.string(), mimeType: z.string().optional() }) }),
  z.strictObject({
    functionCall: z.strictObject({ id: z.string().optional(), name: z.string().min(1), args: anything.optional() }),
    ...seal,
  }),
  z.strictObject({
    functionResponse: z.strictObject({
      id: z.string().optional(),
      name: z.string().min(1),
      response: anything,
      parts: z.array(z.strictObject({ inlineData: blob })).optional(),
    }),
  }),
])
const content = z.strictObject({
  role: z.enum(['user', 'model'], { message: 'Please use a valid role: user, model.' }),
  parts: z.array(part).min(1),
})

/** The subset of OpenAPI that `parameters` and `responseSchema` take. */
const subset: z.ZodType = z.lazy(() =>
  z.strictObject({
    type: z.enum(['STRING', 'NUMBER', 'INTEGER', 'BOOLEAN', 'ARRAY', 'OBJECT', 'NULL']).optional(),
    title: z.string().optional(),
    description: z.string().optional(),
    nullable: z.boolean().optional(),
    enum: z.array(z.string()).optional(),
    format: z.string().optional(),
    items: subset.optional(),
    properties: z.record(z.string(), subset).optional(),
    required: z.array(z.string()).optional(),
    propertyOrdering: z.array(z.string()).optional(),
    anyOf: z.array(subset).optional(),
    minItems: z.union([z.string(), z.int()]).optional(),
    maxItems: z.union([z.string(), z.int()]).optional(),
    minimum: z.number().optional(),
    maximum: z.number().optional(),
  }),
)

const request = z.strictObject({
  contents: z.array(content).min(1),
  systemInstruction: z
    .strictObject({ role: z.string().optional(), parts: z.array(z.strictObject({ text: z.string().min(1) })).min(1) })
    .optional(),
  tools: z
    .array(
      z.strictObject({
        functionDeclarations: z.array(
          z
            .strictObject({
              name: z.string().regex(/^[a-zA-Z_][\w.:-]{0,63}$/),
              description: z.string().optional(),
              parameters: subset.optional(),
              parametersJsonSchema: anything.optional(),
            })
            .refine(({ parameters, parametersJsonSchema }) => !(parameters && parametersJsonSchema), {
              message: 'parameters and parametersJsonSchema are mutually exclusive',
            }),
        ),
      }),
    )
    .optional(),
  toolConfig: z
    .strictObject({
      functionCallingConfig: z.strictObject({
        mode: z.enum(['AUTO', 'ANY', 'NONE', 'VALIDATED']),
        allowedFunctionNames: z.array(z.string()).min(1).optional(),
      }),
    })
    .optional(),
  safetySettings: z.array(anything).optional(),
  serviceTier: z.string().optional(),
  generationConfig: z
    .strictObject({
      temperature: z.number().min(0).max(2).optional(),
      topP: z.number().optional(),
      topK: z.number().optional(),
      candidateCount: z.int().optional(),
      maxOutputTokens: z.int().min(1).optional(),
      stopSequences: z.array(z.string().min(1)).max(5).optional(),
      seed: z.int().optional(),
      presencePenalty: z.number().optional(),
      frequencyPenalty: z.number().optional(),
      responseLogprobs: z.boolean().optional(),
      logprobs: z.int().optional(),
      responseMimeType: z.string().optional(),
      responseSchema: subset.optional(),
      responseJsonSchema: anything.optional(),
      responseModalities: z.array(z.string()).optional(),
      thinkingConfig: z
        .strictObject({
          includeThoughts: z.boolean().optional(),
          thinkingBudget: z.int().min(-1).optional(),
          thinkingLevel: z.enum(['MINIMAL', 'LOW', 'MEDIUM', 'HIGH', 'minimal', 'low', 'medium', 'high']).optional(),
        })
        .optional(),
    })
    .optional(),
})
type Request = z.infer<typeof request>
type Part = Request['contents'][number]['parts'][number]

const isThree = (model: string) => /^gemini-3/.test(model)
/** Documented for calls whose seal is lost. */
const NO_SEAL = 'c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I='

function* problems({ body, model, memory }: Talk): Generator<string> {
  const { contents, generationConfig: config = {}, toolConfig, tools } = body as Request
  const schema = config.responseSchema ?? config.responseJsonSchema
  if (schema && config.responseMimeType !== 'application/json')
    yield 'response_schema is only supported with response_mime_type application/json'
  if (schema && tools && !isThree(model))
    yield "Function calling with a response mime type: 'application/json' is unsupported"
  if (config.thinkingConfig?.thinkingLevel && !isThree(model)) yield 'Thinking level is not supported for this model.'
  if (toolConfig?.functionCallingConfig.allowedFunctionNames && toolConfig.functionCallingConfig.mode === 'AUTO')
    yield 'allowed_function_names may only be set when mode is ANY or VALIDATED'
  for (const [index, { role, parts }] of contents.entries()) {
    if (role === 'user' && parts.some((one) => 'text' in one && one.text === '')) yield `contents[${index}]: empty text`
    yield* callProblems(contents, index)
    const first = parts.find((one) => 'functionCall' in one)
    // In the turn that is going on, the first call of each step is sealed.
    const isCurrent = !contents.slice(index + 1).some((one) => one.role === 'user' && !one.parts.some(isResponse))
    if (isThree(model) && first && isCurrent && (first as { thoughtSignature?: string }).thoughtSignature === undefined)
      yield `Function call is missing a thought_signature in functionCall parts, position ${index}.`
    for (const one of parts) {
      const given = 'thoughtSignature' in one ? one.thoughtSignature : undefined
      if (given !== undefined && given !== NO_SEAL && !memory.seals.has(given)) yield 'Thought signature is not valid.'
    }
  }
}

const isCall = (one: Part) => 'functionCall' in one
const isResponse = (one: Part) => 'functionResponse' in one

function* callProblems(contents: Request['contents'], index: number): Generator<string> {
  const calls = contents[index]!.parts.filter(isCall)
  const responses = contents[index]!.parts.filter(isResponse)
  const before = contents[index - 1]?.parts.filter(isCall) ?? []
  const after = contents[index + 1]?.parts.filter(isResponse) ?? []
  if (calls.length > 0 && contents[index - 1]?.role !== 'user')
    yield 'Please ensure that function call turn comes immediately after a user turn or after a function response turn.'
  if (calls.length !== after.length && (calls.length > 0 || after.length > 0))
    yield 'Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.'
  const nameOf = (one: Part) =>
    'functionCall' in one ? one.functionCall.name : 'functionResponse' in one ? one.functionResponse.name : ''
  const idOf = (one: Part) =>
    'functionCall' in one ? one.functionCall.id : 'functionResponse' in one ? one.functionResponse.id : undefined
  for (const [place, response] of responses.entries()) {
    const call = before[place]
    if (call && (nameOf(call) !== nameOf(response) || idOf(call) !== idOf(response)))
      yield `Function response ${nameOf(response)} does not answer the call ${nameOf(call)}.`
  }
}

function hear({ body }: Talk): Heard {
  const { contents, systemInstruction, tools = [], toolConfig, generationConfig: config = {} } = body as Request
  const calling = toolConfig?.functionCallingConfig
  const { thinkingBudget, thinkingLevel, includeThoughts } = config.thinkingConfig ?? {}
  return {
    system: systemInstruction?.parts.map(({ text }) => text).join('\n') ?? '',
    turns: toTurns(
      contents.map(({ role, parts }) => ({
        role: role === 'model' ? ('assistant' as const) : role,
        text: parts.map((one) => ('text' in one && one.thought !== true ? one.text : '')).join(''),
        images: parts.flatMap(imagesOf),
        calls: parts.flatMap((one) =>
          'functionCall' in one ? [{ name: one.functionCall.name, args: one.functionCall.args ?? {} }] : [],
        ),
        results: parts.flatMap((one) => ('functionResponse' in one ? [resultOf(one.functionResponse.response)] : [])),
      })),
    ),
    tools: tools.flatMap(({ functionDeclarations }) => functionDeclarations.map(({ name }) => name)),
    toolChoice: calling ? choiceOf(calling) : null,
    parallel: null,
    maxTokens: config.maxOutputTokens ?? null,
    temperature: config.temperature ?? null,
    stop: config.stopSequences ?? [],
    schema:
      (config.responseSchema ?? config.responseJsonSchema)
        ? propertiesOf(config.responseSchema ?? config.responseJsonSchema)
        : null,
    thinks: includeThoughts === true || thinkingLevel !== undefined || (thinkingBudget ?? 0) !== 0,
  }
}

type Calling = NonNullable<Request['toolConfig']>['functionCallingConfig']

function choiceOf({ mode, allowedFunctionNames: names }: Calling): string {
  if (mode === 'ANY') return names?.length === 1 ? names[0]! : 'required'
  return mode.toLowerCase()
}

function imagesOf(one: Part): string[] {
  if ('inlineData' in one) return [`${one.inlineData.mimeType};base64,${one.inlineData.data}`]
  if ('functionResponse' in one) return (one.functionResponse.parts ?? []).flatMap(imagesOf)
  return 'fileData' in one ? [one.fileData.fileUri] : []
}

/** A text in a field by itself, or what a tool gave as JSON. */
function resultOf(response: Json): string {
  const [only, ...more] = Object.values(response)
  return more.length === 0 && typeof only === 'string' ? only : JSON.stringify(response)
}

const served = (model: string) => model

function partsOf({ thought, text, calls = [], stop }: Answer, { model, memory }: Talk): Json[] {
  if (stop === 'refusal') return []
  const parts: Json[] = thought === undefined ? [] : [{ text: thought, thought: true }]
  if (text !== undefined) parts.push({ text })
  for (const [place, { name, args }] of calls.entries()) {
    const id = isThree(model) ? { id: `gem${memory.ids.length}` } : {}
    memory.ids.push(String(memory.ids.length))
    // The first call is sealed, whether its thoughts are shown or not.
    const sealed = place === 0 ? { thoughtSignature: newSeal(memory) } : {}
    // Without arguments there are none.
    const given = Object.keys(args).length === 0 ? {} : { args }
    parts.push({ functionCall: { ...id, name, ...given }, ...sealed })
  }
  return parts
}

function newSeal({ seals }: Talk['memory']): string {
  const made = Buffer.from(`sealed by Gemini, number ${seals.size}`).toString('base64')
  seals.set(made, '')
  return made
}

const usage = ({ thought }: Answer): Json => {
  const thoughts = thought === undefined ? 0 : USAGE.reasoning
  return {
    promptTokenCount: USAGE.input,
    cachedContentTokenCount: USAGE.cached,
    candidatesTokenCount: USAGE.output - thoughts,
    ...(thoughts > 0 && { thoughtsTokenCount: thoughts }),
    totalTokenCount: USAGE.input + USAGE.output,
    promptTokensDetails: [{ modality: 'TEXT', tokenCount: USAGE.input }],
  }
}

const finishOf = ({ stop }: Answer) => (stop === 'length' ? 'MAX_TOKENS' : stop === 'refusal' ? 'SAFETY' : 'STOP')

const answerOf = (parts: Json[], rest: Json, answer: Answer, model: string): Json => ({
  candidates: [{ ...(parts.length > 0 && { content: { parts, role: 'model' } }), ...rest, index: 0 }],
  usageMetadata: usage(answer),
  modelVersion: served(model),
  responseId: 'Scripted-Gemini',
})

const FAILED: Record<Failure, [status: number, word: string]> = {
  bad_request: [400, 'INVALID_ARGUMENT'],
  wrong_key: [400, 'INVALID_ARGUMENT'],
  forbidden: [403, 'PERMISSION_DENIED'],
  not_found: [404, 'NOT_FOUND'],
  too_long: [400, 'INVALID_ARGUMENT'],
  rate_limit: [429, 'RESOURCE_EXHAUSTED'],
  server: [500, 'INTERNAL'],
  overloaded: [503, 'UNAVAILABLE'],
}
const DETAILS: Partial<Record<Failure, Json[]>> = {
  wrong_key: [
    { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID', domain: 'googleapis.com' },
  ],
  rate_limit: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: `${RETRY_AFTER - 0.6}s` }],
}

const frame = (body: Json) => `data: ${JSON.stringify(body)}\r\n\r\n`
const CALL = /^\/v1\/models\/([^:]+):(generateContent|streamGenerateContent\?alt=sse)$/

export const geminiSpeech: Speech = {
  isStream: ({ url }) => url.includes(':streamGenerateContent'),
  modelOf: ({ url }) => decodeURIComponent(CALL.exec(url)?.[1] ?? ''),
  check(talk, { url, headers }) {
    if (!CALL.test(url)) return `There is nothing at ${url}.`
    if (!headers['x-goog-api-key']) return "Method doesn't allow unregistered callers."
    return firstProblem(request, talk.body) ?? problems(talk).next().value ?? null
  },
  hear,
  whole: (answer, talk) => answerOf(partsOf(answer, talk), { finishReason: finishOf(answer) }, answer, talk.model),
  stream(answer, talk) {
    const parts = partsOf(answer, talk).flatMap((one) =>
      'text' in one ? pieces(String(one.text)).map((text): Json => ({ ...one, text })) : [one],
    )
    const content = parts.map((one) => frame(answerOf([one], {}, answer, talk.model)))
    const last =
      isThree(talk.model) && !answer.calls ? { text: '', thoughtSignature: newSeal(talk.memory) } : { text: '' }
    return { content, end: [frame(answerOf([last], { finishReason: finishOf(answer) }, answer, talk.model))] }
  },
  streamFailure: frame({ error: { code: 503, message: 'Overloaded', status: 'UNAVAILABLE' } }),
  failure(kind, words) {
    const [code, status] = FAILED[kind]
    const message =
      kind === 'too_long'
        ? 'The input token count (300000) exceeds the maximum number of tokens allowed (200000).'
        : words
    return {
      status: code,
      body: { error: { code, message, status, ...(DETAILS[kind] && { details: DETAILS[kind] }) } },
    }
  },
}
