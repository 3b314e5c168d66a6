import { GatewayError } from '../errors.ts'
import type { Project, Token } from '../store/store.ts'
import type { Reads } from './frame/reads.ts'

/** How a page calls the tokens and projects that its rows name, where they are still there. */
export type Names = { tokens: ReadonlyMap<string, Token>; projects: ReadonlyMap<string, Project> }

type Ids = { tokenId: string | null; projectId: string | null }

/** Of the rows of one page: each token and project is read once. */
export async function readNames(reads: Pick<Reads, 'token' | 'project'>, rows: readonly Ids[]): Promise<Names> {
  const [tokens, projects] = await Promise.all([
    readEach(
      rows.map(({ tokenId }) => tokenId),
      reads.token,
    ),
    readEach(
      rows.map(({ projectId }) => projectId),
      reads.project,
    ),
  ])
  return { tokens, projects }
}

/** The name of a token, or the end of its secret. */
export const tokenLabel = ({ name, last4 }: Pick<Token, 'name' | 'last4'>): string => name ?? `…${last4}`

async function readEach<T>(ids: (string | null)[], read: (id: string) => Promise<T>): Promise<Map<string, T>> {
  const found = new Map<string, T>()
  const readOne = async (id: string) => {
    const one = await orNull(read(id))
    if (one !== null) found.set(id, one)
  }
  await Promise.all([...new Set(ids)].filter((id) => id !== null).map(readOne))
  return found
}

/** What is not there, or not for this visitor, is null. */
export async function orNull<T>(reading: Promise<T>): Promise<T | null> {
  try {
    return await reading
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'not_found') return null
    throw error
  }
}
