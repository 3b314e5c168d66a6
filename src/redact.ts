const MASK = '[redacted]'

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
  [
    /("?(?:authorization|x-api-key|api-key|x-goog-api-key|cookie|set-cookie|management_token|encryption_key)"?\s*[:=]\s*"?)(?!\[redacted\])[^\s",}\\]+/gi,
    `$1${MASK}`,
  ],
]

/** One look that most lines pass: only what could hold a secret is searched in full. */
const SUSPICIOUS =
  /sk-|sk_|pk[-_]|rk[-_]|ek[-_]|gsk_|xai-|lmp[-_]|AIza|bearer|basic|key|token=|authorization|cookie|encryption/i

const exact = new Set<string>()

/** Secrets that have no shape of their own (a management token that an operator chose, an odd provider key): masked word for word. */
export function registerSecret(secret: string): void {
  if (secret.length >= 8 && exact.size < MAX_EXACT) exact.add(secret)
}
const MAX_EXACT = 10_000

/** The text with every secret masked. */
export function redact(text: string): string {
  let clean = text
  for (const secret of exact) if (clean.includes(secret)) clean = clean.replaceAll(secret, MASK)
  if (!SUSPICIOUS.test(clean)) return clean
  for (const [pattern, mask] of SECRETS) clean = clean.replace(pattern, mask)
  return clean
}
