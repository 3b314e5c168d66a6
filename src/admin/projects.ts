import type { Project, UsageReportRow } from '../store/store.ts'
import { definePage } from './frame/page.ts'

const DAY_MS = 86_400_000

type Data = { rows: { project: Project; usage: UsageReportRow | null }[]; search: string }

export const projects = definePage<Data>({
  path: '/projects',
  title: 'Projects',
  view: 'projects',
  nav: { icon: 'projects', key: 'p', group: 'Give access' },
  async load({ reads, query, now }) {
    const search = query.text('q').toLowerCase()
    const { rows } = await reads.usage({ groupBy: ['project'], filter: { from: now - 30 * DAY_MS } })
    const usage = new Map(rows.map((row) => [row.keys[0], row]))
    const found = (await reads.projects()).filter(
      ({ name, id }) => name.toLowerCase().includes(search) || id === search,
    )
    return { rows: found.map((project) => ({ project, usage: usage.get(project.id) ?? null })), search }
  },
})
