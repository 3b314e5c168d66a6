// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${NAME} is what users write in YAML
import { describe, expect, it } from '@jest/globals'
import { load, problemsOf } from './load-from.ts'

const yaml = (...lines: string[]) => ({ 'llm-proxy.yaml': `${lines.join('\n')}\n` })
const routingOf = (lines: string[], env: Record<string, string> = {}) => load(env, yaml(...lines)).config.routing
const at = (place: string, text: string) => `llm-proxy.yaml: ${place}: ${text}`

const usual = { strategy: 'fallback', timeouts: null, maxRetries: null, recovery: null, routesAroundRefusals: false }
const target = (provider: string, model: string | null = null, weight = 1) => ({
  provider,
  model,
  weight,
  timeouts: null,
})

describe('routes in the configuration', () => {
  it('are read with their targets, and are as usual in what they do not say', () => {
    const { routes } = routingOf([
      'routes:',
      '  "gpt-4":',
      '    strategy: weighted',
      '    targets:',
      '      - { provider: openai, model: gpt-4, weight: 2.5, timeouts: { first_token_ms: 3000 } }',
      '      - { provider: my-llm }',
      '    timeouts: { connect_ms: 1000, total_ms: 20000 }',
      '    max_retries: 0',
      '    recovery: off',
      '    routes_around_refusals: true',
      '  "gpt-*": { strategy: , targets: [ { provider: openai }, { provider: openrouter, timeouts: {} } ] }',
      'providers: { my-llm: { kind: openai, base_url: "http://h/v1" } }',
    ])
    expect(routes).toEqual([
      {
        pattern: 'gpt-4',
        origin: 'file',
        id: null,
        strategy: 'weighted',
        targets: [{ ...target('openai', 'gpt-4', 2.5), timeouts: { firstTokenMs: 3000 } }, target('my-llm')],
        timeouts: { connectMs: 1000, totalMs: 20_000 },
        maxRetries: 0,
        recovery: 'off',
        routesAroundRefusals: true,
      },
      { pattern: 'gpt-*', origin: 'file', id: null, ...usual, targets: [target('openai'), target('openrouter')] },
    ])
    expect(Object.isFrozen(routes[0]!.targets[0])).toBe(true)
  })

  it('may be written in the older spelling; one of the same name under routes wins, which is told', () => {
    const { config, warnings } = load(
      {},
      yaml(
        'routes: { gpt-4: { targets: [ { provider: openai } ] } }',
        'app_config:',
        '  failover_routes:',
        '    gpt-4: { attempts: [ { backend: gemini } ] }',
        '    claude: { attempts: [ { backend: anthropic, model: claude-3-opus }, { backend: openrouter } ] }',
      ),
    )
    expect(config.routing.routes.map(({ pattern, targets }) => [pattern, targets])).toEqual([
      ['gpt-4', [target('openai')]],
      ['claude', [target('anthropic', 'claude-3-opus'), target('openrouter')]],
    ])
    expect(warnings).toEqual([at('app_config.failover_routes.gpt-4', 'has no effect, since routes.gpt-4 is there too')])
  })

  it('take variables, also for numbers and flags', () => {
    const env = { PROVIDER: 'anthropic', MS: '1234', YES: 'true' }
    const { routes } = routingOf(
      [
        'routes:',
        '  a:',
        '    targets: [ { provider: "${PROVIDER}", model: "claude-${V:-3}", timeouts: { idle_ms: "${MS}" } } ]',
        '    max_retries: "${NONE:-}"',
        '    routes_around_refusals: "${YES}"',
      ],
      env,
    )
    expect(routes[0]).toMatchObject({
      targets: [{ provider: 'anthropic', model: 'claude-3', timeouts: { idleMs: 1234 } }],
      maxRetries: null,
      routesAroundRefusals: true,
    })
  })

  it('tell all that is wrong with them at once, each with its place', () => {
    const problems = problemsOf(
      {},
      yaml(
        'routes:',
        '  gpt-4:',
        '    stratgy: fallback',
        '    targets:',
        '      - { provider: openai, wieght: 1 }',
        '      - { provider: antropic }',
        '      - { provider: acme, weight: 0 }',
        '      - { model: x, weight: 1001, timeouts: { idle_ms: 0, first_tokn_ms: 5 } }',
        '  none: { targets: [] }',
        '  missing: { strategy: cheepest, max_retries: 21, recovery: often }',
        '  flat: openai',
        '  var: { targets: [ { provider: openai, model: "${NOWHERE}" } ] }',
        '  "": { targets: [ { provider: openai } ] }',
        'app_config: { failover_routes: { m: { attempts: [ { provider: openai } ] }, n: { attempts: [] } }, x: 1 }',
      ),
    )
    expect(problems).toEqual([
      at('app_config.x', 'unknown key'),
      at('routes.gpt-4.targets[0].wieght', 'unknown key; did you mean weight?'),
      at('routes.gpt-4.targets[1].provider', 'unknown provider; did you mean anthropic?'),
      expect.stringMatching(/routes\.gpt-4\.targets\[2\]\.provider: unknown provider; there are openai, .*, vllm$/),
      at('routes.gpt-4.targets[2].weight', 'must be more than 0'),
      at('routes.gpt-4.targets[3].provider', 'is required'),
      at('routes.gpt-4.targets[3].weight', 'must be at most 1000'),
      at('routes.gpt-4.targets[3].timeouts.idle_ms', 'must be at least 1'),
      at('routes.gpt-4.targets[3].timeouts.first_tokn_ms', 'unknown key; did you mean first_token_ms?'),
      at('routes.gpt-4.stratgy', 'unknown key; did you mean strategy?'),
      at('routes.none.targets', 'must have at least 1 entries'),
      expect.stringMatching(/routes\.missing\.strategy: must be one of fallback, .*; did you mean cheapest\?$/),
      at('routes.missing.targets', 'is required'),
      at('routes.missing.max_retries', 'must be at most 20'),
      at('routes.missing.recovery', 'must be one of off, restart, continue'),
      at('routes.flat', 'must be an object'),
      at('routes.var.targets[0].model', 'needs the environment variable NOWHERE, which is not set'),
      at('routes.', 'must not be empty'),
      at('app_config.failover_routes.m.attempts[0].backend', 'is required'),
      at('app_config.failover_routes.m.attempts[0].provider', 'unknown key'),
      at('app_config.failover_routes.n.attempts', 'must have at least 1 entries'),
    ])
  })

  it('are many at the most, and a map', () => {
    const many = Array.from({ length: 1001 }, (_, i) => `  m${i}: { targets: [ { provider: openai } ] }`)
    expect(problemsOf({}, yaml('routes:', ...many))).toEqual([at('routes', 'must have at most 1000 routes')])
    expect(problemsOf({}, yaml('routes: [a]', 'rules: {}'))).toEqual([
      at('routes', 'must hold models with their routes'),
      at('rules', 'must be a list of rules'),
    ])
    expect(problemsOf({}, yaml('route: {}'))).toEqual([at('route', 'unknown key; did you mean routes?')])
  })

  it('with the same pattern but for blanks are refused', () => {
    expect(
      problemsOf(
        {},
        yaml('routes: { a: { targets: [ { provider: openai } ] }, " a": { targets: [ { provider: openai } ] } }'),
      ),
    ).toEqual([at('routes. a', 'is there twice')])
  })
})

