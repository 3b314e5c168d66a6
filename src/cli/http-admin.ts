import { DEFAULT_PROJECT } from '../domain/default-project.ts'
import { ERROR_CODES, type ErrorCode, GatewayError } from '../errors.ts'
import type { PresentedReprice } from '../usage/maintenance/reprice-api.ts'
import { VERSION } from '../version.ts'
import {
  type Admin,
  type CreatedToken,
  collect,
  type Explanation,
  type List,
  type Price,
  type Project,
  type ProviderKey,
  type Route,
  type Token,
  type Usage,
} from './client.ts'
import { CliError, noSuchProject } from './failure.ts'
import { reasonOf } from './http.ts'
import { printable } from './text.ts'

const TIMEOUT_MS = 30_000
/** Pricing requests anew takes a second for some ten thousand of them. */
const REPRICE_MS = 280_000

/** Works through /manage of the gateway at `url`. */
export function createHttpAdmin({ url, token }: { url: string; token: string }): Admin {
  const call = (method: string, path: string, body?: object, timeoutMs?: number) =>
    callManage({ url, token }, method, path, body, timeoutMs)
  const object = async <T>(method: string, path: string, body?: object) => (await call(method, path, body)) as T

  async function list<T>(path: string, query: Record<string, string | number | boolean | undefined>): Promise<List<T>> {
    const given = new URLSearchParams()
    for (const [name, value] of Object.entries(query)) if (value !== undefined) given.set(name, String(value))
    const answer = (await call('GET', `${path}?${given}`)) as List<T>
    if (!Array.isArray(answer.data)) throw notAGateway(url)
    return answer
  }

  const admin: Admin = {
    listProjects: (page) => list<Project>('/projects', page),
    async findProject(idOrName) {
      if (idOrName.startsWith('proj_')) {
        const found = await object<Project>('GET', `/projects/${encodeURIComponent(idOrName)}`).catch(nullWhenNotFound)
        if (found) return found
      }
      const { data } = await collect(admin.listProjects, { limit: Number.POSITIVE_INFINITY })
      const named = data.find(({ id, name }) => name === idOrName || id === idOrName)
      if (!named) throw noSuchProject()
      return named
    },
    defaultProject: () => admin.findProject(DEFAULT_PROJECT),
    createProject: (fields) => object<Project>('POST', '/projects', fields),
    updateProject: (id, fields) => object<Project>('PATCH', `/projects/${id}`, fields),
    async deleteProject(id) {
      await call('DELETE', `/projects/${id}`)
    },
    addProviderKey: (projectId, fields) => object<ProviderKey>('POST', `/projects/${projectId}/provider-keys`, fields),
    async deleteProviderKey(projectId, keyId) {
      await call('DELETE', `/projects/${projectId}/provider-keys/${encodeURIComponent(keyId)}`)
    },
    listTokens: ({ projectId, activeOnly }, page) =>
      list<Token>('/tokens', { project_id: projectId, active_only: activeOnly, ...page }),
    getToken: (id) => object<Token>('GET', `/tokens/${encodeURIComponent(id)}`),
    createToken: (fields) => object<CreatedToken>('POST', '/tokens', fields),
    updateToken: (id, fields) => object<Token>('PATCH', `/tokens/${encodeURIComponent(id)}`, fields),
    revokeToken: (id) => object<Token>('POST', `/tokens/${encodeURIComponent(id)}/revoke`),
    async revokeProjectTokens(projectId) {
      return (await object<{ revoked: number }>('POST', `/projects/${projectId}/tokens/revoke`)).revoked
    },
    async deleteToken(id) {
      await call('DELETE', `/tokens/${encodeURIComponent(id)}`)
    },
    explain: (fields) => object<Explanation>('POST', '/explain', fields),
    listRoutes: async () => (await list<Route>('/routes', {})).data,
    async listPrices(filter) {
      return (await list<Price>('/prices', filter)).data
    },
    async usage({ groupBy, provider, from, to }) {
      const time = (at: number | undefined) => (at === undefined ? undefined : new Date(at).toISOString())
      const query = { group_by: groupBy.join(','), provider, from: time(from), to: time(to) }
      return (await list<Usage>('/usage', query)).data
    },
    reprice: async (fields) => (await call('POST', '/prices/reprice', fields, REPRICE_MS)) as PresentedReprice,
    async firstRequest() {
      return { url, demo: (await object<{ demo?: unknown }>('GET', '/status')).demo === true }
    },
    close: async () => {},
  }
  return admin
}

type Place = { url: string; token: string }

/** The answer's JSON object, null for 204. Throws the gateway's own `GatewayError`, or `CliError`. */
async function callManage(
  { url, token }: Place,
  method: string,
  path: string,
  body?: object,
  timeoutMs = TIMEOUT_MS,
): Promise<unknown> {
  const answer = await fetch(`${url}/manage${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      'user-agent': `llm-proxy-cli/${VERSION}`,
      ...(body && { 'content-type': 'application/json' }),
    },
    body: body ? JSON.stringify(body) : null,
    // The token is for this address alone.
    redirect: 'manual',
    signal: AbortSignal.timeout(timeoutMs),
  }).catch((cause) => {
    throw new CliError(
      `No gateway answers at ${url}: ${reasonOf(cause)}. Start it ("llm-proxy server"), or leave out --url to work on its database.`,
    )
  })
  if (answer.status === 204) return null
  const movedTo = answer.status >= 300 && answer.status < 400 ? answer.headers.get('location') : null
  if (movedTo !== null) throw new CliError(`${url} redirects to ${printable(movedTo)}: say that address with --url.`)
  const json = await answer.json().catch(() => null)
  if (answer.status === 401) {
    throw new CliError(
      `The gateway at ${url} refuses this management token: set MANAGEMENT_TOKEN, or say --management-token.`,
    )
  }
  if (typeof json !== 'object' || json === null) throw notAGateway(url)
  if (answer.ok) return json
  throw toGatewayError((json as { error?: unknown }).error) ?? notAGateway(url)
}

function toGatewayError(error: unknown): GatewayError | null {
  const { code, message, details } = Object(error) as Record<string, unknown>
  if (!ERROR_CODES.includes(code as ErrorCode) || typeof message !== 'string') return null
  return new GatewayError(code as ErrorCode, { message, details: Object(details) })
}

function nullWhenNotFound(error: unknown): null {
  if (error instanceof GatewayError && error.code === 'not_found') return null
  throw error
}

const notAGateway = (url: string) =>
  new CliError(`What answers at ${url} is not the management API of an LLM Proxy: look at --url.`)
