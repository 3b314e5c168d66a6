import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { generateToken } from '../../src/domain/secrets.ts'
import { redact, registerSecret } from '../../src/redact.ts'

const TAIL = 'Ab3dEf6hIj9kLm2nOp5q'
/** A secret as it may stand in a text, and what of it must not be there any more. */
const SECRETS: [what: string, text: string, secret: string][] = [
  ['a proxy token', `token sk-${TAIL}_-${TAIL} used`, TAIL],
  ['a project key of OpenAI', `sk-proj-${TAIL}`, TAIL],
  ['a key of Anthropic', `sk-ant-api03-${TAIL}-AA`, TAIL],
  ['a key of OpenRouter', `sk-or-v1-${TAIL}`, TAIL],
  ['a short-lived key of OpenAI', `{"value":"ek_${TAIL}"}`, TAIL],
  ['a key of Groq', `gsk_${TAIL}`, TAIL],
  ['a key of xAI', `xai-${TAIL}`, TAIL],
  ['a key of Google', `AIzaSy${TAIL}`, TAIL],
  ['a key of Google in a query', `https://x/v1beta/models?key=AIzaSy${TAIL}&alt=sse`, TAIL],
  ['any key in a query', `/v1/models?a=1&key=${TAIL}&b=2`, TAIL],
  ['an access token in a query', `/x?access_token=${TAIL}`, TAIL],
  ['a bearer', `Authorization: Bearer ${TAIL}`, TAIL],
  ['a bearer of any case', `authorization: bEARER ${TAIL}`, TAIL],
  ['a bearer with all that RFC 6750 allows', `Bearer a.b~c+d/e=-_${TAIL}==`, TAIL],
  ['basic credentials', `proxy-authorization: Basic ${TAIL}==`, TAIL],
  ['a header in JSON', `{"x-api-key":"${TAIL}"}`, TAIL],
  ['a header in JSON, with blanks', `{ "api-key" : "${TAIL}" }`, TAIL],
  ['a header as it is written', `x-goog-api-key: ${TAIL}`, TAIL],
  ['a key for a WebSocket', `realtime, openai-insecure-api-key.${TAIL}, x`, TAIL],
  ['a management token', `MANAGEMENT_TOKEN=${TAIL}`, TAIL],
  ['an encryption key', `ENCRYPTION_KEY="${TAIL}"`, TAIL],
  ['a cookie', `set-cookie: session=${TAIL}; Path=/`, TAIL],
]

