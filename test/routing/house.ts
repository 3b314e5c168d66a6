import type { Config } from '../../src/config/config.ts'
import type { Route, RouteTarget, Rule, StreamPolicy } from '../../src/routing/types.ts'
import { startTestGateway, type TestGateway } from '../helpers/gateway.ts'
import { type Script, startUpstream, type Upstream } from '../helpers/upstream.ts'
import { startAnthropic } from '../translate/upstreams.ts'

/** A gateway with a route `smart` to a first provider (`one`, OpenAI's dialect), a second (`two`, the same) and Anthropic. */
export type House = {
  gateway: TestGateway
  secret: string
  one: Upstream
  two: Upstream
  anthropic: Upstream
  close(): Promise<void>
}

export const target = (provider: string, model: string | null, more: Partial<RouteTarget> = {}): RouteTarget => ({
  provider,
  model,
  weight: 1,
  timeouts: null,
  ...more,
})

export const route = (pattern: string, targets: RouteTarget[], more: Partial<Route> = {}): Route => ({
  pattern,
  origin: 'file',
  id: null,
  strategy: 'fallback',
  targets,
  timeouts: null,
  maxRetries: null,
  recovery: null,
  routesAroundRefusals: false,
  ...more,
})

export const RETRY: Config['retry'] = { maxRetries: 1, initialBackoffMs: 5, maxBackoffMs: 200, factor: 2, jitter: 0 }
export const QUICK: Config['timeouts'] = {
  connectMs: 1_000,
  headersMs: 300,
  firstTokenMs: 300,
  idleMs: 300,
  totalMs: 20_000,
}

/** `openai`: the first provider is known as that, too, and speaks both of its dialects. `stream`: over the defaults here. */
type Options = {
  routes?: Route[]
  rules?: Rule[]
  scripts?: Script[]
  config?: Partial<Config>
  openai?: boolean
  stream?: Partial<StreamPolicy>
}

export async function openHouse({
  routes,
  rules = [],
  scripts = [],
  config = {},
  openai = false,
  stream = {},
}: Options = {}): Promise<House> {
  const [one, two, anthropic] = await Promise.all([
    startUpstream(scripts[0]),
    startUpstream(scripts[1]),
    startAnthropic(),
  ])
  const own = (upstream: Upstream, kind: 'openai' | 'anthropic') => ({
    kind,
    apiKey: `sk-of-upstream-${upstream.url.slice(-8, -3)}`,
    baseUrl: upstream.url,
  })
  const smart = route('smart', [target('one', 'model-a'), target('two', 'model-b')])
  const claude = route('claude-next', [target('one', 'model-a'), target('claude', 'claude-sonnet-4-6')])
  const base = routingOf(routes ?? [smart, claude], config)
  const gateway = await startTestGateway({
    config: {
      providers: {
        one: own(one, 'openai'),
        two: own(two, 'openai'),
        claude: own(anthropic, 'anthropic'),
        ...(openai && { openai: { apiKey: 'sk-of-openai-0123456789', baseUrl: one.url } }),
      },
      defaultProvider: 'one',
      retry: RETRY,
      timeouts: QUICK,
      ...config,
      routing: { ...base, rules, stream: { ...base.stream, ...stream } },
    },
  })
  return {
    gateway,
    secret: (await gateway.token()).secret,
    one,
    two,
    anthropic,
    async close() {
      await gateway.stop()
      await Promise.all([one.close(), two.close(), anthropic.close()])
    },
  }
}

const routingOf = (routes: Route[], { timeouts = QUICK, retry = RETRY }: Partial<Config>): Config['routing'] => ({
  routes,
  rules: [],
  breaker: { failures: 5, windowMs: 30_000, cooldownMs: 15_000, halfOpenRequests: 1 },
  stream: { recovery: 'off' as const, keepaliveMs: 15_000 },
  keys: { strategy: 'weighted' as const, cooldownOn429: true },
  retry: { ...retry, on: { statuses: new Set([408, 409, 429]), all5xx: true, network: true } },
  timeouts,
})
