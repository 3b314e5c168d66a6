import { createHmac } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { budgetAlert, share } from '../../../src/usage/alerts/alert.ts'
import { bodyOf, signatureOf, waitAfter } from '../../../src/usage/alerts/webhook.ts'
import type { BudgetState } from '../../../src/usage/budgets.ts'

const AT = Date.UTC(2026, 10, 21, 12)
const state = (
  nanoUsd: bigint,
  tokens = 0,
  limits: { usd?: number; tokens?: number } = { usd: 5_000_000_000 },
): BudgetState => ({
  owner: { kind: 'token', id: 'tok_1' },
  budget: { period: 'day', limitNanoUsd: limits.usd ?? null, limitTokens: limits.tokens ?? null, resetAt: null },
  window: { from: AT - (AT % 86_400_000), to: AT - (AT % 86_400_000) + 86_400_000 },
  used: { nanoUsd, tokens },
  reserved: { nanoUsd: 0n, tokens: 0 },
})

describe('the share of a budget that is used', () => {
  it.each([
    [state(0n), 0],
    [state(2_500_000_000n), 50],
    [state(4_999_999_999n), 99.99],
    [state(5_000_000_000n), 100],
    [state(0n, 500, { tokens: 1_000 }), 50],
    [state(4_000_000_000n, 900, { usd: 5_000_000_000, tokens: 1_000 }), 90],
  ])('is a percentage, rounded down: %#', (given, percent) => {
    expect(share(given)).toBe(percent)
  })
})

describe('an alert', () => {
  it('is the same for the same budget, period and threshold alone', () => {
    const key = (given: BudgetState, percent: number) => budgetAlert(given, percent, AT).key
    expect(key(state(4_000_000_000n), 80)).toBe(key(state(4_100_000_000n), 80))
    const others = [key(state(1n), 50), key(state(1n, 0, { usd: 6_000_000_000 }), 80)]
    const nextDay = state(1n)
    nextDay.window = { from: nextDay.window.to!, to: null }
    expect(new Set([...others, key(nextDay, 80), key(state(1n), 80)]).size).toBe(4)
  })

  it('says in a sentence what happened', () => {
    expect(budgetAlert(state(4_100_000_000n), 80, AT).text).toBe(
      'The token tok_1 has used 80 % of its budget this day: $4.1 of $5.',
    )
    expect(budgetAlert(state(0n, 900, { tokens: 1_000 }), 80, AT).text).toContain('900 tokens of 1000 tokens')
  })
})

describe('a webhook', () => {
  const alert = budgetAlert(state(4_100_000_000n), 80, AT)

  it('gets JSON with an id, or what Slack takes', () => {
    expect(JSON.parse(bodyOf('alert_1', alert, 'json'))).toMatchObject({
      id: 'alert_1',
      type: 'budget_threshold',
      created_at: '2026-11-21T12:00:00.000Z',
      data: { percent: 80, budget: { used_usd: '4.1', limit_usd: '5' } },
    })
    expect(JSON.parse(bodyOf('alert_1', alert, 'slack'))).toEqual({ text: alert.text })
  })

  it('is signed with its time', () => {
    const mac = createHmac('sha256', 'secret')
      .update(`${AT / 1000}.{}`)
      .digest('hex')
    expect(signatureOf('secret', '{}', AT + 999)).toBe(`t=${AT / 1000},v1=${mac}`)
    expect(signatureOf('other', '{}', AT)).not.toContain(mac)
  })

  it('that does not answer is tried again, more and more rarely, for three days', () => {
    expect([1, 2, 3, 20].map((attempts) => waitAfter(attempts, 0))).toEqual([5_000, 10_000, 20_000, 3_600_000])
    expect(waitAfter(1, 3 * 86_400_000 + 1)).toBeNull()
  })
})