describe('rules in the configuration', () => {
  const ROUTE = 'routes: { "long-*": { targets: [ { provider: openai } ] } }'

  it('are read with all their conditions', () => {
    const { rules } = routingOf([
      ROUTE,
      'rules:',
      '  - { name: long prompts, when: { model: "gpt-*", prompt_tokens: { gt: 100000, lte: 200000 } }, route: "long-*" }',
      '  - name: team a',
      '    when: { project: proj_1, token: tok_1, metadata.team: a, header.X-Tier: gold, metadata.level: 5,',
      '            endpoint: /v1/chat/completions, stream: false, has: [tools, images] }',
      '    provider: anthropic',
      '    model: claude-3-opus',
      '    weight: 10',
      '  - { name: nested, when: { metadata: { a: b }, metadata.c: d }, provider: openai }',
    ])
    const none = { route: null, provider: null, model: null, weight: null }
    expect(rules).toEqual([
      {
        ...none,
        name: 'long prompts',
        when: { model: 'gpt-*', promptTokens: { gt: 100_000, lte: 200_000 } },
        route: 'long-*',
      },
      {
        name: 'team a',
        when: {
          project: 'proj_1',
          token: 'tok_1',
          metadata: { team: 'a', level: '5' },
          headers: { 'x-tier': 'gold' },
          endpoint: '/v1/chat/completions',
          stream: false,
          has: ['tools', 'images'],
        },
        route: null,
        provider: 'anthropic',
        model: 'claude-3-opus',
        weight: 10,
      },
      { ...none, name: 'nested', when: { metadata: { a: 'b', c: 'd' } }, provider: 'openai' },
    ])
  })

  it('tell all that is wrong with them at once, each with its place', () => {
    const rule = (text: string) => `  - { name: r, ${text} }`
    const problems = problemsOf(
      {},
      yaml(
        ROUTE,
        'rules:',
        rule('when: { modle: x }, route: long'),
        rule('when: { model: x }, route: "long-x"'),
        rule('when: {}, provider: openai'),
        rule('when: { prompt_tokens: { gt: 5, lt: 6 } }, provider: openai'),
        rule('when: { prompt_tokens: 5 }, provider: openai'),
        rule('when: { prompt_tokens: {} }, provider: openai'),
        rule('when: { metdata.team: a, header.a b: c, has: [tool], endpoint: v1 }, provider: openai'),
        rule('when: { stream: true }'),
        rule('when: { stream: "yes" }, route: "long-*", provider: opnai, model: x'),
        '  - { name: , route: "long-*" }',
        '  - 5',
        rule('when: { metadata.__proto__: a, stream: true }, provider: openai'),
      ),
    )
    expect(problems).toEqual([
      at('rules[0].when.modle', 'unknown key; did you mean model?'),
      at('rules[0].route', 'there is no such route; did you mean long-*?'),
      at('rules[1].route', 'there is no such route; did you mean long-*?'),
      at('rules[2].when', 'must hold a condition; model: "*" holds for all that name a model'),
      at('rules[3].when.prompt_tokens', 'can hold for no number'),
      at('rules[4].when.prompt_tokens', 'must be an object'),
      at('rules[5].when.prompt_tokens', 'must hold gt, gte, lt or lte'),
      at('rules[6].when.endpoint', 'must start with / or *'),
      expect.stringMatching(/rules\[6\]\.when\.has\[0\]: must be one of .*; did you mean tools\?$/),
      at('rules[6].when.header.a b', 'is no header name'),
      at('rules[6].when.metdata.team', 'unknown key; did you mean metadata?'),
      at('rules[7].route', 'is required, or provider'),
      at('rules[8].when.stream', 'must be true or false'),
      at('rules[8].provider', 'unknown provider; did you mean openai?'),
      at('rules[8].provider', 'cannot be given together with route'),
      at('rules[8].model', "goes with provider; a route's targets say their own"),
      at('rules[9].name', 'is required'),
      at('rules[9].when', 'is required'),
      at('rules[10]', 'must be an object'),
      at('rules[11].when.metadata.__proto__', 'unknown key'),
    ])
  })

  it('that name a route with a fault of its own are not faulted for it', () => {
    expect(
      problemsOf(
        {},
        yaml('routes: { a: { targets: [] } }', 'rules: [ { name: r, when: { stream: true }, route: a } ]'),
      ),
    ).toEqual([at('routes.a.targets', 'must have at least 1 entries')])
  })
})

