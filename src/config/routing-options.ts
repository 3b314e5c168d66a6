import { RECOVERIES } from '../routing/types.ts'
import * as parse from './parsers.ts'
import type { Option } from './schema.ts'

const MAX_SECONDS = 86_400
const MAX_MS = 86_400_000

/** What decides about other tries, besides routes and rules, which YAML alone can say. */
export const routingOptions = {
  MAX_RETRIES: {
    group: 'retries',
    live: true,
    yaml: 'retry.max_retries',
    yamlAliases: ['max_retries'],
    parse: parse.integer(0, 20),
    default: 2,
    description: 'Further attempts after a failed one, as long as the client has seen nothing of the answer.',
  } satisfies Option<number, number>,
  INITIAL_BACKOFF: {
    group: 'retries',
    live: true,
    yaml: 'retry.initial_backoff_ms',
    yamlAliases: ['initial_backoff'],
    parse: parse.integer(0, MAX_MS),
    default: 500,
    unit: 'ms',
    description: 'Pause before the first retry.',
  } satisfies Option<number, number>,
  MAX_BACKOFF: {
    group: 'retries',
    live: true,
    yaml: 'retry.max_backoff_ms',
    yamlAliases: ['max_backoff'],
    parse: parse.integer(0, MAX_MS),
    default: 8000,
    unit: 'ms',
    description: 'Longest pause between retries.',
  } satisfies Option<number, number>,
  BACKOFF_FACTOR: {
    group: 'retries',
    live: true,
    yaml: 'retry.factor',
    yamlAliases: ['backoff_factor'],
    parse: parse.decimal(1, 100),
    default: 2,
    description: 'Each pause is this many times the one before.',
  } satisfies Option<number, number>,
  JITTER: {
    group: 'retries',
    live: true,
    yaml: 'retry.jitter',
    yamlAliases: ['jitter'],
    parse: parse.decimal(0, 1),
    default: 0.1,
    description: 'Share of a pause that is left to chance: 0.1 is up to 10 % more or less.',
  } satisfies Option<number, number>,
  RETRY_ON: {
    group: 'retries',
    live: true,
    yaml: 'retry.on',
    parse: parse.retryReasons,
    default: ['408', '409', '429', '5xx', 'network'],
    description:
      'After which failures there is another try: HTTP statuses, `5xx` for all from 500, `network` for a connection that was refused, reset or cut before an answer began.',
  } satisfies Option<string[], string[]>,
  BREAKER_FAILURES: {
    group: 'retries',
    live: true,
    yaml: 'breaker.failures',
    parse: parse.integer(1, 10_000),
    default: 5,
    description:
      'So many failures within the window below, and a provider is left alone for a while (per key and model).',
  } satisfies Option<number, number>,
  BREAKER_WINDOW_SECONDS: {
    group: 'retries',
    live: true,
    yaml: 'breaker.window_seconds',
    parse: parse.decimal(0.001, MAX_SECONDS),
    default: 30,
    unit: 's',
    description: 'The window in which failures are counted.',
  } satisfies Option<number, number>,
  BREAKER_COOLDOWN_SECONDS: {
    group: 'retries',
    live: true,
    yaml: 'breaker.cooldown_seconds',
    parse: parse.decimal(0.001, MAX_SECONDS),
    default: 15,
    unit: 's',
    description: 'How long it is left alone before single requests try it again.',
  } satisfies Option<number, number>,
  BREAKER_HALF_OPEN_REQUESTS: {
    group: 'retries',
    live: true,
    yaml: 'breaker.half_open_requests',
    parse: parse.integer(1, 1000),
    default: 1,
    description: 'So many requests at once try it then.',
  } satisfies Option<number, number>,
  HEALTH_PROBE_SECONDS: {
    group: 'retries',
    parse: parse.decimal(0, MAX_SECONDS),
    default: 0,
    unit: 's',
    description:
      'How often each provider with a key of yours is asked for something cheap, so that an outage, or its end, is known without requests; `0`: never.',
  } satisfies Option<number, number>,
  STREAM_RECOVERY: {
    group: 'retries',
    live: true,
    yaml: 'stream.recovery',
    parse: parse.oneOf(RECOVERIES),
    default: 'continue',
    description:
      'When a provider cuts a stream that has begun: `off` ends it with an error, `restart` asks the next target anew and goes on if it says the same, `continue` has it carry on where it can, else as `restart`.',
  } satisfies Option<(typeof RECOVERIES)[number], (typeof RECOVERIES)[number]>,
  STREAM_KEEPALIVE_MS: {
    group: 'retries',
    live: true,
    yaml: 'stream.keepalive_ms',
    parse: parse.integer(0, MAX_MS),
    default: 15_000,
    unit: 'ms',
    description: 'After so long a silence a stream is sent a comment, so that nothing between cuts it; `0`: never.',
  } satisfies Option<number, number>,
  KEYS_STRATEGY: {
    group: 'retries',
    live: true,
    yaml: 'keys.strategy',
    parse: parse.oneOf(['weighted', 'least_busy']),
    default: 'weighted',
    description: 'Which of several keys of a project for one provider a request takes.',
  } satisfies Option<'weighted' | 'least_busy', 'weighted' | 'least_busy'>,
  KEYS_COOLDOWN_ON_429: {
    group: 'retries',
    live: true,
    yaml: 'keys.cooldown_on_429',
    parse: parse.flag,
    default: true,
    description: 'A key that the provider limits (429) rests until the time that the provider says.',
  } satisfies Option<boolean, boolean>,
}
