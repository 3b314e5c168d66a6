import type { RequestBody } from './read-request.ts'

/** The longest answer that a request allows, over all of its choices; null where it names no bound. */
export function longestOutput(body: Record<string, unknown>): number | null {
  const { max_completion_tokens, max_tokens, max_output_tokens } = body
  const bounds = [max_completion_tokens, max_output_tokens, max_tokens, geminiConfig(body).maxOutputTokens].filter(
    (value): value is number => Number.isSafeInteger(value) && Number(value) >= 0,
  )
  if (bounds.length === 0) return null
  // Where several are named, a provider may know only one of them.
  return Math.min(Math.max(...bounds) * choices(body), MOST_TOKENS)
}

/** No answer is as long; sums of more would not stay exact. */
const MOST_TOKENS = 1_000_000_000

/** So many answers are written: for each prompt as many as are asked for, or as are written to choose from. */
function choices(body: Record<string, unknown>): number {
  const { n, best_of, prompt } = body
  const several = (value: unknown) => (Number.isSafeInteger(value) && Number(value) > 1 ? Number(value) : 1)
  // Of numbers it is one prompt, as tokens.
  const prompts = Array.isArray(prompt) && typeof prompt[0] !== 'number' ? several(prompt.length) : 1
  return prompts * Math.max(several(n), several(best_of), several(geminiConfig(body).candidateCount))
}

const geminiConfig = ({ generationConfig }: Record<string, unknown>): Record<string, unknown> =>
  typeof generationConfig === 'object' && generationConfig !== null ? (generationConfig as Record<string, unknown>) : {}

/** No text in use today takes a token for fewer than some three bytes of its JSON. */
const BYTES_A_TOKEN = 3
/** A picture in full detail (OpenAI: at most 1,536 patches; Anthropic: 1,600 tokens), a minute of sound, a few pages. */
const TOKENS_A_FILE = 2_000
/** Reserved for each choice of an answer whose length the request does not bound. */
const USUAL_LONG_OUTPUT = 4_096

/** The most tokens that a request will plausibly take: for a reservation of money, which had better be too high than too low. */
export function plausibleTokens(body: RequestBody, hasOutput: boolean): { input: number; output: number } {
  if (body.kind !== 'json' || body.value === null) return { input: 0, output: 0 }
  const output = hasOutput
    ? (longestOutput(body.value) ?? Math.min(USUAL_LONG_OUTPUT * choices(body.value), MOST_TOKENS))
    : 0
  return { input: inputBound(body.bytes), output }
}

const BASE64 = Buffer.from(';base64,')
/** What stands before it in a file; in a text it is text, and paid by its length. */
const FILE = /"(?:url|image_url|file_data|file_url)"\s*:\s*"data:[^"]*$/
const NEAR = 200
/** Where its bytes stand by themselves. */
const DATA = [Buffer.from('"data":"'), Buffer.from('"data": "')]
const SHORTEST_FILE = 512
const URLS = [Buffer.from('"image_url"'), Buffer.from('"file_url"')]
const QUOTE = 0x22

const isBase64 = (json: Buffer, at: number) =>
  /^[A-Za-z0-9+/_=-]+$/.test(json.toString('latin1', at, at + SHORTEST_FILE))

/** Bytes count as text but for those of embedded files, which are paid by what they show. */
function inputBound(json: Buffer): number {
  let text = json.length
  let files = 0
  for (let at = json.indexOf(BASE64); at !== -1; at = json.indexOf(BASE64, at)) {
    if (!FILE.test(json.toString('latin1', Math.max(0, at - NEAR), at))) {
      at += BASE64.length
      continue
    }
    const end = json.indexOf(QUOTE, at)
    const next = end === -1 ? json.length : end
    text -= next - at
    files++
    at = next
  }
  for (const mark of DATA) {
    for (let at = json.indexOf(mark); at !== -1; ) {
      const begin = at + mark.length
      const end = json.indexOf(QUOTE, begin)
      const next = end === -1 ? json.length : end
      if (next - begin >= SHORTEST_FILE && isBase64(json, begin)) {
        text -= next - begin
        files++
      }
      at = json.indexOf(mark, next)
    }
  }
  for (const url of URLS) {
    for (let at = json.indexOf(url); at !== -1; at = json.indexOf(url, at + url.length)) {
      const [value = ''] = json.toString('latin1', at + url.length, at + url.length + NEAR).split('}', 1)
      // Not the name of a type, nor what has been counted above.
      if (/^\s*:/.test(value) && !value.includes('"data:')) files++
    }
  }
  return Math.ceil(text / BYTES_A_TOKEN) + files * TOKENS_A_FILE
}
