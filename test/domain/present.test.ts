import { describe, expect, it } from '@jest/globals'
import { presentAuditEntry, presentToken } from '../../src/domain/present.ts'
import { formatUsd } from '../../src/money.ts'
import { aStamp, aToken, NOON } from '../store/samples.ts'

describe('what people see', () => {
  it('shows money in exact decimal dollars', () => {
    const shown = [0n, 150n, 1_500n, 1_000_000_000n, 12_345_678_901_234_567_890n, -5n].map(formatUsd)
    expect(shown).toEqual(['0', '0.00000015', '0.0000015', '1', '12345678901.23456789', '-0.000000005'])
  })

  it('shows times in ISO 8601 and never the hash of a token', () => {
    const shown = presentToken(aToken('proj_1', { hash: 'the-hash', expiresAt: NOON, revokedAt: NOON, isActive: true }))
    expect(shown).toMatchObject({ expires_at: '2026-11-21T12:00:00.000Z', revoked_at: '2026-11-21T12:00:00.000Z' })
    expect(shown.is_active).toBe(false)
    expect(JSON.stringify(shown)).not.toContain('the-hash')
  })

  it('shows the audit log in the names of the API, and metadata as it is', () => {
    const after = {
      projectId: 'p',
      expiresAt: NOON,
      rateLimit: { tokensPerMinute: 1 },
      metadata: { myKey: 1, seenAt: 2 },
    }
    expect(presentAuditEntry({ ...aStamp(), before: null, after })).toMatchObject({
      at: '2026-11-21T12:00:00.000Z',
      user_agent: 'jest',
      before: null,
      after: {
        project_id: 'p',
        expires_at: '2026-11-21T12:00:00.000Z',
        rate_limit: { tokens_per_minute: 1 },
        metadata: { myKey: 1, seenAt: 2 },
      },
    })
  })
})
