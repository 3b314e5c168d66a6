import * as parse from './parsers.ts'
import type { Option } from './schema.ts'

/** What is told to whom when money goes. */
export const alertOptions = {
  ALERT_THRESHOLDS: {
    group: 'alerts',
    live: true,
    yaml: 'alerts.thresholds',
    parse: parse.percentages,
    default: [50, 80, 100],
    description:
      'Percentages of a budget that are told once each: log line, metric, audit row, webhook. An empty list: none.',
  } satisfies Option<number[], number[]>,
  ALERT_SPEND_FACTOR: {
    group: 'alerts',
    live: true,
    yaml: 'alerts.spend_factor',
    parse: parse.decimal(0, 1_000),
    default: 10,
    description:
      'A token that spends so many times its usual amount in an hour (the mean of its last seven days, a dollar at least) is told of, once an hour; 0: never.',
  } satisfies Option<number, number>,
  LEDGER_CHECK_MINUTES: {
    group: 'alerts',
    yaml: 'alerts.ledger_check_minutes',
    parse: parse.decimal(0, 1_440),
    default: 15,
    description:
      'How often the rows, sums and counters of the ledger are compared with each other, beside the requests; what does not add up is told. 0: never.',
  } satisfies Option<number, number>,
  ALERT_WEBHOOK_URL: {
    group: 'alerts',
    yaml: 'alerts.webhook.url',
    parse: parse.baseUrl,
    default: null,
    unquotable: true,
    secretPath: true,
    description: 'Where alerts are sent with POST. Tried again for three days until it answers with 2xx.',
  } satisfies Option<string, null>,
  ALERT_WEBHOOK_SECRET: {
    group: 'alerts',
    yaml: 'alerts.webhook.secret',
    parse: parse.token,
    default: null,
    secret: true,
    description: 'Signs alerts (HMAC-SHA256, header `x-llm-proxy-signature`).',
  } satisfies Option<string, null>,
  ALERT_WEBHOOK_FORMAT: {
    group: 'alerts',
    yaml: 'alerts.webhook.format',
    parse: parse.oneOf(['json', 'slack']),
    default: 'json',
    description: '`slack`: as an incoming webhook of Slack takes it.',
  } satisfies Option<'json' | 'slack', 'json' | 'slack'>,
}
