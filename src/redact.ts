const MASK = '[redacted]'
const HEADERS = 'authorization|proxy-authorization|x-api-key|api-key|x-goog-api-key'
const MEMBERS = `${HEADERS}|(?:set-)?cookie|management_token|encryption_key|api_?key|key|secret|password|access_token`
/** What JSON and URLs write for a character that is no letter (`\n`, `\u003d`, `%3D`) ends in one: a word may begin behind it. */
const ESCAPE = '\\\\(?:[bfnrt]|u[0-9a-fA-F]{4})|%[0-9a-fA-F]{2}'
const WORD = `(?:\\b|(?<=${ESCAPE}))`
const NAME = `(?:(?<![\\w-])|(?<=${ESCAPE}))`
/** A quote, escaped where a JSON text stands in another: four deep, since a bound keeps the search linear. */
const QUOTE = '(?<!\\\\)(\\\\{0,15}")'

/**
 * What must never be written anywhere, whoever let it slip: keys in the shapes that providers and this gateway give them, bearer
 * credentials, keys in queries, and the sub-protocol that browsers use to send a key over a WebSocket.
 */
const SECRETS: readonly [RegExp, string][] = [
  [/(openai-insecure-api-key\.)[^\s",;\\]+/gi, `$1${MASK}`],
  [new RegExp(`${WORD}(bearer|basic)\\s+(?:[A-Za-z0-9._~+=-]|\\\\?/){6,}`, 'gi'), `$1 ${MASK}`],
  [new RegExp(`${WORD}((?:sk|pk|rk|ek|gsk|xai|lmp)[-_])[A-Za-z0-9_-]{12,}`, 'g'), `$1${MASK}`],
  [new RegExp(`${WORD}AIza[A-Za-z0-9_-]{20,}`, 'g'), MASK],
  [/([?&](?:key|api_key|apikey|access_token|token)=)[^&\s"'\\]+/gi, `$1${MASK}`],
  // A header as text, or an assignment; in a JSON text its quotes are escaped.
  [
    new RegExp(
      `${NAME}((?:${HEADERS}|management_token|encryption_key)\\s*[:=]\\s*\\\\*["']?)(?!\\[redacted\\])[^\\s",}\\\\]+`,
      'gi',
    ),
    `$1${MASK}`,
  ],
  [new RegExp(`${NAME}((?:set-)?cookie\\s*[:=]\\s*)(?!\\s|\\[redacted\\])[^"\\r\\n\\\\]+`, 'gi'), `$1${MASK}`],
  // A member of a JSON object, also of one that stands as a text in another; then a header in a flat list, as Node gives them.
  [new RegExp(`${QUOTE}(${MEMBERS})\\1(\\s*:\\s*)\\1(?:(?!\\1).)*\\1`, 'gi'), `$1$2$1$3$1${MASK}$1`],
  [new RegExp(`${QUOTE}(${HEADERS}|(?:set-)?cookie)\\1(\\s*,\\s*)\\1(?:(?!\\1).)*\\1`, 'gi'), `$1$2$1$3$1${MASK}$1`],
]

/** One look that most lines pass: only what could hold a secret is searched in full. */
const SUSPICIOUS =
  /sk-|sk_|pk[-_]|rk[-_]|ek[-_]|gsk_|xai-|lmp[-_]|AIza|bearer|basic|key|token=|access_token|secret|password|authorization|cookie|encryption/i

/** By what stands in a text between other characters: one look at each such run finds all of them, however many there are. */
const runs = new Set<string>()
const RUN = /[\w.~-]{8,}/g
/** Secrets with other characters, each looked for by itself. Few: what an operator chose, not what a provider issued. */
const others = new Set<string>()
const MAX_OTHERS = 1_000

/**
 * Secrets that have no shape of their own (a management token that an operator chose, an odd provider key): masked word for word
 * where they stand apart from other letters and digits.
 */
export function registerSecret(secret: string): void {
  if (secret.length < MIN_LENGTH || runs.has(secret) || others.has(secret)) return
  if (/^\w[\w.~-]*\w$/.test(secret)) runs.add(secret)
  else if (others.size < MAX_OTHERS) for (const spelling of spellings(secret)) others.add(spelling)
}

const MIN_LENGTH = 8

/** As it is, and as it stands in JSON texts, some of which escape slashes, and in a query. */
const spellings = (secret: string) => {
  const json = JSON.stringify(secret).slice(1, -1)
  return [secret, json, json.replaceAll('/', '\\/'), encodeURIComponent(secret)]
}

/** The text with every secret masked. */
export function redact(text: string): string {
  let clean = runs.size === 0 ? text : text.replace(RUN, maskRun)
  for (const secret of others) if (clean.includes(secret)) clean = clean.replaceAll(secret, MASK)
  if (!SUSPICIOUS.test(clean)) return clean
  for (const [pattern, mask] of SECRETS) clean = clean.replace(pattern, mask)
  return clean
}

function maskRun(run: string, at: number, text: string): string {
  const masked = maskWord(run)
  if (masked !== run || at === 0) return masked
  const escaped = escapedLength(text.charCodeAt(at - 1), run)
  return escaped === 0 ? run : run.slice(0, escaped) + maskWord(run.slice(escaped))
}

/** How much of the beginning of `run` belongs to an escape that begins with the character before it. */
function escapedLength(before: number, run: string): number {
  if (before === 0x25) return 2
  if (before !== 0x5c) return 0
  return run[0] === 'u' ? 5 : 1
}

function maskWord(run: string): string {
  if (runs.has(run)) return MASK
  let from = 0
  let to = run.length
  while (from < to && isEdge(run.charCodeAt(from))) from++
  while (to > from && isEdge(run.charCodeAt(to - 1))) to--
  if (to - from === run.length || !runs.has(run.slice(from, to))) return run
  return run.slice(0, from) + MASK + run.slice(to)
}

/** `.`, `~`, `-` */
const isEdge = (code: number) => code === 0x2e || code === 0x7e || code === 0x2d
