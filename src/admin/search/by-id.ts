import { hashToken, looksLikeToken } from '../../domain/secrets.ts'
import type { Visit } from '../frame/visit.ts'
import { orNull } from '../names.ts'

/** Where an id, or a whole token, leads; null: nowhere that this visitor may see. */
export async function findById(visit: Visit, query: string): Promise<{ to: string; notice?: string } | null> {
  if (looksLikeToken(query)) return findSecret(visit, query)
  const kind = /^(tok|proj|req|key|rte)_[\w-]{1,100}$/.exec(query)?.[1]
  const path = kind === undefined ? null : await PATHS[kind]!(visit, query)
  return path === null ? null : { to: `/admin${path}` }
}

const PATHS: Record<string, (visit: Visit, id: string) => Promise<string | null>> = {
  tok: async ({ reads }, id) => (await orNull(reads.token(id))) && `/tokens/${id}`,
  proj: async ({ reads }, id) => (await orNull(reads.project(id))) && `/projects/${id}`,
  req: async ({ reads }, id) => (await orNull(reads.request(id))) && `/requests/${id}`,
  key: async ({ reads }, id) => {
    const key = await orNull(reads.providerKey(id))
    return key && `/projects/${key.projectId}`
  },
  rte: async ({ may, ctx }, id) => {
    if (!may('read_gateway') || (await ctx.store.routes.get(id)) === null) return null
    return may('write') ? `/routing/${id}/edit` : '/routing'
  },
}

/** By its hash, as for a request: the token itself goes nowhere. */
async function findSecret({ reads, ctx }: Visit, secret: string) {
  const found = await ctx.store.tokens.findByHash(hashToken(secret))
  const token = found && (await orNull(reads.token(found.token.id)))
  return (
    token && {
      to: `/admin/tokens/${token.id}`,
      notice: 'Found by the token itself. Better search by id: an address is remembered by browsers and proxies.',
    }
  )
}
