import type { Readable } from 'node:stream'
import type { CsvCell } from '../../csv.ts'
import type { Permission } from '../../domain/permissions.ts'
import type { Form } from './form.ts'
import type { IconName } from './icons.ts'
import type { Visit } from './visit.ts'

/**
 * A page of the console. The router mounts what stands in pages.ts: `GET <path>` loads and renders, `POST <path>/<action>` acts, and
 * the navigation is made of the pages that have a `nav`.
 */
export type Page<Data extends object = object> = {
  /** Below `/admin`, as Express spells it: `/tokens/:id`. */
  path: string
  title: string | ((data: Data) => string)
  /** Its template: `views/<view>.ejs`. */
  view: string
  /** Its place in the navigation; without one it is reached from other pages. `key`: `g` and this letter open it. */
  nav?: { label?: string; icon: IconName; key: string; group: NavGroup }
  /** The pages above it, outermost first. */
  crumbs?(data: Data): Crumb[]
  /** What a visitor needs to see it; `read` when left out. */
  needs?: Permission
  /** Another page that this address stands for, asked before `load`; null: this one. */
  goTo?(visit: Visit): Promise<{ to: string; notice?: string } | null>
  /** What the template shows. Throws `GatewayError`, which becomes a page of its own. */
  load(visit: Visit): Promise<Data>
  actions?: Record<string, Action>
  /** The same as a table for spreadsheets: `?format=csv`. */
  csv?(visit: Visit): Promise<Csv>
  /** A part of the page that is sent again and again while somebody looks: `?live=1`, as an event stream. */
  live?: Live
}

export type NavGroup = 'Watch' | 'Give access' | 'Run' | 'Administer'
export type Crumb = { label: string; href: string }

export type Action = {
  /** What a visitor needs for it; more than the page needs. */
  needs: Permission
  run(visit: Visit, form: Form): Promise<Done>
}

/**
 * How an action ends: on to another page with a word of what was done, on the same page, whose template gets `shown` as `result.data`, or
 * with a file. An error that it throws is shown on the same page, with what was typed.
 */
export type Done = { to: string; notice?: string } | { shown: object } | { file: Download }

/** `name`: with its ending. The stream is destroyed when the visitor leaves. */
export type Download = { name: string; type: string; stream: Readable }

/** `name`: of the file, without its ending. */
export type Csv = { name: string; columns: string[]; rows: CsvCell[][] }

export type Live = {
  /** The template of the part. Its outermost element has the id by which it is replaced. */
  view: string
  everyMs: number
  load(visit: Visit): Promise<object>
}

/** Holds a page's functions to one kind of data. */
export const definePage = <Data extends object>(page: Page<Data>): Page => page as unknown as Page
