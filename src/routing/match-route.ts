import { compileGlob } from '../domain/globs.ts'
import type { Route } from './types.ts'

/**
 * The route of a model as the caller names it: the one of exactly this name, else the pattern with the most characters besides its
 * stars. Of equals the first in the list wins; the file's routes stand before the database's, so that what is kept in version control
 * is what holds. Null: none. Lists are compiled once, and never change.
 */
export function findRoute(routes: readonly Route[], model: string): Route | null {
  let table = tables.get(routes)
  if (table === undefined) {
    table = compile(routes)
    tables.set(routes, table)
  }
  return table.find(model)
}

type Table = { find(model: string): Route | null }

const tables = new WeakMap<readonly Route[], Table>()
/** Callers choose names. */
const MAX_KNOWN = 1000
const MAX_NAME = 200

function compile(routes: readonly Route[]): Table {
  const exact = new Map<string, Route>()
  for (const route of routes)
    if (!route.pattern.includes('*') && !exact.has(route.pattern)) exact.set(route.pattern, route)
  const globs = routes
    .filter(({ pattern }) => pattern.includes('*'))
    .map((route) => ({ route, length: route.pattern.replaceAll('*', '').length, fits: compileGlob(route.pattern) }))
    // Stable: of equals the first stays first.
    .sort((a, b) => b.length - a.length)
  const known = new Map<string, Route | null>()
  return {
    find(model) {
      const named = exact.get(model)
      if (named !== undefined || globs.length === 0) return named ?? null
      const found = known.get(model)
      if (found !== undefined) return found
      const route = globs.find(({ fits }) => fits(model))?.route ?? null
      if (model.length > MAX_NAME) return route
      if (known.size >= MAX_KNOWN) known.clear()
      known.set(model, route)
      return route
    },
  }
}
