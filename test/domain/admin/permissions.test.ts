import { expect, it } from '@jest/globals'
import { may, type Permission } from '../../../src/domain/permissions.ts'
import type { AdminRole } from '../../../src/store/store.ts'

const ALL: Permission[] = ['read', 'read_gateway', 'read_bodies', 'write', 'manage_users', 'backup']

it.each<[string, AdminRole, string | null, Permission[]]>([
  ['an owner may do everything', 'owner', null, ALL],
  ['an admin may do all but users and backups', 'admin', null, ['read', 'read_gateway', 'read_bodies', 'write']],
  ['a viewer reads, but no bodies', 'viewer', null, ['read', 'read_gateway']],
  ['a viewer of one project reads that, and nothing of the gateway', 'viewer', 'proj_1', ['read']],
  // No row is like these; if one ever were, the project would win.
  ['an owner who is bound to a project is no more than that', 'owner', 'proj_1', ['read']],
])('%s', (_what, role, projectId, permitted) => {
  expect(ALL.filter((permission) => may({ role, projectId }, permission))).toEqual(permitted)
})
