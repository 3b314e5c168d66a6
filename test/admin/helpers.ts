import { openSession } from '../../src/domain/admin-sessions.ts'
import { createAdminUser } from '../../src/domain/admin-users.ts'
import { SYSTEM } from '../../src/domain/audit.ts'
import { newRequestId } from '../../src/ids.ts'
import type { AdminRole, AdminUser, LedgerRow } from '../../src/store/store.ts'
import { startTestGateway, type TestGateway } from '../helpers/gateway.ts'

export const PASSWORD = 'plum harbour lantern 42'

export type Answer = { status: number; headers: Headers; html: string; location: string | null }

/** Somebody with a browser without scripts: keeps cookies, follows nothing by itself. */
export type Visitor = {
  user: AdminUser
  cookies: Map<string, string>
  get(path: string, headers?: Record<string, string>): Promise<Answer>
  /** Sends a form with the token that the console gave this visitor. */
  post(path: string, fields?: Record<string, string | string[]>, headers?: Record<string, string>): Promise<Answer>
  /** What every form of this visitor carries. */
  csrf(): Promise<string>
}

export type TestConsole = TestGateway & {
  /** Signed in, as a user of this role that is made for it; `projectId`: restricted to it. */
  as(role: AdminRole, projectId?: string): Promise<Visitor>
  /** Nobody in particular. */
  stranger(): Visitor
}

/** The real gateway with its console. Users are made by the domain; sign-in by password is tested where it is meant. */
export async function startConsole(options: Parameters<typeof startTestGateway>[0] = {}): Promise<TestConsole> {
  const gateway = await startTestGateway(options)
  const { ctx } = gateway
  let users = 0
  const as = async (role: AdminRole, projectId?: string): Promise<Visitor> => {
    // The first user is an owner.
    if (role !== 'owner' && (await ctx.store.adminUsers.count()) === 0) await as('owner')
    const name = `${role}-${++users}@example.com`
    const input = { name, role, password: PASSWORD, ...(projectId !== undefined && { project_id: projectId }) }
    const user = await createAdminUser(ctx, SYSTEM, input)
    const { store, now, admin } = ctx
    const client = { ip: '127.0.0.1', userAgent: 'test' }
    const { secret } = await openSession({ store, now, sessionLimits: admin.sessionLimits }, user, 'password', client)
    return visitor(gateway.url, user, secret)
  }
  return { ...gateway, as, stranger: () => visitor(gateway.url, null as never) }
}

function visitor(url: string, user: AdminUser, secret?: string): Visitor {
  const cookies = new Map<string, string>()
  if (secret !== undefined) cookies.set('llm_proxy_session', secret)
  let token: string | null = null

  const send = async (method: string, path: string, headers: Record<string, string>, body?: URLSearchParams) => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(url + path, {
      method,
      redirect: 'manual',
      headers: { ...(cookie && { cookie }), ...headers },
      ...(body && { body }),
    })
    for (const set of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(set)!
      if (value === '') cookies.delete(name!)
      else cookies.set(name!, value!)
    }
    return {
      status: response.status,
      headers: response.headers,
      html: await response.text(),
      location: response.headers.get('location'),
    }
  }
  const csrf = async () => {
    token ??= csrfIn((await send('GET', user ? '/admin' : '/admin/sign-in', {})).html)
    return token
  }
  return {
    user,
    cookies,
    csrf,
    get: (path, headers = {}) => send('GET', path, headers),
    async post(path, fields = {}, headers = {}) {
      const body = new URLSearchParams('_csrf' in fields ? {} : { _csrf: await csrf() })
      for (const [name, value] of Object.entries(fields)) {
        for (const one of [value].flat()) body.append(name, one)
      }
      return send('POST', path, headers, body)
    },
  }
}

/** What a reader sees of a page, without tags and with single blanks. */
export const textOf = ({ html }: Pick<Answer, 'html'>) =>
  html
    .replace(/<[^>]*>/g, ' ')
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
    .replace(/&(lt|gt|amp|quot);/g, (_, name: string) => ({ lt: '<', gt: '>', amp: '&', quot: '"' })[name]!)
    .replace(/\s+/g, ' ')

export function csrfIn(html: string): string {
  const found = /name="_csrf" value="([^"]+)"/.exec(html)?.[1]
  if (found === undefined) throw new Error('There is no form with a token on this page.')
  return found
}

/** A request that went well a moment ago, but for what is said otherwise. */
export function aRequest(fields: Partial<LedgerRow> = {}): LedgerRow {
  const at = fields.at ?? Date.now() - 1000
  return {
    requestId: newRequestId(at),
    at,
    tokenId: null,
    projectId: null,
    method: 'POST',
    endpoint: '/v1/chat/completions',
    model: 'gpt-4o-mini',
    provider: 'openai',
    servedModel: 'gpt-4o-mini-2024-07-18',
    attempts: [
      { provider: 'openai', model: 'gpt-4o-mini', outcome: 'answered', status: 200, durationMs: 480, error: null },
    ],
    status: 200,
    stream: true,
    latencyMs: 500,
    firstTokenMs: 120,
    usage: {
      inputTokens: 1200,
      outputTokens: 300,
      cachedTokens: 200,
      cacheWriteTokens: 0,
      reasoningTokens: 0,
      details: null,
      source: 'reported',
    },
    estimateReason: null,
    costNanoUsd: 345_000n,
    priceSource: 'genai-prices 0.1.8',
    reservedNanoUsd: null,
    cache: 'miss',
    error: null,
    changes: [],
    requestBytes: 2048,
    responseBytes: 8192,
    ...fields,
  }
}

/** Writes rows as if the requests had been made. */
export async function keep({ ctx }: Pick<TestGateway, 'ctx'>, rows: LedgerRow[]): Promise<void> {
  await ctx.store.ledger.append({ rows, opens: [], takes: [], counts: new Map(), at: ctx.now() })
}
