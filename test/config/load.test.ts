import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { loadConfig } from '../../src/config/load.ts'
import { OPTION_NAMES } from '../../src/config/schema.ts'
import { PROVIDER_NAMES } from '../../src/providers/index.ts'
import { prefixOf } from '../../src/providers/setting-names.ts'
import { makeFolder } from '../helpers/folder.ts'
import { load, problemsOf } from './load-from.ts'

describe('defaults', () => {
  it('starts with nothing configured at all', () => {
    const { config, warnings } = load({})
    expect(warnings).toEqual([])
    expect(config).toMatchObject({
      host: '127.0.0.1',
      port: 8080,
      configFile: null,
      managementToken: null,
      encryptionKey: null,
      defaultProvider: 'openai',
      demo: 'auto',
      log: { level: 'info', format: 'json' },
      maxBodyBytes: 10 * 1024 * 1024,
      maxUploadBytes: 512 * 1024 * 1024,
      timeouts: { connectMs: 5000, headersMs: 60_000, firstTokenMs: 60_000, idleMs: 60_000, totalMs: 300_000 },
      retry: { maxRetries: 2, initialBackoffMs: 500, maxBackoffMs: 8000, factor: 2, jitter: 0.1 },
      rateLimit: null,
      streamUsage: 'inject',
      proxyApiKeys: [],
      disableAuth: false,
      maxConcurrentRequests: 1000,
      pool: { connectionsPerHost: 256, idleMs: 90_000 },
      trustProxy: false,
      corsOrigins: [],
    })
  })

  it('logs for people on a terminal and for machines elsewhere, unless told', () => {
    const cwd = makeFolder()
    expect(loadConfig({ env: {}, cwd, terminal: true }).config.log.format).toBe('pretty')
    expect(loadConfig({ env: {}, cwd, terminal: false }).config.log.format).toBe('json')
    expect(loadConfig({ env: { LOG_FORMAT: 'json' }, cwd, terminal: true }).config.log.format).toBe('json')
  })

  it('knows an API key and an address for every provider of the registry', () => {
    const options = PROVIDER_NAMES.flatMap((name) => [`${prefixOf(name)}_API_KEY`, `${prefixOf(name)}_BASE_URL`])
    expect(OPTION_NAMES).toEqual(expect.arrayContaining(options))
  })

  it('is frozen to the last leaf', () => {
    const { config } = load({ PROXY_API_KEYS: 'k'.repeat(16) })
    expect(Object.isFrozen(config)).toBe(true)
    expect(Object.isFrozen(config.timeouts)).toBe(true)
    expect(Object.isFrozen(config.providers.openai)).toBe(true)
    expect(Object.isFrozen(config.proxyApiKeys)).toBe(true)
  })
})

