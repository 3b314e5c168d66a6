// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${NAME} is what users write in YAML
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { loadConfig } from '../../src/config/load.ts'
import { makeFolder } from '../helpers/folder.ts'
import { load, problemsOf } from './load-from.ts'

const withYaml = (yaml: string, env: Record<string, string> = {}) => load(env, { 'llm-proxy.yaml': yaml })
const problemsInYaml = (yaml: string, env: Record<string, string> = {}) => problemsOf(env, { 'llm-proxy.yaml': yaml })

describe('the YAML file', () => {
  it('is found in the working folder or where LLM_PROXY_CONFIG says', () => {
    const cwd = makeFolder({ 'llm-proxy.yaml': 'port: 1', 'etc/other.yml': 'port: 2' })
    expect(loadConfig({ env: {}, cwd }).config).toMatchObject({ port: 1, configFile: join(cwd, 'llm-proxy.yaml') })
    expect(loadConfig({ env: { LLM_PROXY_CONFIG: 'etc/other.yml' }, cwd }).config.port).toBe(2)
  })

  it('has to exist when it is named', () => {
    expect(problemsOf({ LLM_PROXY_CONFIG: 'none.yaml' })).toEqual([
      expect.stringMatching(/^LLM_PROXY_CONFIG: .*none\.yaml: cannot be read: there is no such file$/),
    ])
  })

  it('may be empty, and keys without a value count as unset', () => {
    expect(withYaml('').config.port).toBe(8080)
    expect(withYaml('port:\nproviders:\nhost: ""\n').config).toMatchObject({ port: 8080, host: '127.0.0.1' })
  })

  it('is refused past 1 MB', () => {
    expect(problemsInYaml(`# ${'x'.repeat(1_048_576)}`)).toEqual([
      'llm-proxy.yaml: larger than 1 MB, which no configuration is',
    ])
  })

  it('is refused with the line of a syntax error, a duplicate key or an unknown alias', () => {
    expect(problemsInYaml('port: 1\nhost: [\n')[0]).toMatch(/^llm-proxy\.yaml: line \d: /)
    expect(problemsInYaml('port: 1\nport: 2\n')).toEqual(['llm-proxy.yaml: line 2: Map keys must be unique'])
    expect(problemsInYaml('port: *nowhere\n')[0]).toMatch(/^llm-proxy\.yaml: /)
  })

  it('does not quote itself in a syntax error, since it may hold secrets', () => {
    const problems = problemsInYaml('providers:\n  openai:\n    api_key: "planted-secret\n  zai: }planted-secret\n')
    expect(problems.join()).not.toContain('planted')
  })

  it('is refused when aliases would blow it up', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x]']
    for (let depth = 1; depth < 9; depth++) {
      lines.push(`a${depth}: &a${depth} [${Array.from({ length: 9 }, () => `*a${depth - 1}`).join(', ')}]`)
    }
    expect(problemsInYaml(lines.join('\n'))).toEqual([
      'llm-proxy.yaml: cannot be read: too many or unknown aliases (*name), or nested too deeply',
    ])
  })

  it('is refused when it is nested beyond all reason', () => {
    expect(problemsInYaml('['.repeat(200_000))[0]).toMatch(/^llm-proxy\.yaml: /)
  })

  it.each([
    ['- 1', 'llm-proxy.yaml: must hold keys with values (host, port, data_dir …)'],
    ['just text', 'llm-proxy.yaml: must hold keys with values (host, port, data_dir …)'],
    ['providers: openai', 'llm-proxy.yaml: providers: must hold keys with values (openai, anthropic, gemini …)'],
    ['port: [1]', 'llm-proxy.yaml: port: must be a whole number from 0 to 65535'],
    ['port: { a: 1 }', 'llm-proxy.yaml: port: must be a whole number from 0 to 65535'],
    ['cors_origins: 7', 'llm-proxy.yaml: cors_origins: must be a list (comma-separated, or a YAML list) (now "7")'],
    ['management_token: 123', 'llm-proxy.yaml: management_token: must be text (in YAML, put it in quotes)'],
  ])('says what is wrong with %j', (yaml, problem) => {
    expect(problemsInYaml(yaml)).toEqual([problem])
  })

  it.each([
    ['prot: 1', 'prot: unknown key; did you mean port?'],
    ['PORT: 1', 'PORT: unknown key; did you mean port?'],
    ['providers: { opnai: { api_key: x } }', 'providers.opnai: unknown key; did you mean providers.openai?'],
    ['providers: { zai: { apikey: x } }', 'providers.zai.apikey: unknown key; did you mean providers.zai.api_key?'],
    ['connect_ms: 1', 'connect_ms: unknown key; did you mean timeouts.connect_ms?'],
    ['log: { level: info }', 'log.level: unknown key; did you mean log_level?'],
    ['entirely_else: 1', 'entirely_else: unknown key'],
    ['__proto__: { port: 1 }', '__proto__.port: unknown key'],
    ['constructor: 1', 'constructor: unknown key'],
  ])('names the key that was meant by %j', (yaml, problem) => {
    expect(problemsInYaml(yaml)).toEqual([`llm-proxy.yaml: ${problem}`])
  })
})

describe('variables in YAML', () => {
  it('puts in the environment, .env included, and the default where there is none', () => {
    const yaml = 'providers: { openai: { api_key: "sk-${PART}-${OTHER}", base_url: "${BASE:-http://localhost:1/v1}" } }'
    const { config, origins } = load({ PART: 'a' }, { 'llm-proxy.yaml': yaml, '.env': 'OTHER=b' })
    expect(config.providers.openai).toEqual({ apiKey: 'sk-a-b', baseUrl: 'http://localhost:1/v1' })
    expect(origins.OPENAI_API_KEY).toBe('file')
  })

  it('reads numbers, flags and lists out of them', () => {
    const yaml = 'port: ${P}\ndemo: ${D:-false}\ncors_origins: ["${O}", "*"]\nproxy_api_keys: ${K}'
    const { config } = withYaml(yaml, { P: '81', O: 'https://a.example', K: `${'a'.repeat(16)},${'b'.repeat(16)}` })
    expect(config).toMatchObject({ port: 81, demo: false, corsOrigins: ['https://a.example', '*'] })
    expect(config.proxyApiKeys).toHaveLength(2)
  })

  it('names the YAML key and the variable when one is missing', () => {
    expect(problemsInYaml('host: ${MY_HOST}\ncors_origins: ["${MY_ORIGIN}"]', { MY_HOST: '' })).toEqual([
      'llm-proxy.yaml: host: needs the environment variable MY_HOST, which is not set',
      'llm-proxy.yaml: cors_origins: needs the environment variable MY_ORIGIN, which is not set',
    ])
  })

  it('counts an empty default as unset', () => {
    expect(withYaml('providers: { zai: { api_key: "${NONE:-}" } }').config.providers.zai?.apiKey).toBeNull()
  })

  it('does not put variables into what variables hold', () => {
    expect(withYaml('management_token: ${A}-0123456789abc', { A: '${B}', B: 'b' }).config.managementToken).toBe(
      '${B}-0123456789abc',
    )
  })

  it('leaves $${ as a literal and refuses a broken reference', () => {
    expect(withYaml('management_token: "0123456789-$${A}"').config.managementToken).toBe('0123456789-${A}')
    expect(problemsInYaml('host: "${A B}"')).toEqual([
      'llm-proxy.yaml: host: has a "${" that is neither ${NAME} nor ${NAME:-default}; write $${ for a literal one',
    ])
  })
})
