import { createHmac } from 'node:crypto'
import type { Alert } from './alert.ts'

export type WebhookFormat = 'json' | 'slack'

/** What a webhook gets. A receiver that has seen `id` before can pass over it: delivery is at least once. */
export function bodyOf(id: string, alert: Alert, format: WebhookFormat): string {
  if (format === 'slack') return JSON.stringify({ text: alert.text })
  const { kind, at, text, data } = alert
  return JSON.stringify({ id, type: kind, created_at: new Date(at).toISOString(), text, data })
}

/**
 * `t=<seconds>,v1=<hex>`: HMAC-SHA256 of `<seconds>.<body>` with the webhook's secret, as Stripe signs its own. The time is in it so that
 * a receiver can refuse what is replayed later.
 */
export function signatureOf(secret: string, body: string, at: number): string {
  const seconds = Math.floor(at / 1000)
  const mac = createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')
  return `t=${seconds},v1=${mac}`
}

const FIRST_WAIT_MS = 5_000
const LONGEST_WAIT_MS = 3_600_000
const GIVE_UP_AFTER_MS = 3 * 86_400_000

/** Milliseconds until the next try after `attempts` failed ones, null when it is time to give up. */
export function waitAfter(attempts: number, ageMs: number): number | null {
  if (ageMs > GIVE_UP_AFTER_MS) return null
  return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempts - 1))
}
