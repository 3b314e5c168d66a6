const MASK = '[redacted]'
const HEADERS = 'authorization|proxy-authorization|x-api-key|api-key|x-goog-api-key'

/**
 * What must never be written anywhere, whoever let it slip: keys in the shapes that providers and this gateway give them, bearer
 * credentials, keys in queries, and the sub-protocol that browsers use to send a key over a WebSocket.
 */
const SECRETS: readonly [RegExp, string][] = [
  [/(openai-insecure-api-key\.)[^\s",;\\]+/gi, `$1${MASK}`],
  [/\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}/gi, `$1 ${MASK}`],
  [/\b((?:sk|pk|rk|ek|gsk|xai|lmp)[-_])[A-Za-z0-9_-]{12,}/g, `$1${MASK}`],
  [/\bAIza[A-Za-z0-9_-]{20,}/g, MASK],
  [/([?&](?:key|api_key|apikey|access_token|token)=)[^&\s"'\\]+/gi, `$1${MASK}`],
  // A header as text, or an assignment; in a JSON text its quotes are escaped.
  [
    new RegExp(
      `(?<![\\w-])((?:${HEADERS}|management_token|encryption_key)\\s*[:=]\\s*\\\\*["']?)(?!\\[redacted\\])[^\\s",}\\\\]+`,
      'gi',
    ),
    `$1${MASK}`,
  ],
  [/(?<![\w-])((?:set-)?cookie\s*[:=]\s*)(?!\s|\[redacted\])[^"\r\n\\]+/gi, `$1${MASK}`],
  // A member of a JSON object, also of one that stands as a text in another; then a header in a flat list, as Node gives them.
  [
    new RegExp(
      `(\\\\*")(${HEADERS}|(?:set-)?cookie|management_token|encryption_key|api_?key|key|secret|password|access_token)\\1(\\s*:\\s*)\\1(?:(?!\\1).)*\\1`,
      'gi',
    ),
    `$1$2$1$3$1${MASK}$1`,
  ],
  [new RegExp(`(\\\\*")(${HEADERS}|(?:set-)?cookie)\\1(\\s*,\\s*)\\1(?:(?!\\1).)*\\1`, 'gi'), `$1$2$1$3$1${MASK}$1`],
]

/** One look that most lines pass: only what could hold a secret is searched in full. */
const SUSPICIOUS =
  /sk-|sk_|pk[-_]|rk[-_]|ek[-_]|gsk_|xai-|lmp[-_]|AIza|bearer|basic|key|token=|authorization|cookie|encryption/i

/** By what stands in a text between other characters: one look at each such run finds all of them, however many there are. */
const runs = new Set<string>()
const RUN = /[\w.~-]{8,}/g
const EDGES = /^[.~-]+|[.~-]+$/g
/** Secrets with other characters, each looked for by itself. Few: what an operator chose, not what a provider issued. */
const others = new Set<string>()
const MAX_OTHERS = 1_000

/**
 * Secrets that have no shape of their own (a management token that an operator chose, an odd provider key): masked word for word
 * where they stand apart from other letters and digits.
 */
export function registerSecret(secret: string): void {
  if (secret.length < 8) return
  if (/^\w[\w.~-]*\w$/.test(secret)) return void runs.add(secret)
  if (others.size >= MAX_OTHERS) return
  others.add(secret)
  // As it stands in a JSON text.
  others.add(JSON.stringify(secret).slice(1, -1))
}

/** The text with every secret masked. */
export function redact(text: string): string {
  let clean = runs.size === 0 ? text : text.replace(RUN, maskRun)
  for (const secret of others) if (clean.includes(secret)) clean = clean.replaceAll(secret, MASK)
  if (!SUSPICIOUS.test(clean)) return clean
  for (const [pattern, mask] of SECRETS) clean = clean.replace(pattern, mask)
  return clean
}

function maskRun(run: string): string {
  if (runs.has(run)) return MASK
  const inner = run.replace(EDGES, '')
  return inner !== run && runs.has(inner) ? run.replace(inner, MASK) : run
}
