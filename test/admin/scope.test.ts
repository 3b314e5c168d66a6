import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { PAGES } from '../../src/admin/pages.ts'
import { may } from '../../src/domain/permissions.ts'
import { crawl } from './crawl.ts'
import { startConsole, type TestConsole, type Visitor } from './helpers.ts'
import { fillWithHostility } from './hostile.ts'

let house: TestConsole
let own: Awaited<ReturnType<typeof fillWithHostility>>
let other: Awaited<ReturnType<typeof fillWithHostility>>
let restricted: Visitor
/** In every name and text of the other project. */
const MARK = 'ForeignSecretName'

beforeAll(async () => {
  house = await startConsole()
  own = await fillWithHostility(house.ctx, 'OwnName')
  other = await fillWithHostility(house.ctx, MARK)
  restricted = await house.as('viewer', own.project.id)
}, 60_000)
afterAll(() => house.stop())

const parameters = () => ({
  project: [other.project.id],
  token: [other.token.id],
  request: [other.rows[0]!.requestId],
})

/** Every page there is, asked for the other project's things by id. */
function foreignPaths(): string[] {
  const { project, token, request } = parameters()
  const ids = [...project, ...token, ...request]
  const byId = PAGES.flatMap(({ path }) =>
    path.includes(':')
      ? ids.map((id) => `/admin${path.replace(/:\w+/g, encodeURIComponent(id))}`)
      : [`/admin${path === '/' ? '' : path}`],
  )
  const filters = [
    `project=${project[0]}`,
    `project_id=${project[0]}`,
    `token=${token[0]}`,
    `token_id=${token[0]}`,
    `q=${MARK}`,
    `q=${token[0]}`,
    `q=${request[0]}`,
    `model=${MARK}`,
    'by=token',
    'by=project',
    'by=model',
    'by=metadata.team',
    `after=${request[0]}`,
  ]
  const plain = byId.filter((path) => !path.includes('_'))
  return [...byId, ...plain.flatMap((path) => filters.map((filter) => `${path}?${filter}`))].flatMap((path) => [
    path,
    `${path}${path.includes('?') ? '&' : '?'}format=csv`,
  ])
}

describe('a viewer who is restricted to one project', () => {
  it('reads nothing of another one on any page that links lead to', async () => {
    const pages = await crawl(restricted, ['/admin'])
    expect(pages.size).toBeGreaterThan(5)
    const names = [MARK, other.project.id, other.token.id, other.rows[0]!.requestId]
    for (const [path, { html, status }] of pages) {
      expect([path, status]).toEqual([path, expect.any(Number)])
      expect(names.filter((name) => html.includes(name)).map((name) => `${path}: ${name}`)).toEqual([])
    }
    expect([...pages.values()].some(({ html }) => html.includes(own.token.id))).toBe(true)
  })

  it('nor on any page asked for by id, filter, cursor or as CSV', async () => {
    const found: string[] = []
    for (const path of foreignPaths()) {
      const { html, status } = await restricted.get(path)
      // What was asked for may be repeated, in a field or a title: what is there may not.
      const asked = decodeURIComponent(path)
      const names = [MARK, other.project.name, other.token.last4 === '' ? MARK : `…${other.token.last4}`].filter(
        (name) => !asked.includes(name),
      )
      if (status >= 500) found.push(`${path} ${status}`)
      found.push(...names.filter((name) => html.includes(name)).map((name) => `${path}: ${name}`))
    }
    expect(found).toEqual([])
  }, 60_000)

  it('while one who is not restricted reads it', async () => {
    const viewer = await house.as('viewer')
    const { html } = await viewer.get('/admin/projects')
    expect(html).toContain(MARK)
  })

  it('is told of other projects as if they were not there', async () => {
    const missing = await restricted.get('/admin/projects/proj_nothing')
    const foreign = await restricted.get(`/admin/projects/${other.project.id}`)
    expect(foreign.status).toBe(404)
    expect(foreign.html.replaceAll(other.project.id, 'ID').replace(/Z?\d+ min/g, '')).toBe(
      missing.html.replaceAll('proj_nothing', 'ID'),
    )
  })

  it('sees no page of the gateway itself, and no way there', async () => {
    for (const { path, needs = 'read', nav } of PAGES) {
      if (may(restricted.user, needs) || path.includes(':')) continue
      const answer = await restricted.get(`/admin${path}`)
      expect([path, answer.status]).toEqual([path, 403])
      if (nav) expect((await restricted.get('/admin')).html).not.toContain(`href="/admin${path}"`)
    }
  })
})

describe('roles', () => {
  it.each(['viewer', 'admin'] as const)(
    'a %s can do nothing that the role does not allow, whatever is sent',
    async (role) => {
      const visitor = await house.as(role)
      for (const { path, actions = {} } of PAGES) {
        for (const [name, { needs }] of Object.entries(actions)) {
          if (may(visitor.user, needs)) continue
          const at = `/admin${path === '/' ? '' : path.replace(/:\w+/g, own.project.id)}/${name}`
          const { status } = await visitor.post(at, { name: 'x' })
          expect([at, status]).toEqual([at, 403])
          const { data } = await house.ctx.store.audit.list(
            { actor: `admin:${visitor.user.name}`, outcome: 'denied' },
            { limit: 1 },
          )
          expect(data).toHaveLength(1)
        }
      }
    },
  )

  it('a viewer acts on nothing at all', () => {
    const viewer = { role: 'viewer' as const, projectId: null }
    const open = PAGES.flatMap(({ path, actions = {} }) =>
      Object.entries(actions)
        .filter(([, { needs }]) => may(viewer, needs))
        .map(([name]) => `${path}/${name}`),
    )
    // Their own account, and what only looks.
    expect(open.filter((action) => !action.startsWith('/account/'))).toEqual([])
  })
})
