import * as parse from './parsers.ts'
import type { Option } from './schema.ts'

const MAX_DAYS = 36_500

/** What is kept of requests besides their sums, and for how long. */
export const requestLogOptions = {
  REQUEST_LOG_DAYS: {
    group: 'logging',
    parse: parse.integer(1, MAX_DAYS),
    default: null,
    defaultText: 'for ever',
    description:
      'How long requests stay in the ledger. A month goes as a whole, so many days after its end, with its reports.',
  } satisfies Option<number, null>,
  REQUEST_LOGGING: {
    group: 'logging',
    parse: parse.flag,
    default: false,
    description:
      'Keeps what clients send: path, headers and body of each request, without secrets. Read docs/request-log.md before.',
  } satisfies Option<boolean, boolean>,
  RESPONSE_LOGGING: {
    group: 'logging',
    parse: parse.flag,
    default: false,
    description: 'Keeps what clients are sent: status, headers and body of each answer, without secrets.',
  } satisfies Option<boolean, boolean>,
  BODY_LOG_KB: {
    group: 'logging',
    parse: parse.integer(1, 1024),
    default: 64,
    unit: 'KB',
    description: 'So much of each body is kept.',
  } satisfies Option<number, number>,
  BODY_LOG_DAYS: {
    group: 'logging',
    parse: parse.integer(1, MAX_DAYS),
    default: null,
    defaultText: '`REQUEST_LOG_DAYS`',
    description: 'How long bodies are kept. They go so many days after their request, to the hour.',
  } satisfies Option<number, null>,
}
