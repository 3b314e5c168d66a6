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

function choices(body: Record<string, unknown>): number {
  const n = body.n ?? geminiConfig(body).candidateCount
  return Number.isSafeInteger(n) && Number(n) > 1 ? Number(n) : 1
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

/** Where the bytes of a file begin: in a data URL, or by themselves in a member `data`. */
const FILES = [Buffer.from(';base64,'), Buffer.from('"data":"'), Buffer.from('"data": "')]
const SHORTEST_FILE = 512
const URLS = [Buffer.from('"image_url"'), Buffer.from('"file_url"')]
const QUOTE = 0x22

const isBase64 = (json: Buffer, at: number) =>
  /^[A-Za-z0-9+/_=-]+$/.test(json.toString('latin1', at, at + SHORTEST_FILE))

/** Bytes count as text but for those of embedded files, which are paid by what they show. */
function inputBound(json: Buffer): number {
  let text = json.length
  let files = 0
  for (const mark of FILES) {
    for (let at = json.indexOf(mark); at !== -1; at = json.indexOf(mark, at)) {
      const begin = at + mark.length
      const end = json.indexOf(QUOTE, begin)
      const next = end === -1 ? json.length : end
      const isFile = mark === FILES[0] || (next - begin >= SHORTEST_FILE && isBase64(json, begin))
      if (isFile) {
        text -= next - at
        files++
      }
      at = next
    }
  }
  for (const url of URLS) {
    for (let at = json.indexOf(url); at !== -1; at = json.indexOf(url, at + url.length)) files++
  }
  return Math.ceil(text / BYTES_A_TOKEN) + files * TOKENS_A_FILE
}
