import { GatewayError } from '../../errors.ts'
import type { Visit } from '../frame/visit.ts'

/** What an id of the audit log stands for now. `href`: where there is a page of it. */
export type Named = { label: string; href: string }

/** The ids among these of what is still there, by id. Each is looked up once. */
export async function nameTargets(visit: Visit, ids: readonly (string | null)[]): Promise<Map<string, Named>> {
  const unique = [...new Set(ids.filter((id) => id !== null))]
  const found = await Promise.all(unique.map(async (id) => [id, await nameOf(visit, id)] as const))
  return new Map(found.flatMap(([id, named]) => (named === null ? [] : [[id, named] as const])))
}

async function nameOf({ ctx, reads, may }: Visit, id: string): Promise<Named | null> {
  const at = (path: string) => `/admin/${path}/${encodeURIComponent(id)}`
  switch (id.slice(0, id.indexOf('_'))) {
    case 'tok': {
      const token = await orNull(reads.token(id))
      return token && { label: token.name ?? `…${token.last4}`, href: at('tokens') }
    }
    case 'proj': {
      const project = await orNull(reads.project(id))
      return project && { label: project.name, href: at('projects') }
    }
    case 'rte': {
      const route = await ctx.store.routes.get(id)
      return route && { label: route.pattern, href: '/admin/routing' }
    }
    case 'usr': {
      const user = may('manage_users') ? await ctx.store.adminUsers.get(id) : null
      return user && { label: user.name, href: at('settings/users') }
    }
    default:
      return null
  }
}

const orNull = <T>(found: Promise<T>): Promise<T | null> =>
  found.catch((error) => {
    if (error instanceof GatewayError && error.code === 'not_found') return null
    throw error
  })