describe('where values come from', () => {
  it('lets the environment win over .env, and .env over YAML', () => {
    const files = { '.env': 'PORT=2\nMAX_RETRIES=2\n', 'llm-proxy.yaml': 'port: 3\nmax_retries: 3\njitter: 0.3\n' }
    const { config, origins } = load({ PORT: '1' }, files)
    expect([config.port, config.retry.maxRetries, config.retry.jitter]).toEqual([1, 2, 0.3])
    expect(origins).toMatchObject({ PORT: 'env', MAX_RETRIES: 'env', JITTER: 'file', HOST: 'default' })
  })

  it('takes an empty variable for an unset one', () => {
    expect(load({ PORT: '', OPENAI_API_KEY: ' ' }, { '.env': 'PORT=9000' }).config).toMatchObject({
      port: 9000,
      providers: { openai: { apiKey: null } },
    })
  })

  it('reads the aliases CLAUDE_API_KEY and DEFAULT_BACKEND', () => {
    const { config } = load({ CLAUDE_API_KEY: 'sk-ant', DEFAULT_BACKEND: 'anthropic' })
    expect(config.providers.anthropic?.apiKey).toBe('sk-ant')
    expect(config.defaultProvider).toBe('anthropic')
  })

  it('warns when two names of one option disagree, and takes the first', () => {
    const { config, warnings } = load({ ANTHROPIC_API_KEY: 'sk-1', CLAUDE_API_KEY: 'sk-2' })
    expect(config.providers.anthropic?.apiKey).toBe('sk-1')
    expect(warnings).toEqual(['CLAUDE_API_KEY: ignored, since ANTHROPIC_API_KEY is set too'])
  })

  it('reads every kind of value as the environment and as YAML spell it', () => {
    const env = {
      DEMO: 'FALSE',
      MAX_BODY_MB: '0.5',
      HTTP_TIMEOUT: '2.5',
      RATE_LIMIT: '10',
      PROXY_API_KEYS: `${'a'.repeat(16)}, ${'b'.repeat(16)}`,
      CORS_ORIGINS: 'https://A.example.com/,http://localhost:3000',
      TRUST_PROXY: '10.0.0.0/8, loopback',
      LOG_LEVEL: 'DEBUG',
    }
    const yaml = `
      demo: false
      max_body_mb: 0.5
      http_timeout: 2.5
      rate_limit: 10
      proxy_api_keys: [${'a'.repeat(16)}, ${'b'.repeat(16)}]
      cors_origins: [https://A.example.com/, http://localhost:3000]
      trust_proxy: [10.0.0.0/8, loopback]
      log_level: debug`.replaceAll('\n      ', '\n')
    const expected = {
      demo: false,
      maxBodyBytes: 524_288,
      timeouts: { totalMs: 2500 },
      rateLimit: { requests: 10, windowSeconds: 60 },
      proxyApiKeys: ['a'.repeat(16), 'b'.repeat(16)],
      corsOrigins: ['https://a.example.com', 'http://localhost:3000'],
      log: { level: 'debug' },
    }
    expect(load(env).config).toMatchObject({ ...expected, trustProxy: '10.0.0.0/8, loopback' })
    expect(load({}, { 'llm-proxy.yaml': yaml }).config).toMatchObject({
      ...expected,
      trustProxy: '10.0.0.0/8,loopback',
    })
  })

  it.each([
    ['true', true],
    ['false', false],
    ['1', 1],
    ['0', 0],
    ['2', 2],
    ['::1/128', '::1/128'],
  ])('reads TRUST_PROXY=%s as Express does', (text, value) => {
    expect(load({ TRUST_PROXY: text }).config.trustProxy).toBe(value)
  })

  it('takes the total timeout in seconds or milliseconds, the environment winning', () => {
    const yaml = { 'llm-proxy.yaml': 'timeouts: { total_ms: 1234 }' }
    expect(load({}, yaml).config.timeouts.totalMs).toBe(1234)
    expect(load({ HTTP_TIMEOUT: '7' }, yaml).config.timeouts.totalMs).toBe(7000)
    expect(load({ TIMEOUT_TOTAL_MS: '7' }, { 'llm-proxy.yaml': 'http_timeout: 9' }).config.timeouts.totalMs).toBe(7)
    expect(problemsOf({ HTTP_TIMEOUT: '7', TIMEOUT_TOTAL_MS: '7' })).toEqual([
      'TIMEOUT_TOTAL_MS: HTTP_TIMEOUT is set too and means the same; keep one of the two',
    ])
  })

  it('resolves DATA_DIR against the working folder', () => {
    const cwd = makeFolder()
    expect(loadConfig({ env: { DATA_DIR: 'var' }, cwd }).config.dataDir).toBe(join(cwd, 'var'))
  })

  it('drops the trailing slash of a base URL', () => {
    expect(load({ OPENAI_BASE_URL: 'http://localhost:9/v1/' }).config.providers.openai?.baseUrl).toBe(
      'http://localhost:9/v1',
    )
  })

  it.each([
    ['hex', 'ab'.repeat(32)],
    ['base64', Buffer.alloc(32, 0xab).toString('base64')],
    ['base64url', Buffer.alloc(32, 0xab).toString('base64url')],
  ])('reads a 32-byte ENCRYPTION_KEY in %s', (_name, text) => {
    expect(load({ ENCRYPTION_KEY: text }).config.encryptionKey).toEqual(Buffer.alloc(32, 0xab))
  })
})

