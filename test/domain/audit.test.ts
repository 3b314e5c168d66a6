import { describe, expect, it } from '@jest/globals'
import { audited, recordDenial } from '../../src/domain/audit.ts'
import { GatewayError } from '../../src/errors.ts'
import { type AuditEntry, StoreError } from '../../src/store/store.ts'
import { actor, NOON } from './given.ts'

function given(append = async (_entry: AuditEntry) => {}) {
  const rows: AuditEntry[] = []
  const audit = {
    list: () => Promise.reject(new Error('not asked for')),
    async append(entry: AuditEntry) {
      rows.push(entry)
      await append(entry)
    },
  }
  return { rows, parts: { store: { audit }, now: () => NOON } }
}

const failing = (error: Error) => (parts: ReturnType<typeof given>['parts']) =>
  audited(parts, actor, { action: 'token.revoke', targetId: 'tok_1' }, () => Promise.reject(error))

describe('the audit log', () => {
  it('has a row for each failure, with its code', async () => {
    const cases: [Error, string][] = [
      [new GatewayError('not_found'), 'not_found'],
      [new StoreError('full', 'disk full'), 'storage_unavailable'],
      [new StoreError('conflict', 'name'), 'conflict'],
      [new TypeError('a defect'), 'internal_error'],
    ]
    for (const [error, reason] of cases) {
      const { rows, parts } = given()
      await expect(failing(error)(parts)).rejects.toThrow()
      expect(rows[0]).toMatchObject({ action: 'token.revoke', targetId: 'tok_1', outcome: 'failure', reason, at: NOON })
    }
  })

  it('does not hide why an action failed when it cannot be written itself', async () => {
    const { parts } = given(() => Promise.reject(new StoreError('full', 'disk full')))
    await expect(failing(new StoreError('read_only', 'mount'))(parts)).rejects.toMatchObject({
      code: 'storage_unavailable',
      cause: { kind: 'read_only' },
    })
  })

  it('keeps neither secrets nor endless text of strangers', async () => {
    const { rows, parts } = given()
    const stranger = { name: 'anonymous', ip: null, userAgent: `curl sk-${'a'.repeat(43)} ${'x'.repeat(10_000)}` }
    await recordDenial(parts, stranger, { action: 'manage.access' }, 'unauthorized', {
      path: `/manage/${'y'.repeat(9_999)}`,
    })
    expect(rows[0]!.userAgent).toMatch(/^curl sk-\[redacted\] x+$/)
    expect(rows[0]!.userAgent).toHaveLength(200)
    expect((rows[0]!.after as { path: string }).path).toHaveLength(200)
  })
})
