import { type Figures, readFigures } from './dashboard/figures.ts'
import { type NearLimit, readNearLimit } from './dashboard/near-limit.ts'
import { type Card, providerCards } from './dashboard/provider-cards.ts'
import { definePage } from './frame/page.ts'
import type { Visit } from './frame/visit.ts'
import { periodOf } from './periods.ts'

const LIVE_MS = 3_000

type Data = Figures & { cards: Card[]; perSecond: number; nearLimit: NearLimit[] }

/** What is being spent, by whom and on what; how the providers do; what needs a look. */
export const dashboard = definePage<Data>({
  path: '/',
  title: 'Dashboard',
  view: 'dashboard',
  nav: { icon: 'dashboard', key: 'd', group: 'Watch' },
  load,
  live: { view: 'dashboard-live', everyMs: LIVE_MS, load },
})

async function load(visit: Visit): Promise<Data> {
  const period = periodOf(visit.query.text('period'), visit.now)
  const [figures, nearLimit] = await Promise.all([readFigures(visit, period), readNearLimit(visit)])
  const perSecond = visit.ctx.pace.perSecond(visit.reads.only)
  return { ...figures, nearLimit, perSecond, cards: visit.may('read_gateway') ? providerCards(visit.ctx) : [] }
}