describe('problems', () => {
  it('reports everything that is wrong at once, each by the name to change', () => {
    const env = { PORT: 'abc', LOG_LEVEL: 'loud', RATE_LIMIT: '0', JITTER: '2', OPENAI_API_KEY_FILE: 'nowhere' }
    const names = problemsOf(env, { 'llm-proxy.yaml': 'hst: x\ndemo: maybe\n' }).map(
      (problem) => problem.split(': ')[0],
    )
    expect(new Set(names)).toEqual(new Set([...Object.keys(env), 'llm-proxy.yaml']))
    expect(names).toHaveLength(7)
  })

  it.each([
    [{ PORT: '70000' }, 'PORT: must be a whole number from 0 to 65535 (now "70000")'],
    [{ PORT: '80.5' }, 'PORT: must be a whole number from 0 to 65535 (now "80.5")'],
    [{ HOST: 'http://x' }, 'HOST: must be an IP address or a host name, without a port (now "http://x")'],
    [{ LOG_LEVEL: 'loud' }, 'LOG_LEVEL: must be one of error, warn, info, debug (now "loud")'],
    [{ DEMO: 'perhaps' }, 'DEMO: must be auto, true or false (now "perhaps")'],
    [{ DEFAULT_BACKEND: 'acme' }, 'DEFAULT_BACKEND: must be one of openai, '],
    [{ OPENAI_BASE_URL: 'ftp://x' }, 'OPENAI_BASE_URL: must be an address that starts with http:// or https://'],
    [{ OPENAI_BASE_URL: 'https://x/?k=1' }, 'OPENAI_BASE_URL: must not contain a query (?) or a fragment (#)'],
    [{ OPENAI_BASE_URL: 'https://x/#k' }, 'OPENAI_BASE_URL: must not contain a query (?) or a fragment (#)'],
    [{ TRUST_PROXY: '10.0.0.0/33' }, 'TRUST_PROXY: must be true, false, a number of hops, or a list'],
    [{ CORS_ORIGINS: 'https://a/b' }, 'CORS_ORIGINS: entry 1 must be an origin such as'],
    [{ INITIAL_BACKOFF: '9000' }, 'INITIAL_BACKOFF: 9000 ms is more than MAX_BACKOFF, 8000 ms'],
  ])('says what would be right for %j', (env, problem) => {
    expect(problemsOf(env as Record<string, string>)).toEqual([expect.stringContaining(problem)])
  })

  it('never quotes a secret', () => {
    const secret = 'planted secret'
    const problems = problemsOf(
      {
        OPENAI_API_KEY: secret,
        MANAGEMENT_TOKEN: secret,
        ENCRYPTION_KEY: secret,
        PROXY_API_KEYS: 'planted',
        OPENAI_BASE_URL: 'https://me:planted@host',
        DATABASE_URL: 'postgres://me:planted@host',
        SECRET: secret,
      },
      // biome-ignore lint/suspicious/noTemplateCurlyInString: what users write
      { 'llm-proxy.yaml': 'port: ${SECRET}\nproviders: { zai: { api_key: planted secret } }' },
    )
    expect(problems).toHaveLength(8)
    expect(problems.join()).not.toContain('planted')
  })

  it('refuses DISABLE_AUTH where other machines can connect', () => {
    expect(load({ DISABLE_AUTH: 'true', HOST: '::1' }).config.disableAuth).toBe(true)
    expect(problemsOf({ DISABLE_AUTH: 'true', HOST: '0.0.0.0' })).toEqual([
      'DISABLE_AUTH: only with a loopback HOST (127.0.0.1, ::1, localhost), not with 0.0.0.0',
    ])
    expect(problemsOf({ DISABLE_AUTH: 'true', HOST: '127.0.0.1.example.com' })).toHaveLength(1)
  })

  it('keeps bodies as long as the requests where nothing else is said, and says when that is for ever', () => {
    const keeps = { REQUEST_LOGGING: 'true', BODY_LOG_KB: '16' }
    const limited = load({ ...keeps, REQUEST_LOG_DAYS: '90' })
    expect(limited.config.bodyLog).toEqual({ request: true, response: false, maxBytes: 16_384, days: 90 })
    expect(limited.warnings).toEqual([])
    expect(load({ ...keeps, BODY_LOG_DAYS: '7' }).config.bodyLog.days).toBe(7)
    const forever = load(keeps)
    expect([forever.config.bodyLog.days, forever.warnings]).toEqual([
      null,
      ['BODY_LOG_DAYS: not set, so that bodies are kept for ever'],
    ])
    expect(load({}).warnings).toEqual([])
  })

  it('refuses to keep bodies longer than their requests', () => {
    expect(problemsOf({ BODY_LOG_DAYS: '91', REQUEST_LOG_DAYS: '90' })).toEqual([
      'BODY_LOG_DAYS: 91 days are more than REQUEST_LOG_DAYS, 90: bodies go with their requests at the latest',
    ])
    expect(load({ BODY_LOG_DAYS: '90', REQUEST_LOG_DAYS: '90' }).config.bodyLog.days).toBe(90)
  })

  it('refuses static client keys that can be guessed', () => {
    expect(problemsOf({ PROXY_API_KEYS: `${'a'.repeat(16)},short` })).toEqual([
      'PROXY_API_KEYS: entry 2 is shorter than 16 characters',
    ])
  })

  it.each(['DATABASE_URL', 'REDIS_URL', 'CACHE_ENABLED'])('does not pretend that %s works', (name) => {
    const value = name.endsWith('URL') ? 'postgres://host/db' : 'true'
    expect(problemsOf({ [name]: value })).toEqual([expect.stringContaining(`${name}: this version`)])
  })

  it('accepts options of later versions that are switched off', () => {
    const { warnings } = load({ DATABASE_URL: '', CACHE_ENABLED: 'false', CACHE_TTL: '5' })
    expect(warnings).toEqual(['CACHE_TTL: has no effect: this version has no response cache'])
  })
})

