import type { Usage } from '../../src/store/store.ts'

/** What every provider counts; the rest has tests of its own. */
export type Counts = Pick<Usage, 'inputTokens' | 'outputTokens' | 'cachedTokens' | 'reasoningTokens' | 'source'>
export const countsOf = ({ inputTokens, outputTokens, cachedTokens, reasoningTokens, source }: Usage): Counts => ({
  inputTokens,
  outputTokens,
  cachedTokens,
  reasoningTokens,
  source,
})

export type Json = Record<string, unknown>

/** What the ledger must say of an answer, read apart from the gateway's own code. */
export type Expected = { usage: Counts | 'estimated'; servedModel: string | null; failed: boolean }

/** POST endpoints whose answers may report usage; for those of `TEXT` it is estimated when they do not. */
const METERED = /\/(?:chat\/completions|completions|responses|responses\/compact|embeddings|images\/\w+|audio\/\w+)$/
const TEXT = /\/(?:chat\/completions|completions|responses|embeddings)$/

const NONE: Counts = { inputTokens: 0, outputTokens: 0, cachedTokens: 0, reasoningTokens: 0, source: 'none' }

type Answer = { method: string; path: string; status: number; contentType: string; body: Buffer }

export function expectedOf({ method, path, status, contentType, body }: Answer): Expected {
  const endpoint = path.split('?')[0]!
  if (method !== 'POST' || !METERED.test(endpoint)) return { usage: NONE, servedModel: null, failed: status >= 400 }
  if (status >= 400) return { usage: NONE, servedModel: null, failed: true }
  const parts = contentType.startsWith('text/event-stream') ? events(body) : [parse(body.toString())]
  const objects = parts.filter((part): part is Json => part !== null)
  const failed = objects.some(
    ({ type, error }) => (error !== undefined && error !== null) || type === 'response.failed',
  )
  const usages = objects.map((part) =>
    readUsage(((part.response ?? part.x_groq) as Json | undefined)?.usage ?? part.usage),
  )
  // What a provider gives up is paid as far as it was written.
  const unreported = TEXT.test(endpoint) && (!failed || objects.some(hasText)) ? 'estimated' : NONE
  const models = objects.map((part) => part.model ?? (part.response as Json | undefined)?.model)
  return {
    // In a stream the last report is the whole.
    usage: usages.findLast((usage) => usage !== null) ?? unreported,
    servedModel: (models.find((model) => typeof model === 'string' && model !== '') as string | undefined) ?? null,
    failed,
  }
}

type Delta = Json & { tool_calls?: { function?: Json }[] }

/** Whether there is generated text in an event of a stream. */
export function hasText({ delta, choices }: Json): boolean {
  const texts = ((choices ?? []) as { delta?: Delta; text?: string }[]).flatMap((choice) => {
    const { content, reasoning_content, tool_calls = [] } = choice.delta ?? ({} as Delta)
    return [
      choice.text,
      content,
      reasoning_content,
      ...tool_calls.flatMap((call) => Object.values(call.function ?? {})),
    ]
  })
  return [delta, ...texts].some((text) => typeof text === 'string' && text !== '')
}

/**
 * The meaning of a reported usage (wire-facts 3.2): prompt and input tokens include what came from the cache; output is all the
 * rest of the total, because xAI leaves its reasoning out of `completion_tokens`. A duration has no tokens, but it is a report.
 */
export function readUsage(usage: unknown): Counts | null {
  if (typeof usage !== 'object' || usage === null) return null
  const reported = usage as Record<string, number | undefined> & Json
  const input = reported.prompt_tokens ?? reported.input_tokens
  if ((usage as Json).type === 'duration') return { ...NONE, source: 'reported' }
  if (input === undefined) return null
  const inputDetails = (reported.prompt_tokens_details ?? reported.input_tokens_details ?? {}) as Record<string, number>
  const outputDetails = (reported.completion_tokens_details ??
    reported.output_tokens_details ??
    {}) as typeof inputDetails
  const output = reported.completion_tokens ?? reported.output_tokens ?? 0
  return {
    inputTokens: input,
    outputTokens: reported.total_tokens === undefined ? output : reported.total_tokens - input,
    // Azure's Grok tells of more cached tokens than it was sent.
    cachedTokens: Math.min(inputDetails.cached_tokens ?? 0, input),
    reasoningTokens: outputDetails.reasoning_tokens ?? 0,
    source: 'reported',
  }
}

/** A stream as a client gets it who did not ask for usage: without the chunk that has nothing else, and without `"usage":null`. */
export function withoutUsage(stream: Buffer): Buffer {
  const shown = stream
    .toString()
    .split(/(?<=\n\r?\n)/)
    .filter((event) => !isUsageAlone(event))
    .map((event) => (dataOf(event)?.usage === null ? withoutNull(event) : event))
  return Buffer.from(shown.join(''))
}

function isUsageAlone(event: string): boolean {
  const data = dataOf(event)
  return (
    Array.isArray(data?.choices) && data.choices.length === 0 && typeof data.usage === 'object' && data.usage !== null
  )
}

function withoutNull(event: string): string {
  const shown = event.replace(/, *"usage": *null(?=[,}])|"usage": *null, */, '')
  const { usage: _, ...rest } = dataOf(event)!
  if (JSON.stringify(dataOf(shown)) !== JSON.stringify(rest)) throw new Error(`Not the usage was cut out: ${shown}`)
  return shown
}

const dataOf = (event: string): Json | null => parse(/^data: ?(\{.*)$/m.exec(event)?.[1] ?? '')

const events = (stream: Buffer): (Json | null)[] =>
  stream
    .toString()
    .split(/\r?\n\r?\n/)
    .map(dataOf)

function parse(text: string): Json | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Json) : null
  } catch {
    return null
  }
}
