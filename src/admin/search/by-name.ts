import type { Project, Token, UsageReportRow } from '../../store/store.ts'
import type { Reads } from '../frame/reads.ts'

export type Found = {
  projects: Project[]
  tokens: Token[]
  models: UsageReportRow[]
}

/** Of each kind; who finds more says more. */
const MAX_FOUND = 20
const MODELS_OF_MS = 30 * 86_400_000

/** What has this text in its name, in any case; tokens also by the last four characters of their secret. */
export async function findByName(reads: Reads, query: string, now: number): Promise<Found> {
  const text = query.toLowerCase()
  const fits = (name: string | null) => name?.toLowerCase().includes(text) === true
  const [tokens, { rows }, projects] = await Promise.all([
    reads.tokens({ search: query }, { limit: MAX_FOUND }),
    reads.usage({ groupBy: ['model'], filter: { from: hourOf(now - MODELS_OF_MS) } }),
    reads.projects(),
  ])
  return {
    projects: projects.filter(({ name }) => fits(name)).slice(0, MAX_FOUND),
    tokens: tokens.data,
    models: rows.filter(({ keys }) => fits(keys[0] ?? null)).slice(0, MAX_FOUND),
  }
}

const hourOf = (at: number) => Math.floor(at / 3_600_000) * 3_600_000