describe('secrets from files', () => {
  it('reads <NAME>_FILE for every secret, aliases too, and drops one line end', () => {
    const files = {
      key: 'sk-from-file\r\n',
      token: 'management-token-x\n',
      keys: `${'a'.repeat(16)}\n${'b'.repeat(16)}\n`,
    }
    const { config, origins } = load(
      { CLAUDE_API_KEY_FILE: 'key', MANAGEMENT_TOKEN_FILE: 'token', PROXY_API_KEYS_FILE: 'keys' },
      files,
    )
    expect(config.providers.anthropic?.apiKey).toBe('sk-from-file')
    expect(config.managementToken).toBe('management-token-x')
    expect(config.proxyApiKeys).toHaveLength(2)
    expect(origins.ANTHROPIC_API_KEY).toBe('env')
  })

  it('refuses a secret that is given directly and as a file', () => {
    expect(problemsOf({ ZAI_API_KEY: 'a', ZAI_API_KEY_FILE: 'key' }, { key: 'b' })).toEqual([
      'ZAI_API_KEY_FILE: ZAI_API_KEY is set too; keep one of the two',
    ])
  })

  it('refuses a secret file that is missing, empty, a folder, or huge', () => {
    const problems = problemsOf(
      {
        OPENAI_API_KEY_FILE: 'none',
        GEMINI_API_KEY_FILE: 'empty',
        ZAI_API_KEY_FILE: '.',
        MISTRAL_API_KEY_FILE: 'huge',
      },
      { empty: '\n', huge: 'x'.repeat(70_000) },
    )
    expect(problems).toEqual([
      expect.stringMatching(/^OPENAI_API_KEY_FILE: cannot read .*none: there is no such file$/),
      expect.stringMatching(/^GEMINI_API_KEY_FILE: the file .* is empty$/),
      expect.stringMatching(/^MISTRAL_API_KEY_FILE: cannot read .*huge: larger than 64 KB$/),
      expect.stringMatching(/^ZAI_API_KEY_FILE: cannot read .*: it is a folder$/),
    ])
  })

  it('reports a .env that cannot be read', () => {
    const cwd = makeFolder({ '.env/x': '' })
    chmodSync(cwd, 0o700)
    expect(() => loadConfig({ env: {}, cwd })).toThrow('.env: cannot be read: it is a folder')
  })
})

describe('misspelt variables', () => {
  it.each([
    ['OPENAI_APIKEY', 'OPENAI_API_KEY'],
    ['MANAGMENT_TOKEN', 'MANAGEMENT_TOKEN'],
    ['OPENAI_API_KEY_FIEL', 'OPENAI_API_KEY_FILE'],
    ['LLM_PROXY_CONIFG', 'LLM_PROXY_CONFIG'],
    ['LLM_PROXY_PORT', 'PORT'],
  ])('warns of %s and names %s', (name, meant) => {
    expect(load({ [name]: 'x' }).warnings).toEqual([`${name}: not an option, ignored; did you mean ${meant}?`])
  })

  it('says nothing of variables that belong to others', () => {
    const names = [
      'HOSTNAME',
      'PORTS',
      'HOSTS',
      'PATH',
      'HOME',
      'DEMOS',
      'XAI_API_KEY',
      'HTTP_PROXY',
      'LOG_DIR',
      'NODE_ENV',
    ]
    const foreign = Object.fromEntries(names.map((name) => [name, 'x']))
    expect(load(foreign).warnings).toEqual([])
  })
})

describe('config check', () => {
  it('shows every value and where it comes from, but no secret', () => {
    const { shown } = load({ OPENAI_API_KEY: 'sk-planted', PORT: '1' })
    expect(shown).toMatchObject({ PORT: '1', OPENAI_API_KEY: '(set)', ZAI_API_KEY: '(none)', CORS_ORIGINS: '(none)' })
    expect(JSON.stringify(shown)).not.toContain('planted')
  })
})