describe('a text without its secrets', () => {
  it.each(SECRETS)('does not have %s', (_what, text, secret) => {
    expect(redact(text)).not.toContain(secret)
    expect(redact(text)).toContain('[redacted]')
  })

  it.each(SECRETS)('does not have %s anywhere in a long text', (_what, text, secret) => {
    expect(redact(`${'x '.repeat(50_000)}${text}${' y'.repeat(50_000)}`)).not.toContain(secret)
    expect(redact(`${text}\n${text}\n${text}`)).not.toContain(secret)
  })

  it.each(SECRETS.filter(([, text]) => !/[yY]"?\s*[:=]\s*"/.test(text)))(
    'does not have %s inside JSON',
    (_what, text, secret) => {
      expect(redact(JSON.stringify({ message: `because of ${text} and so on` }))).not.toContain(secret)
    },
  )

  it('does not have what was registered, whatever it looks like', () => {
    registerSecret('correct horse battery')
    registerSecret('regex.*[chars]$1')
    expect(redact('it is correct horse battery! regex.*[chars]$1?')).toBe('it is [redacted]! [redacted]?')
  })

  it('has all that is too short to be a secret', () => {
    registerSecret('short')
    expect(redact('a short text')).toBe('a short text')
  })

  it.each([
    'POST /v1/chat/completions gpt-4o 200',
    'a sketch of a task-list, risk-free',
    'the basic idea',
    'the bearer of news',
    'model key: none',
    '{"model":"gpt-4o","usage":{"prompt_tokens":12}}',
    'keyboard=qwerty',
    'tok_V1StGXR8_Z5jdHi6B-myT',
    'req_0mg8k2j1abcdefghijklmnop',
  ])('still has what is none: %s', (text) => {
    expect(redact(text)).toBe(text)
  })

  it('never has a proxy token, wherever it stands', () => {
    const around = fc.string({
      unit: fc.constantFrom(' ', '"', "'", ':', '=', ',', '{', '}', '/', '\\', '\n', 'é', '(', '<'),
    })
    fc.assert(
      fc.property(around, around, (before, behind) => {
        const token = generateToken()
        expect(redact(`${before}${token}${behind}`)).not.toContain(token.slice(3))
      }),
    )
  })

  it('is the same when it is redacted twice', () => {
    for (const [, text] of SECRETS) expect(redact(redact(text))).toBe(redact(text))
  })

  it('does not take long, made to be slow or not', () => {
    const texts = [
      'Bearer '.repeat(50_000),
      'key='.repeat(100_000),
      `${'"authorization":'.repeat(30_000)}`,
      'sk-'.repeat(100_000),
      `?key=${'a'.repeat(500_000)}`,
      `a${'.'.repeat(500_000)}b`,
      `key${'\\'.repeat(500_000)}x`,
      `key${Array.from({ length: 700 }, (_, i) => '\\'.repeat(700 - i)).map((slashes) => `${slashes}"key${slashes}":${slashes}"x`)}`,
    ]
    registerSecret('so-that-runs-are-searched')
    const begun = performance.now()
    for (const text of texts) redact(text)
    expect(performance.now() - begun).toBeLessThan(2_000)
  })

  it('does not have a key that JSON holds, nor one that a JSON text inside JSON holds', () => {
    const body = { api_key: TAIL, provider_keys: [{ provider: 'mistral', key: TAIL }] }
    const inner = JSON.stringify({ headers: { 'x-api-key': TAIL } })
    const quoted = `ENCRYPTION_KEY="${TAIL}"`
    const members = ['password', 'secret', 'access_token', 'api_key', 'key'].map((name) => `{"${name}":"${TAIL}"}`)
    for (const text of [...members, JSON.stringify(body), JSON.stringify({ said: inner }), JSON.stringify({ quoted })])
      expect(redact(text)).not.toContain(TAIL)
  })

  it.each(['\n', '\t', '\r\n', '\u0001', '='])('does not have what stands behind %j in a JSON text', (before) => {
    registerSecret('registered-without-a-shape')
    const said = [`sk-${TAIL}`, `AIzaSy${TAIL}`, `Bearer ${TAIL}`, `x-api-key: ${TAIL}`, `Cookie: a=${TAIL}`]
    for (const text of [...said, 'registered-without-a-shape']) {
      const json = JSON.stringify({ content: `my own:${before}${text}` })
      for (const spelled of [json, JSON.stringify(json), encodeURIComponent(`a${before}${text}`)]) {
        expect(redact(spelled)).not.toMatch(/registered-without-a-shape/)
        if (!spelled.startsWith('a') || /^(?:sk-|AIza)/.test(text)) expect(redact(spelled)).not.toContain(TAIL)
      }
    }
  })

  it('does not have a bearer or what was registered where JSON escapes its slashes', () => {
    registerSecret('slash/in+it=')
    const text = JSON.stringify({ a: `Bearer ab/cd/${TAIL}`, b: 'slash/in+it=' }).replaceAll('/', '\\/')
    expect(redact(text)).not.toMatch(new RegExp(`${TAIL}|in\\+it`))
  })

  it('still has a path of Windows, and does not have the secret in it', () => {
    registerSecret('nothing-to-see')
    expect(redact('C:\\nothing-else C:\\nothing-to-see')).toBe('C:\\nothing-else C:\\[redacted]')
  })

  it('does not have the second of several cookies', () => {
    expect(redact(`cookie: theme=dark; session=${TAIL}`)).not.toContain(TAIL)
  })

  it('does not have a header of a flat list, as Node gives them', () => {
    expect(redact(JSON.stringify(['X-Api-Key', TAIL, 'cookie', `a=${TAIL}`]))).not.toContain(TAIL)
  })

  it('does not have what was registered where JSON had to escape it', () => {
    registerSecret('quote"and\\slash')
    expect(redact(JSON.stringify({ message: 'it is quote"and\\slash' }))).not.toContain('slash')
  })

  it('is JSON still, when it was', () => {
    for (const value of [null, 5, true, ['a=1', 'b=2'], { a: 1 }, '']) {
      for (const name of ['authorization', 'cookie', 'set-cookie', 'x-api-key']) {
        const text = redact(JSON.stringify({ [name]: value, next: 1 }))
        expect(() => JSON.parse(text)).not.toThrow()
      }
    }
  })
})