describe('retries, breaker, streams and keys', () => {
  it('are as documented unless said', () => {
    const { routing, retry, timeouts } = load({}).config
    expect(routing).toEqual({
      routes: [],
      rules: [],
      retry: {
        maxRetries: 2,
        initialBackoffMs: 500,
        maxBackoffMs: 8000,
        factor: 2,
        jitter: 0.1,
        on: { statuses: new Set([408, 409, 429]), all5xx: true, network: true },
      },
      timeouts,
      breaker: { failures: 5, windowMs: 30_000, cooldownMs: 15_000, halfOpenRequests: 1 },
      stream: { recovery: 'continue', keepaliveMs: 15_000 },
      keys: { strategy: 'weighted', cooldownOn429: true },
    })
    expect(routing.retry).toMatchObject(retry)
  })

  const SAID = {
    retry: {
      maxRetries: 1,
      initialBackoffMs: 5,
      maxBackoffMs: 80,
      factor: 3,
      jitter: 0,
      on: { statuses: new Set([429, 503]), all5xx: false, network: true },
    },
    breaker: { failures: 7, windowMs: 1500, cooldownMs: 2000, halfOpenRequests: 3 },
    stream: { recovery: 'restart', keepaliveMs: 0 },
    keys: { strategy: 'least_busy', cooldownOn429: false },
  }

  it('can be said in YAML', () => {
    expect(
      routingOf([
        'retry: { max_retries: 1, initial_backoff_ms: 5, max_backoff_ms: 80, factor: 3, jitter: 0, on: [429, 503, network] }',
        'breaker: { failures: 7, window_seconds: 1.5, cooldown_seconds: 2, half_open_requests: 3 }',
        'stream: { recovery: restart, keepalive_ms: 0 }',
        'keys: { strategy: least_busy, cooldown_on_429: false }',
      ]),
    ).toMatchObject(SAID)
  })

  it('or in the environment', () => {
    const { config } = load({
      MAX_RETRIES: '1',
      INITIAL_BACKOFF: '5',
      MAX_BACKOFF: '80',
      BACKOFF_FACTOR: '3',
      JITTER: '0',
      RETRY_ON: '429, 503, Network',
      BREAKER_FAILURES: '7',
      BREAKER_WINDOW_SECONDS: '1.5',
      BREAKER_COOLDOWN_SECONDS: '2',
      BREAKER_HALF_OPEN_REQUESTS: '3',
      STREAM_RECOVERY: 'restart',
      STREAM_KEEPALIVE_MS: '0',
      KEYS_STRATEGY: 'least_busy',
      KEYS_COOLDOWN_ON_429: 'no',
    })
    expect(config.routing).toMatchObject(SAID)
    expect(config.retry).toMatchObject({ maxRetries: 1, maxBackoffMs: 80 })
  })

  it('say what is wrong', () => {
    expect(
      problemsOf(
        { RETRY_ON: '429, 200', STREAM_RECOVERY: 'on' },
        yaml('retry: { max_retries: 1 }', 'max_retries: 1', 'breaker: { failure: 1 }'),
      ),
    ).toEqual([
      at('breaker.failure', 'unknown key; did you mean breaker.failures?'),
      at('max_retries', 'retry.max_retries is set too and means the same; keep one of the two'),
      'RETRY_ON: entry 2 must be an HTTP status from 400 to 599, 5xx or network (now "429, 200")',
      'STREAM_RECOVERY: must be one of off, restart, continue (now "on")',
    ])
  })
})
