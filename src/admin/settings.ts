import type { Setting } from '../config/settings.ts'
import type { ReloadState } from '../reload.ts'
import { definePage } from './frame/page.ts'
import type { Visit } from './frame/visit.ts'
import { tabsFor } from './settings/tabs.ts'

const SHOWN = ['all', 'set', 'changed'] as const

type Data = {
  tabs: { href: string; label: string }[]
  groups: { name: string; settings: Setting[] }[]
  /** Of all options, whatever is searched for. */
  counts: Record<(typeof SHOWN)[number], number>
  search: string
  shown: (typeof SHOWN)[number]
  file: string | null
  state: ReloadState
}

/** Every option: its value, where it comes from, what changed since the start and what waits for the next one. */
export const settings = definePage<Data>({
  path: '/settings',
  title: 'Settings',
  view: 'settings',
  nav: { icon: 'settings', key: 's', group: 'Administer' },
  needs: 'read_gateway',
  load,
  actions: {
    reload: {
      needs: 'write',
      async run({ ctx, actor }) {
        const { changed, needsRestart } = await ctx.reload.now(actor, 'the console')
        const now = changed.length === 0 ? 'Nothing has changed.' : `In force now: ${changed.join(', ')}.`
        const later = needsRestart.length === 0 ? '' : ` Waiting for a restart: ${needsRestart.join(', ')}.`
        return { to: '/admin/settings', notice: `The configuration was read again. ${now}${later}` }
      },
    },
  },
  async csv(visit) {
    const rows = select(visit).map(({ name, group, value, isSet, isSecret, source, origin, live, change }) => [
      name,
      group,
      isSecret ? (isSet ? '(set)' : '(not set)') : value,
      source || origin,
      live ? 'reload' : 'restart',
      change ?? '',
    ])
    return { name: 'settings', columns: ['option', 'group', 'value', 'origin', 'takes_effect_after', 'change'], rows }
  },
})

async function load(visit: Visit): Promise<Data> {
  const all = visit.ctx.reload.settings()
  const groups = [...Map.groupBy(select(visit), ({ group }) => group)].map(([name, found]) => ({
    name,
    settings: found,
  }))
  return {
    tabs: tabsFor(visit),
    groups,
    counts: { all: all.length, set: all.filter(isGiven).length, changed: all.filter(({ change }) => change).length },
    search: visit.query.text('q'),
    shown: shownOf(visit),
    file: visit.ctx.config.configFile,
    state: visit.ctx.reload.state(),
  }
}

function select(visit: Visit): Setting[] {
  const words = visit.query.text('q').toLowerCase().split(/\s+/)
  const shown = shownOf(visit)
  return visit.ctx.reload.settings().filter((setting) => {
    if (shown === 'set' && !isGiven(setting)) return false
    if (shown === 'changed' && setting.change === null) return false
    const text = `${setting.name} ${setting.yaml ?? ''} ${setting.group} ${setting.description}`.toLowerCase()
    return words.every((word) => text.includes(word))
  })
}

const isGiven = ({ origin }: Setting) => origin !== 'default'

const shownOf = ({ query }: Visit) => SHOWN.find((name) => name === query.text('show')) ?? 'all'
