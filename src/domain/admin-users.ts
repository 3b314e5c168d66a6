import { GatewayError } from '../errors.ts'
import { newId } from '../ids.ts'
import { type AdminUser, type AdminUserPatch, type Store, StoreError } from '../store/store.ts'
import { changePasswordInput, createAdminUserInput, firstAdminInput, updateAdminUserInput } from './admin-schemas.ts'
import { type Actor, audited, recordNoChange } from './audit.ts'
import type { Parts } from './parts.ts'
import { hashPassword, passwordProblem } from './passwords.ts'
import { type ProofParts, provePassword } from './prove.ts'
import { parseInput, validationError } from './validate.ts'

type UserParts = Pick<Parts, 'store' | 'now'>

/** Throws `not_found`. */
export async function requireAdminUser({ adminUsers }: Pick<Store, 'adminUsers'>, id: string): Promise<AdminUser> {
  const user = await adminUsers.get(id)
  if (user === null) throw new GatewayError('not_found', { message: 'There is no such admin user.' })
  return user
}

/** Creates an admin user from the wire's fields; the first has to be an owner. Throws `validation_failed`, `conflict` (the name is taken). */
export async function createAdminUser({ store, now }: UserParts, actor: Actor, input: unknown): Promise<AdminUser> {
  return audited({ store, now }, actor, { action: 'admin_user.create' }, async (stamp) => {
    const fields = parseInput(createAdminUserInput, input)
    const projectId = fields.project_id ?? null
    await checkProject(store, fields.role, projectId)
    const isOwner = fields.role === 'owner' && fields.is_active !== false
    if (!isOwner && (await store.adminUsers.count()) === 0)
      throw validationError([{ field: 'role', reason: 'must be owner: the first admin user is an active owner' }])
    const user: AdminUser = {
      ...newAdminUser(fields.name, stamp.at),
      role: fields.role,
      projectId,
      passwordHash: fields.password == null ? null : await takePassword(fields.password, fields.name, 'password'),
      isActive: fields.is_active ?? true,
    }
    await store.adminUsers.create(user, { ...stamp, targetId: user.id }).catch(takenName)
    return user
  })
}

/** The owner with whom it begins. Throws `conflict` when there is any user already, `validation_failed`. */
export async function createFirstAdmin({ store, now }: UserParts, actor: Actor, input: unknown): Promise<AdminUser> {
  return audited({ store, now }, actor, { action: 'admin_user.create' }, async (stamp) => {
    const { name, password } = parseInput(firstAdminInput, input)
    const made = newAdminUser(name, stamp.at)
    const user: AdminUser = { ...made, passwordHash: await takePassword(password, name, 'password') }
    if (await store.adminUsers.createFirst(user, { ...stamp, targetId: user.id })) return user
    throw new GatewayError('conflict', { message: 'There is an admin user already: sign in, or ask an owner.' })
  })
}

/** An active owner without a password who is not stored yet. */
export const newAdminUser = (name: string, at: number): AdminUser => ({
  id: newId('usr'),
  name,
  role: 'owner',
  projectId: null,
  passwordHash: null,
  subject: null,
  totpSealed: null,
  totpLastStep: null,
  recoveryHashes: [],
  isActive: true,
  lastSignInAt: null,
  createdAt: at,
  updatedAt: at,
})

/**
 * Changes the given fields. What the user may no longer do ends the sessions, but `keepSessionId`. Throws `not_found`,
 * `validation_failed`, `conflict` (the name is taken, or it is the last active owner).
 */
