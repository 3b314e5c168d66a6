import { everyPage } from '../domain/every-page.ts'
import { presentAuditEntry } from '../domain/present.ts'
import { GatewayError } from '../errors.ts'
import type { AuditEntry, AuditFilter, Page, Project } from '../store/store.ts'
import { compare, type Difference } from './audit/compare.ts'
import { type Named, nameTargets } from './audit/names.ts'
import { definePage } from './frame/page.ts'
import type { Visit } from './frame/visit.ts'

const PAGE = 50
/** A spreadsheet of the newest; beyond, the API has everything. */
const MAX_CSV = 5000
const BATCH = 500
const OUTCOMES = ['success', 'failure', 'denied'] as const

type Data = {
  rows: { entry: AuditEntry; differences: Difference[] }[]
  names: Map<string, Named>
  projects: Pick<Project, 'id' | 'name'>[]
  /** As they were typed. */
  filters: Record<(typeof FILTERS)[number], string>
  isFiltered: boolean
  next: string | null
  isFirst: boolean
  maxCsv: number
}

const FILTERS = ['action', 'actor', 'target', 'project', 'outcome', 'from', 'to'] as const

/** Who did what, when, from where, and what it changed. */
export const audit = definePage<Data>({
  path: '/audit',
  title: 'Audit log',
  view: 'audit',
  nav: { icon: 'audit', key: 'a', group: 'Administer' },
  needs: 'read_gateway',
  load,
  async csv({ ctx, query }) {
    const filter = filterOf(query)
    const list = (page: Page) => ctx.store.audit.list(filter, page)
    const rows = await everyPage(list, ({ id }) => id, { limit: BATCH, most: MAX_CSV })
    return { name: 'audit', columns: COLUMNS, rows: rows.map(toCells) }
  },
})

async function load(visit: Visit): Promise<Data> {
  const { ctx, query, reads } = visit
  const after = query.text('after')
  const { data, hasMore } = await ctx.store.audit.list(filterOf(query), {
    limit: PAGE,
    ...(after !== '' && { after }),
  })
  const filters = Object.fromEntries(FILTERS.map((name) => [name, query.text(name)])) as Data['filters']
  return {
    rows: data.map((entry) => {
      const { before, after: then } = presentAuditEntry(entry)
      return { entry, differences: compare(before, then) }
    }),
    names: await nameTargets(
      visit,
      data.flatMap(({ targetId, projectId }) => [targetId, projectId]),
    ),
    projects: (await reads.projects()).map(({ id, name }) => ({ id, name })),
    filters,
    isFiltered: Object.values(filters).some((text) => text !== ''),
    next: hasMore ? (data.at(-1)?.id ?? null) : null,
    isFirst: after === '',
    maxCsv: MAX_CSV,
  }
}

function filterOf(query: Visit['query']): AuditFilter {
  const [action, actor, targetId, projectId] = ['action', 'actor', 'target', 'project'].map((name) => query.text(name))
  const outcome = OUTCOMES.find((one) => one === query.text('outcome'))
  const [from, to] = [timeOf(query, 'from'), timeOf(query, 'to')]
  return {
    ...(action && { action }),
    ...(actor && { actor }),
    ...(targetId && { targetId }),
    ...(projectId && { projectId }),
    ...(outcome && { outcome }),
    ...(from !== null && { from }),
    ...(to !== null && { to }),
  }
}

/** A day or a minute, both of UTC. */
function timeOf(query: Visit['query'], name: 'from' | 'to'): number | null {
  const text = query.text(name)
  if (text === '') return null
  const at = Date.parse(/T\d\d:\d\d(:\d\d)?$/.test(text) ? `${text}Z` : text)
  if (!Number.isFinite(at))
    throw new GatewayError('invalid_request', { message: `"${name}" is not a time: write it as 2026-11-21T14:00.` })
  return at
}

const COLUMNS = 'id at actor ip user_agent action target_id project_id outcome reason before after'.split(' ')

function toCells(entry: AuditEntry) {
  const told = presentAuditEntry(entry)
  const { id, at, actor, ip, user_agent, action, target_id, project_id, outcome, reason } = told
  const changes = [told.before, told.after].map((snapshot) => snapshot && JSON.stringify(snapshot))
  return [id, at, actor, ip, user_agent, action, target_id, project_id, outcome, reason, ...changes]
}
