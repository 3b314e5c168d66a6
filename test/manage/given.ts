import { afterAll, expect } from '@jest/globals'
import { MANAGEMENT_TOKEN, startTestGateway, type TestGateway } from '../helpers/gateway.ts'

export type Answer = { status: number; headers: Headers; text: string; body: Body }
/** What the API answers with: the fields that tests go on with, by their types; all others are for `toEqual`. */
export type Body = Record<string, unknown> & {
  id: string
  token: string
  data: Body[]
  has_more: boolean
  next_cursor: string | null
  provider_keys: Body[]
}

type Ask = { body?: unknown; headers?: Record<string, string>; token?: string | null }

const gateways: TestGateway[] = []
afterAll(async () => {
  for (const gateway of gateways) await gateway.stop()
})

/** A running gateway and a client of its management API. A `body` that is text is sent as it is. */
export async function given(options: Parameters<typeof startTestGateway>[0] = {}) {
  const gateway = await startTestGateway(options)
  gateways.push(gateway)

  const call = async (
    method: string,
    path: string,
    { body, headers, token = MANAGEMENT_TOKEN }: Ask = {},
  ): Promise<Answer> => {
    const answer = await fetch(`${gateway.url}${path}`, {
      method,
      headers: { ...(token !== null && { authorization: `Bearer ${token}` }), ...headers },
      body: body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body),
    })
    const text = await answer.text()
    const isJson = answer.headers.get('content-type')?.startsWith('application/json') ?? false
    return {
      status: answer.status,
      headers: answer.headers,
      text,
      body: isJson && text !== '' ? JSON.parse(text) : text,
    }
  }

  const made = async (path: string, body: object): Promise<Body> => {
    const answer = await call('POST', path, { body })
    if (answer.status !== 201) throw new Error(`POST ${path}: ${answer.status} ${answer.text}`)
    return answer.body
  }

  return {
    gateway,
    store: gateway.ctx.store,
    call,
    get: (path: string, headers: Record<string, string> = {}) => call('GET', path, { headers }),
    post: (path: string, body?: unknown) => call('POST', path, { body }),
    patch: (path: string, body?: unknown) => call('PATCH', path, { body }),
    delete: (path: string) => call('DELETE', path),
    project: (fields: object = {}) => made('/manage/projects', { name: `p${++count}`, ...fields }),
    token: async (fields: object = {}) => {
      const project_id = (await made('/manage/projects', { name: `p${++count}` })).id
      return made('/manage/tokens', { project_id, ...fields })
    },
    /** The audit rows that a query finds, newest first. */
    audit: async (query: string): Promise<Body[]> => (await call('GET', `/manage/audit?limit=200&${query}`)).body.data,
    /** All pages of a list, each `limit` long. */
    pages: async (path: string, limit: number): Promise<Body[][]> => {
      const pages: Body[][] = []
      for (let after: string | null = ''; after !== null; ) {
        const { body } = await call(
          'GET',
          `${path}${path.includes('?') ? '&' : '?'}limit=${limit}${after && `&after=${after}`}`,
        )
        pages.push(body.data!)
        if (body.has_more !== (body.next_cursor !== (null as unknown)))
          throw new Error('has_more and next_cursor disagree')
        after = body.next_cursor as string | null
      }
      return pages
    },
  }
}

let count = 0

/** The one shape of errors. */
export const anError = (code: string, fields?: Record<string, string>) => ({
  error: {
    message: expect.any(String),
    type: expect.any(String),
    param: fields ? Object.keys(fields)[0] : null,
    code,
    ...(fields && { details: { fields: Object.entries(fields).map(([field, reason]) => ({ field, reason })) } }),
  },
})
