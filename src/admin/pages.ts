import { dashboard } from './dashboard.ts'
import type { Page } from './frame/page.ts'
import { projects } from './projects.ts'
import { request } from './request.ts'
import { requests } from './requests.ts'
import { search } from './search.ts'
import { usage } from './usage.ts'

/** Every page, in the order of the navigation. A path with `:id` comes after those that it would take for one. */
export const PAGES: readonly Page[] = [dashboard, requests, request, usage, projects, search]
