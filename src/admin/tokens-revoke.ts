import { revokeToken } from '../domain/tokens.ts'
import { validationError } from '../domain/validate.ts'
import type { Project, Token } from '../store/store.ts'
import { type ShownState, stateOf } from './access/token-state.ts'
import { count } from './frame/format.ts'
import { definePage } from './frame/page.ts'
import type { Visit } from './frame/visit.ts'

/** What a page of the list can tick. */
const MAX_AT_ONCE = 200

/** `rows`: those that are not revoked yet. */
type Data = { rows: { token: Token; project: Project | null; state: ShownState }[]; alreadyRevoked: number }

/** The second step of revoking several: what would be revoked, and how many they are, to be typed. */
export const tokensRevoke = definePage<Data>({
  path: '/tokens/revoke',
  title: 'Revoke tokens',
  view: 'tokens-revoke',
  crumbs: () => [{ label: 'Tokens', href: '/admin/tokens' }],
  needs: 'write',
  async load(visit) {
    const { reads, now } = visit
    const named = await namedTokens(visit)
    const projects = new Map((await reads.projects()).map((project) => [project.id, project]))
    const rows = named
      .filter(({ revokedAt }) => revokedAt === null)
      .map((token) => {
        const project = projects.get(token.projectId) ?? null
        return { token, project, state: stateOf(token, project, now) }
      })
    return { rows, alreadyRevoked: named.length - rows.length }
  },
  actions: {
    confirm: {
      needs: 'write',
      async run(visit, form) {
        const { parts, actor } = visit
        const working = (await namedTokens(visit)).filter(({ revokedAt }) => revokedAt === null)
        if (form.text('count') !== String(working.length) || working.length === 0)
          throw validationError([{ field: 'count', reason: `must be ${working.length}, the number of tokens below` }])
        for (const { id } of working) await revokeToken(parts, actor, id)
        return { to: '/admin/tokens', notice: `${count(working.length, 'token')} revoked.` }
      },
    },
  },
})

/** Those of the address, as `?token=a&token=b`; those that are gone are left out. */
async function namedTokens({ query, reads }: Visit): Promise<Token[]> {
  const ids = [...new Set(query.all('token'))].slice(0, MAX_AT_ONCE)
  return (await reads.tokens({ ids }, { limit: MAX_AT_ONCE })).data
}
