import { setImmediate } from 'node:timers/promises'
import { GatewayError } from '../errors.ts'
import type { Project, Token } from '../store/store.ts'
import type { Reads } from './frame/reads.ts'

/** How a page calls the tokens and projects that its rows name, where they are still there. */
export type Names = { tokens: ReadonlyMap<string, Token>; projects: ReadonlyMap<string, Project> }

type Ids = { tokenId: string | null; projectId: string | null }

/** Of the rows of one page: each token and project is read once. */
export async function readNames(reads: Pick<Reads, 'tokens' | 'project'>, rows: readonly Ids[]): Promise<Names> {
  const tokenIds = distinct(rows.map(({ tokenId }) => tokenId))
  const projectIds = distinct(rows.map(({ projectId }) => projectId))
  // One question for many tokens: each brings the counts of requests up to date first, which takes a millisecond.
  const tokens = await inParts(tokenIds, 500, async (ids) => (await reads.tokens({ ids }, { limit: ids.length })).data)
  const projects = await inParts(projectIds, 50, (ids) => Promise.all(ids.map((id) => orNull(reads.project(id)))))
  return {
    tokens: new Map(tokens.map((token) => [token.id, token])),
    projects: new Map(projects.filter((project) => project !== null).map((project) => [project.id, project])),
  }
}

/** Of thousands; requests of clients go in between. */
async function inParts<T>(ids: string[], size: number, read: (ids: string[]) => Promise<T[]>): Promise<T[]> {
  const found: T[] = []
  for (let at = 0; at < ids.length; at += size) {
    if (at > 0) await setImmediate()
    found.push(...(await read(ids.slice(at, at + size))))
  }
  return found
}

/** The name of a token, or the end of its secret. */
export const tokenLabel = ({ name, last4 }: Pick<Token, 'name' | 'last4'>): string => name ?? `…${last4}`

/** What is not there, or not for this visitor, is null. */
export async function orNull<T>(reading: Promise<T>): Promise<T | null> {
  try {
    return await reading
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'not_found') return null
    throw error
  }
}

const distinct = (ids: (string | null)[]): string[] => [...new Set(ids)].filter((id) => id !== null)
