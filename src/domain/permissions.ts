import type { AdminRole, AdminUser } from '../store/store.ts'

/**
 * `read`: projects, tokens, usage, requests, of the own project where the user has one. `read_gateway`: what is of no project, as
 * routing, the audit log and settings. `read_bodies`: what clients sent and were sent.
 */
export type Permission = 'read' | 'read_gateway' | 'read_bodies' | 'write' | 'manage_users' | 'backup'

const OF_ROLE: Record<AdminRole, readonly Permission[]> = {
  owner: ['read', 'read_gateway', 'read_bodies', 'write', 'manage_users', 'backup'],
  admin: ['read', 'read_gateway', 'read_bodies', 'write'],
  viewer: ['read', 'read_gateway'],
}
/** Of who sees one project alone, whatever the role. */
const OF_RESTRICTED: readonly Permission[] = ['read']

/** The one place that says what a role may. */
export function may({ role, projectId }: Pick<AdminUser, 'role' | 'projectId'>, permission: Permission): boolean {
  return (projectId === null ? OF_ROLE[role] : OF_RESTRICTED).includes(permission)
}
