import { join } from 'node:path'
import type { presentProject, presentProviderKey, presentToken, presentUsage } from '../domain/present.ts'
import type { PresentedRoute } from '../domain/routes.ts'
import type { UsageGroup } from '../store/store.ts'
import type { PresentedReprice } from '../usage/maintenance/reprice-api.ts'
import type { presentPrice } from '../usage/prices/present.ts'
import { CliError } from './failure.ts'
import { isLoopback, parseGatewayUrl, requireHeaderText } from './http.ts'
import type { Io } from './io.ts'
import { loadConfiguration, MANAGEMENT_TOKEN_FILE, readIfThere } from './local.ts'

/* Both ways to a gateway's objects speak the wire format of /manage: what they give is what `--json` prints. */
export type Project = ReturnType<typeof presentProject>
export type ProviderKey = ReturnType<typeof presentProviderKey>
export type Token = ReturnType<typeof presentToken>
/** What `POST /manage/explain` answers, as far as people read it. */
export type Explanation = {
  error: { code: string; message: string; status: number } | null
  model: string | null
  rule: string | null
  route: string | null
  strategy: string | null
  max_retries: number | null
  recovery: string | null
  stops: {
    step: number
    provider: string
    model: string | null
    key_id: string
    dialect: string | null
    translated: boolean
    dropped: string[]
    error: { message: string } | null
    takes_requests: boolean
    key_rests_until: string | null
    highest_cost_usd: string | null
  }[]
}
export type Route = PresentedRoute
export type Price = ReturnType<typeof presentPrice>
export type Usage = ReturnType<typeof presentUsage>
export type CreatedToken = Token & { token: string }

export type Page = { limit: number; after?: string }
export type List<T> = { data: T[]; has_more: boolean; next_cursor: string | null }
export type PriceFilter = { provider?: string; model?: string }
/** Times in milliseconds since the epoch; `from` inclusive, `to` exclusive. */
export type UsageQuery = { groupBy: readonly UsageGroup[]; provider?: string; from: number; to?: number }
export type TokenFilter = { projectId?: string; activeOnly?: boolean }
type Fields = Record<string, unknown>

/** What the commands do to a gateway's objects, in its database or through its API. Every method throws what `explain` can tell. */
export interface Admin {
  /** Newest first, as all lists. */
  listProjects(page: Page): Promise<List<Project>>
  /** By id or name. Throws when there is none. */
  findProject(idOrName: string): Promise<Project>
  /** The one for tokens that name none. */
  defaultProject(): Promise<Project>
  createProject(fields: Fields): Promise<Project>
  updateProject(id: string, fields: Fields): Promise<Project>
  deleteProject(id: string): Promise<void>
  addProviderKey(projectId: string, fields: Fields): Promise<ProviderKey>
  deleteProviderKey(projectId: string, keyId: string): Promise<void>
  listTokens(filter: TokenFilter, page: Page): Promise<List<Token>>
  getToken(id: string): Promise<Token>
  createToken(fields: Fields): Promise<CreatedToken>
  updateToken(id: string, fields: Fields): Promise<Token>
  revokeToken(id: string): Promise<Token>
  /** How many had not been revoked yet. */
  revokeProjectTokens(projectId: string): Promise<number>
  deleteToken(id: string): Promise<void>
  /** Those of the configuration file first. */
  listRoutes(): Promise<Route[]>
  /** What would become of a request: only a running gateway knows. */
  explain(fields: Fields): Promise<Explanation>
  /** As they are now; `model` is a name as requests say it, or a glob. */
  listPrices(filter: PriceFilter): Promise<Price[]>
  /** Prices past requests anew, or says what that would change. */
  reprice(fields: Fields): Promise<PresentedReprice>
  /** Sums of the ledger. */
  usage(query: UsageQuery): Promise<Usage[]>
  /** What a first request needs: where clients reach the gateway, and whether its demo model answers. */
  firstRequest(): Promise<{ url: string; demo: boolean }>
  close(): Promise<void>
}

export type AdminOptions = { url?: string; managementToken?: string }

/** Runs `work` on the gateway at `--url`, without one on the database in DATA_DIR, which `create` may make. */
export async function withAdmin<T>(
  io: Io,
  options: AdminOptions,
  work: (admin: Admin) => Promise<T>,
  { create = false } = {},
): Promise<T> {
  const url = options.url ?? (io.env.LLM_PROXY_URL || undefined)
  const isRemote = url !== undefined
  const admin = isRemote ? await openHttp(io, url, options.managementToken) : await openStored(io, options, create)
  try {
    return await work(admin)
  } finally {
    await admin.close()
  }
}

/** The rows that were asked for, from as many pages as it takes. */
export async function collect<T>(
  fetchPage: (page: Page) => Promise<List<T>>,
  { limit, after }: { limit: number; after?: string },
): Promise<List<T>> {
  const data: T[] = []
  for (let cursor = after; ; ) {
    const page = await fetchPage({ limit: Math.min(limit - data.length, MAX_PAGE), after: cursor })
    data.push(...page.data)
    if (!page.has_more || page.next_cursor === null || data.length >= limit) return { ...page, data }
    cursor = page.next_cursor
  }
}

const MAX_PAGE = 200

async function openStored(io: Io, { managementToken }: AdminOptions, create: boolean): Promise<Admin> {
  if (managementToken !== undefined) {
    throw new CliError('--management-token is for a running gateway: say its address with --url too.', 2)
  }
  const { openStoreAdmin } = await import('./store-admin.ts')
  return openStoreAdmin(io, { create })
}

async function openHttp(io: Io, address: string, given: string | undefined): Promise<Admin> {
  const url = parseGatewayUrl(address)
  const token = given ?? (io.env.MANAGEMENT_TOKEN || (await findManagementToken(io, url)))
  if (!token) {
    throw new CliError(
      `A management token is needed for ${url}: set MANAGEMENT_TOKEN, or say --management-token (the gateway keeps its own in ${MANAGEMENT_TOKEN_FILE}, in its DATA_DIR).`,
      2,
    )
  }
  requireHeaderText(token, 'The management token')
  const { createHttpAdmin } = await import('./http-admin.ts')
  return createHttpAdmin({ url, token })
}

/** The token of the gateway that belongs to this folder. Another machine is not sent it. */
async function findManagementToken(io: Io, url: string): Promise<string | null> {
  if (!isLoopback(url)) return null
  const { config } = await loadConfiguration(io)
  return config.managementToken ?? readIfThere(join(config.dataDir, MANAGEMENT_TOKEN_FILE))
}
