import type { Request } from 'express'
import type { AppContext } from '../../context.ts'
import type { Client } from '../../domain/admin-sessions.ts'
import { type Actor, adminActor } from '../../domain/audit.ts'
import type { Parts } from '../../domain/parts.ts'
import { may, type Permission } from '../../domain/permissions.ts'
import { providerNamesOf } from '../../providers/index.ts'
import type { AdminSession, AdminUser } from '../../store/store.ts'
import { createForm, type Form } from './form.ts'
import { createReads, type Reads } from './reads.ts'

/** Somebody who has signed in looks at a page, or acts on it. */
export type Visit = {
  ctx: AppContext
  user: AdminUser
  session: AdminSession
  may(permission: Permission): boolean
  /** All that a page shows of projects comes from here: it knows what this visitor may see. */
  reads: Reads
  /** What the domain functions work with. */
  parts: Parts
  /** Who acts, for the audit log. */
  actor: Actor
  /** Of the path: `:id`. */
  params: Readonly<Record<string, string>>
  /** Of the address. */
  query: Form
  /** Path and query, as `/admin/tokens?state=active`. */
  url: string
  /** Where clients reach the gateway, as far as it is known here: PUBLIC_URL, or the address that the visitor uses. */
  origin: string
  /** Milliseconds since the epoch. */
  now: number
  /** Why an action on this page was refused, with what was typed. */
  failure: Failure | null
}

export type Failure = {
  action: string
  message: string
  /** Reasons by the names of fields. */
  fields: Readonly<Record<string, string>>
  values: Readonly<Record<string, string>>
}

export function createVisit(
  ctx: AppContext,
  req: Request,
  { user, session }: { user: AdminUser; session: AdminSession },
): Visit {
  return {
    ctx,
    user,
    session,
    may: (permission) => may(user, permission),
    reads: createReads(ctx, user.projectId),
    parts: {
      store: ctx.store,
      sealer: ctx.sealer,
      now: ctx.now,
      providerNames: providerNamesOf(ctx.config),
      defaultProvider: ctx.config.defaultProvider,
    },
    actor: adminActor(user, clientOf(req)),
    params: req.params as Record<string, string>,
    query: createForm(req.query),
    url: req.originalUrl,
    origin: originOf(ctx, req),
    now: ctx.now(),
    failure: null,
  }
}

/** Where a request comes from. */
export const clientOf = (req: Request): Client => ({ ip: req.ip ?? null, userAgent: req.get('user-agent') ?? null })

/** Where people reach this gateway: `PUBLIC_URL`, or what this visitor used. Without a slash at its end. */
export const originOf = ({ config }: Pick<AppContext, 'config'>, req: Request): string =>
  config.admin.publicUrl ?? `${req.protocol}://${req.headers.host ?? 'localhost'}`
