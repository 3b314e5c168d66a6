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
/** Ends a member that is open, however deep it stands. */
const CLOSING = `${'\\'.repeat(15)}"`

/** One look that most lines pass: only what could hold a secret is searched in full. */
const SUSPICIOUS =
  /sk-|sk_|pk[-_]|rk[-_]|ek[-_]|gsk_|xai-|lmp[-_]|AIza|bearer|basic|key|token=|access_token|secret|password|authorization|cookie|encryption/i

/** By what stands in a text between other characters: one look at each such run finds all of them, however many there are. */
const runs = new Set<string>()
/** Those that are long enough to be one; each is looked at from its beginning alone. */
let longRuns = /(?!)/g
let shortest = Number.POSITIVE_INFINITY
/** Secrets with other characters, each looked for by itself. Few: what an operator chose, not what a provider issued. */
const others = new Set<string>()
const MAX_OTHERS = 1_000
/** All that is looked for, in the order in which it was registered. */
const registered: string[] = []

/**
 * Secrets that have no shape of their own (a management token that an operator chose, an odd provider key): masked word for word
 * where they stand apart from other letters and digits.
 */
export function registerSecret(secret: string): void {
  if (secret.length < MIN_LENGTH || runs.has(secret) || others.has(secret)) return
  if (/^\w[\w.~-]*\w$/.test(secret)) addRun(secret)
  else if (others.size < MAX_OTHERS) for (const spelling of spellings(secret)) others.add(spelling)
  else return
  registered.push(secret)
}

const MIN_LENGTH = 8

function addRun(secret: string): void {
  runs.add(secret)
  if (secret.length >= shortest) return
  shortest = secret.length
  longRuns = new RegExp(`(?<![\\w.~-])[\\w.~-]{${shortest},}`, 'g')
}

/** As it is, and as it stands in JSON texts, some of which escape slashes, and in a query. */
const spellings = (secret: string) => {
  const json = JSON.stringify(secret).slice(1, -1)
  return [secret, json, json.replaceAll('/', '\\/'), encodeURIComponent(secret)]
}

/** What was registered after the first `count` of them: for a thread, which has this module for itself. */
export const secretsAfter = (count: number): string[] => registered.slice(count)

/** The text with every secret masked; `own`: further ones, wherever they stand. */
export function redact(text: string, own: readonly string[] = NONE): string {
  let clean = mayHoldRun(text) ? text.replace(longRuns, maskRun) : text
  for (const secret of others) if (clean.includes(secret)) clean = clean.replaceAll(secret, MASK)
  for (const secret of own) if (clean.includes(secret)) clean = clean.replaceAll(secret, MASK)
  if (!SUSPICIOUS.test(clean)) return clean
  for (const [pattern, mask] of SECRETS) clean = clean.replace(pattern, mask)
  return clean
}

/** Up to so many are looked for one by one, which takes less time than looking at each word. */
const FEW = 16

function mayHoldRun(text: string): boolean {
  if (runs.size > FEW) return true
  for (const secret of runs) if (text.includes(secret)) return true
  return false
}

const NONE: readonly string[] = []

/**
 * As `redact`, for the beginning of a text that goes on: the cut may have left the first half of a secret, which nothing knows for
 * one. So the text ends before the word that was cut, and before what a secret of several words begins with.
 */
export function redactBeginning(text: string, own: readonly string[] = NONE): string {
  const whole = text.slice(0, endOfWholeText(text, [...others, ...own]))
  const clean = redact(whole + CLOSING, own)
  return clean.endsWith(CLOSING) ? clean.slice(0, -CLOSING.length) : clean
}

function endOfWholeText(text: string, secrets: readonly string[]): number {
  let end = text.length
  // Of an escape that was cut.
  while (end > 0 && text[end - 1] === '\\') end--
  while (end > 0 && (isOfWord(text.charCodeAt(end - 1)) || text.startsWith('\\/', end - 1))) end--
  for (let before = -1; before !== end; ) {
    before = end
    for (const secret of secrets) {
      let begun = Math.min(secret.length - 1, end)
      while (begun > 0 && !text.startsWith(secret.slice(0, begun), end - begun)) begun--
      end -= begun
    }
  }
  return end
}

/** What secrets are made of that have a shape, or no other characters than letters, digits and these. */
const isOfWord = (code: number) =>
  (code >= 0x30 && code <= 0x39) ||
  (code >= 0x41 && code <= 0x5a) ||
  (code >= 0x61 && code <= 0x7a) ||
  OF_WORD.has(code)
const OF_WORD = new Set(Array.from('_.~+/=%-', (character) => character.charCodeAt(0)))

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
