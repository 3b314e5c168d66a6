import { listRoutes, type PresentedRoute } from '../../domain/routes.ts'
import type { Visit } from '../frame/visit.ts'
import { indexLanes, type TargetFigures } from './target-figures.ts'

export type TargetRow = PresentedRoute['targets'][number] & { figures: TargetFigures }
export type RouteRow = Omit<PresentedRoute, 'targets'> & { targets: TargetRow[] }
export type RouteTable = {
  rows: RouteRow[]
  /** How many fit the search. */
  found: number
  total: number
  search: string
}

const MAX_ROUTES = 100

/** Routes of the file and of the database that fit the search, with what is known of their targets at this moment. */
export async function readRoutes(visit: Visit, most: number = MAX_ROUTES): Promise<RouteTable> {
  const { ctx, query } = visit
  const search = query.text('q')
  const all = await listRoutes({ store: ctx.store, fileRoutes: () => ctx.routing.ofFile().routes })
  const found = all.filter((route) => fits(route, search.toLowerCase()))
  const figuresOf = indexLanes(ctx.live.snapshot())
  const rows = found.slice(0, most).map((route) => ({
    ...route,
    targets: route.targets.map((target) => ({ ...target, figures: figuresOf(route.pattern, target) })),
  }))
  return { rows, found: found.length, total: all.length, search }
}

const fits = ({ pattern, targets }: PresentedRoute, search: string) =>
  search === '' ||
  [pattern, ...targets.flatMap(({ provider, model }) => [provider, model ?? ''])].some((text) =>
    text.toLowerCase().includes(search),
  )