export async function updateAdminUser(
  { store, now }: UserParts,
  actor: Actor,
  id: string,
  input: unknown,
  keepSessionId: string | null = null,
): Promise<AdminUser> {
  return audited({ store, now }, actor, { action: 'admin_user.update', targetId: id }, async (stamp) => {
    const before = await requireAdminUser(store, id)
    const fields = parseInput(updateAdminUserInput, input)
    const role = fields.role ?? before.role
    // Who becomes more than a viewer leaves the one project.
    const kept = role === 'viewer' ? before.projectId : null
    const projectId = fields.project_id === undefined ? kept : fields.project_id
    if (projectId !== before.projectId || role !== before.role) await checkProject(store, role, projectId)
    const name = fields.name ?? before.name
    const patch: AdminUserPatch = {
      ...(fields.name !== undefined && { name }),
      ...(role !== before.role && { role }),
      ...(projectId !== before.projectId && { projectId }),
      ...(fields.is_active !== undefined && { isActive: fields.is_active }),
      ...(fields.password !== undefined && { passwordHash: await takePassword(fields.password, name, 'password') }),
      ...(fields.second_factor === false && NO_SECOND_FACTOR),
    }
    const after = await store.adminUsers
      .update(id, patch, stamp.at, stamp, keepSessionId)
      .catch((error) => explainConflict(store, error, id, patch))
    return after ?? requireAdminUser(store, id)
  })
}

export const NO_SECOND_FACTOR = { totpSealed: null, totpLastStep: null, recoveryHashes: [] }

/** False when the user was gone already. Throws `conflict` for the last active owner. */
export async function deleteAdminUser({ store, now }: UserParts, actor: Actor, id: string): Promise<boolean> {
  return audited({ store, now }, actor, { action: 'admin_user.delete', targetId: id }, async (stamp) => {
    const deleted = await store.adminUsers.delete(id, stamp).catch((error) => explainConflict(store, error, id, {}))
    if (!deleted) await recordNoChange({ store, now }, stamp)
    return deleted
  })
}

/**
 * A new password by its owner, who has to know the old one; all other sessions end. Throws `validation_failed`,
 * `rate_limit_exceeded` (after too many wrong ones), `conflict` (signs in with single sign-on alone).
 */
export async function changeOwnPassword(
  { store, now, ...proof }: UserParts & ProofParts,
  actor: Actor,
  user: AdminUser,
  input: unknown,
  keepSessionId: string | null,
): Promise<AdminUser> {
  const subject = { action: 'admin_user.change_password', targetId: user.id }
  return audited({ store, now }, actor, subject, async (stamp) => {
    const fields = parseInput(changePasswordInput, input)
    const before = await requireAdminUser(store, user.id)
    if (before.passwordHash === null)
      throw new GatewayError('conflict', { message: 'You have no password here: you sign in with single sign-on.' })
    await provePassword(proof, before, fields.current_password, actor.ip, 'current_password')
    const passwordHash = await takePassword(fields.new_password, before.name, 'new_password')
    const after = await store.adminUsers.update(user.id, { passwordHash }, stamp.at, stamp, keepSessionId)
    return after ?? requireAdminUser(store, user.id)
  })
}

/** Throws `validation_failed`, `overloaded`. */
async function takePassword(password: string, userName: string, field: string): Promise<string> {
  const reason = passwordProblem(password, userName)
  if (reason !== null) throw validationError([{ field, reason }])
  return hashPassword(password)
}

async function checkProject(store: Store, role: AdminUser['role'], projectId: string | null): Promise<void> {
  if (projectId === null) return
  if (role !== 'viewer') throw validationError([{ field: 'project_id', reason: 'is for viewers only' }])
  if ((await store.projects.get(projectId)) === null)
    throw validationError([{ field: 'project_id', reason: 'is not the id of a project' }])
}

/** What the store refused: a name that is taken, else the end of the last owner. */
async function explainConflict(store: Store, error: unknown, id: string, patch: AdminUserPatch): Promise<never> {
  if (!(error instanceof StoreError) || error.kind !== 'conflict') throw error
  const named = patch.name === undefined ? null : await store.adminUsers.findByName(patch.name)
  if (named && named.id !== id) takenName(error)
  throw new GatewayError('conflict', { message: LAST_OWNER, cause: error })
}

const LAST_OWNER = 'This is the last active owner: make another user an owner before.'

export function takenName(error: unknown): never {
  if (!(error instanceof StoreError) || error.kind !== 'conflict') throw error
  throw new GatewayError('conflict', {
    message: 'There is already an admin user with this name.',
    param: 'name',
    details: { fields: [{ field: 'name', reason: 'is taken by another admin user' }] },
    cause: error,
  })
}
