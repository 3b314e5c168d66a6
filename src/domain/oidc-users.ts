import type { Config } from '../config/config.ts'
import { type AdminRole, type AdminUser, type Store, StoreError } from '../store/store.ts'
import type { Client } from './admin-sessions.ts'
import { newAdminUser } from './admin-users.ts'
import { adminActor, audited } from './audit.ts'
import type { RecordDenied } from './denials.ts'

export type OidcSettings = NonNullable<Config['admin']['oidc']>

type OidcParts = { store: Store; now(): number; oidc: OidcSettings; recordDenied: RecordDenied }

/** What the identity provider said, verified already. */
export type Identity = { issuer: string; claims: Record<string, unknown> }

/** `message`: for the person, who can do nothing but ask an owner. */
export type OidcOutcome = { outcome: 'found'; user: AdminUser } | { outcome: 'refused'; message: string }

/**
 * The user behind an identity, made or brought up to date: with a role claim the role is that of the claims at each sign-in, else the
 * one that was given here. A user of the same name is never taken over, unless an owner made it without a password for just that,
 * and the provider vouches for the e-mail address. Throws `storage_unavailable`.
 */
export async function findOrCreateOidcUser(parts: OidcParts, client: Client, identity: Identity): Promise<OidcOutcome> {
  try {
    return { outcome: 'found', user: await findOrCreate(parts, client, identity) }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const subject = { action: 'admin.sign_in', targetId: error.user?.id ?? null }
    await parts.recordDenied({ name: 'anonymous', ...client }, subject, error.reason, {
      method: 'oidc',
      ...(typeof identity.claims.sub === 'string' && { sub: identity.claims.sub }),
    })
    return { outcome: 'refused', message: error.message }
  }
}

class Refusal extends Error {
  readonly reason: string
  readonly user: AdminUser | null
  constructor(reason: string, message: string, user: AdminUser | null = null) {
    super(message)
    this.reason = reason
    this.user = user
  }
}

async function findOrCreate(parts: OidcParts, client: Client, { issuer, claims }: Identity): Promise<AdminUser> {
  const { store, oidc } = parts
  const { sub } = claims
  if (typeof sub !== 'string' || sub === '') throw new Refusal('no_subject', 'Single sign-on did not say who you are.')
  const name = nameOf(oidc, claims)
  const subject = `${issuer} ${sub}`
  const claimed = roleOf(oidc, claims)
  const known = (await store.adminUsers.findBySubject(subject)) ?? (await takeInvited(parts, claims, name))
  if (known && !known.isActive)
    throw new Refusal('inactive', 'Your user is not active: ask an owner of this gateway.', known)
  const role = oidc.roleClaim === null && known ? known.role : (claimed ?? oidc.defaultRole)
  if (role === null) throw new Refusal('no_role', 'You have no role here: ask an owner of this gateway for one.', known)
  return known ? update(parts, client, known, { name, role, subject }) : create(parts, client, { name, role, subject })
}

type Wanted = { name: string; role: AdminRole; subject: string }

async function create({ store, now }: OidcParts, client: Client, { name, role, subject }: Wanted): Promise<AdminUser> {
  if (role !== 'owner' && (await store.adminUsers.count()) === 0)
    throw new Refusal('no_owner', 'This gateway has no owner yet: its operator has to make one first.')
  return audited({ store, now }, adminActor({ name }, client), { action: 'admin_user.create' }, async (stamp) => {
    const user: AdminUser = { ...newAdminUser(name, stamp.at), role, subject }
    await store.adminUsers.create(user, { ...stamp, targetId: user.id }).catch((error) => {
      throw isConflict(error) ? nameTaken() : error
    })
    return user
  })
}

async function update({ store, now }: OidcParts, client: Client, user: AdminUser, wanted: Wanted): Promise<AdminUser> {
  const { role, subject } = wanted
  // A name that somebody else has by now is not worth a refusal: the user keeps the old one.
  const holder = await store.adminUsers.findByName(wanted.name)
  const name = holder && holder.id !== user.id ? user.name : wanted.name
  if (name === user.name && role === user.role && subject === user.subject) return user
  const patch = { name, role, subject, projectId: role === 'viewer' ? user.projectId : null }
  const stamped = { action: 'admin_user.update', targetId: user.id }
  return audited({ store, now }, adminActor(user, client), stamped, async (stamp) => {
    const after = await store.adminUsers.update(user.id, patch, stamp.at, stamp).catch((error) => {
      throw isConflict(error) ? new Refusal('last_owner', LAST_OWNER, user) : error
    })
    if (after === null) throw new Refusal('inactive', 'Your user was deleted: ask an owner of this gateway.')
    return after
  })
}

const LAST_OWNER =
  'Single sign-on no longer makes you an owner, but you are the last one: an operator has to make another first ("llm-proxy admin create").'

/** A user that was made here for single sign-on and has never signed in. */
async function takeInvited(
  { store, oidc }: OidcParts,
  claims: Identity['claims'],
  name: string,
): Promise<AdminUser | null> {
  const user = await store.adminUsers.findByName(name)
  if (user === null) return null
  const isVouchedFor = oidc.nameClaim === 'email' && claims.email_verified === true
  if (user.passwordHash === null && user.subject === null && isVouchedFor) return user
  throw nameTaken()
}

const nameTaken = () =>
  new Refusal(
    'name_taken',
    'There is another user of your name here, who does not sign in this way: ask an owner of this gateway to rename or delete that user.',
  )

const isConflict = (error: unknown) => error instanceof StoreError && error.kind === 'conflict'

const MAX_NAME = 150

function nameOf({ nameClaim }: OidcSettings, claims: Identity['claims']): string {
  const name = claims[nameClaim]
  if (typeof name !== 'string' || name.trim() === '' || name.length > MAX_NAME || /\p{C}/u.test(name))
    throw new Refusal('no_name', `Single sign-on did not say your name (${nameClaim}): ask an owner of this gateway.`)
  // Some providers say it as text.
  if (nameClaim === 'email' && String(claims.email_verified) === 'false')
    throw new Refusal('email_not_verified', 'Your e-mail address is not verified: do that where you signed in.')
  return name.trim()
}

const RANK: Record<AdminRole, number> = { viewer: 0, admin: 1, owner: 2 }

/** The highest role that the claim's values map to. */
function roleOf({ roleClaim, roleMap }: OidcSettings, claims: Identity['claims']): AdminRole | null {
  if (roleClaim === null) return null
  const roles = valuesAt(claims, roleClaim).flatMap((value) => (Object.hasOwn(roleMap, value) ? roleMap[value]! : []))
  return roles.sort((a, b) => RANK[b] - RANK[a])[0] ?? null
}

/** Texts at a claim, or at a path into one: `realm_access.roles`. A claim of exactly that name (`https://x.example/roles`) comes first. */
function valuesAt(claims: Record<string, unknown>, path: string): string[] {
  let found: unknown = claims
  if (Object.hasOwn(claims, path)) found = claims[path]
  else
    for (const step of path.split('.'))
      found =
        typeof found === 'object' && found !== null && Object.hasOwn(found, step)
          ? (found as Record<string, unknown>)[step]
          : undefined
  return (Array.isArray(found) ? found : [found]).filter((value) => typeof value === 'string')
}
