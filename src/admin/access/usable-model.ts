import type { Project, Token } from '../../store/store.ts'
import type { Visit } from '../frame/visit.ts'

const DAYS_MS = 30 * 86_400_000
const MAX_TRIES = 12
/** What people begin with, where nothing else is known. Each names its provider, so that it is asked of no other. */
const USUAL = [
  'openai:gpt-4o-mini',
  'anthropic:claude-haiku-4-5',
  'gemini:gemini-2.5-flash',
  'mistral:mistral-small-latest',
]
/** The same for the built-in demo provider. */
const DEMO = 'demo'

/** A model for a first try with this token, of which the gateway says that it would serve it now. Null: none was found. */
export async function usableModel(visit: Visit, token: Token, project: Project): Promise<string | null> {
  for (const model of (await candidates(visit, token, project)).slice(0, MAX_TRIES)) {
    const { served } = await visit.ctx.explain({
      tokenId: token.id,
      projectId: null,
      endpoint: '/v1/chat/completions',
      headers: {},
      request: { model, messages: [{ role: 'user', content: 'Say hello.' }] },
    })
    if (served) return model
  }
  return null
}

async function candidates({ ctx, reads, now }: Visit, token: Token, project: Project): Promise<string[]> {
  const filter = { projectId: project.id, endpoint: '/v1/chat/completions', from: now - DAYS_MS }
  const [{ rows }, { routes }] = await Promise.all([
    reads.usage({ groupBy: ['model'], filter, top: 4, times: false }),
    ctx.routing.current(),
  ])
  const isName = (model: string) => !model.includes('*')
  const used = rows.filter(({ requests, errors }) => requests > errors).flatMap(({ keys }) => keys[0] ?? [])
  const own = ctx.providers
    .list()
    .flatMap(({ name, ownModels }) => (ownModels?.[0] ? `${name}:${ownModels[0].id}` : []))
  return [
    ...new Set([
      ...[...(token.allowedModels ?? []), ...(project.allowedModels ?? [])].filter(isName).slice(0, 4),
      ...used,
      DEMO,
      ...routes
        .map(({ pattern }) => pattern)
        .filter(isName)
        .slice(0, 2),
      ...USUAL,
      ...own,
    ]),
  ]
}
