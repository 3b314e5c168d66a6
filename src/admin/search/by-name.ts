import type { Project, Token, UsageReportRow } from '../../store/store.ts'
import type { Reads } from '../frame/reads.ts'

export type Found = {
  projects: Project[]
  tokens: Token[]
  models: UsageReportRow[]
  /** There are more tokens than were looked through. */
  isPartial: boolean
}

/** Of each kind; who finds more says more. */
const MAX_FOUND = 20
const MAX_TOKENS = 2_000
const PAGE = 200
const MODELS_OF_MS = 30 * 86_400_000

/** What has this text in its name, in any case; tokens also by the last four characters of their secret. */
export async function findByName(reads: Reads, query: string, now: number): Promise<Found> {
  const text = query.toLowerCase()
  const fits = (name: string | null) => name?.toLowerCase().includes(text) === true
  const { tokens, isPartial } = await findTokens(reads, (token) => fits(token.name) || token.last4 === query)
  const { rows } = await reads.usage({ groupBy: ['model'], filter: { from: hourOf(now - MODELS_OF_MS) } })
  return {
    projects: (await reads.projects()).filter(({ name }) => fits(name)).slice(0, MAX_FOUND),
    tokens,
    models: rows.filter(({ keys }) => fits(keys[0] ?? null)).slice(0, MAX_FOUND),
    isPartial,
  }
}

/** The newest first. */
async function findTokens(reads: Reads, isWanted: (token: Token) => boolean) {
  const tokens: Token[] = []
  let after: string | undefined
  for (let seen = 0; seen < MAX_TOKENS; seen += PAGE) {
    const { data, hasMore } = await reads.tokens({}, { limit: PAGE, ...(after !== undefined && { after }) })
    tokens.push(...data.filter(isWanted))
    after = data.at(-1)?.id
    if (!hasMore || tokens.length >= MAX_FOUND) return { tokens: tokens.slice(0, MAX_FOUND), isPartial: false }
  }
  return { tokens, isPartial: true }
}

const hourOf = (at: number) => Math.floor(at / 3_600_000) * 3_600_000
