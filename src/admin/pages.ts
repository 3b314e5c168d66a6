import { dashboard } from './dashboard.ts'
import type { Page } from './frame/page.ts'
import { projects } from './projects.ts'
import { provider } from './provider.ts'
import { providers } from './providers.ts'
import { routeEdit } from './route-edit.ts'
import { routeNew } from './route-new.ts'
import { routing } from './routing.ts'

/** Every page, in the order of the navigation. A path with `:id` comes after those that it would take for one. */
export const PAGES: readonly Page[] = [dashboard, projects, routing, routeNew, routeEdit, providers, provider]
