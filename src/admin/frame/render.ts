import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import ejs from 'ejs'
import { assetUrl } from './assets.ts'
import * as format from './format.ts'
import { icon } from './icons.ts'

const VIEWS = join(import.meta.dirname, '../../../views')

/** A template, by its path below `views/`, without the ending. Its locals are the names of `locals`, and `h`: what follows. */
export function render(view: string, locals: object): string {
  return compiled(view)({ ...locals, h: helpers })
}

const helpers = {
  ...format,
  icon,
  asset: assetUrl,
  time,
  ago: (at: number | null, now: number) =>
    at === null ? format.UNKNOWN : timeTag(at, format.relative(at, now), 'data-relative'),
  /** An address with other parameters: null takes one away. */
  link,
  json: (value: unknown) =>
    JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? Number(part) : part)),
  pretty: (value: unknown) =>
    JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? String(part) : part), 2),
}

/** The minute in UTC; the browser turns it into the viewer's own zone, with UTC a hover away. HTML. */
function time(at: number | null): string {
  return at === null ? format.UNKNOWN : timeTag(at, format.utc(at).slice(0, 16), 'data-local')
}

const timeTag = (at: number, text: string, kind: string) =>
  `<time datetime="${new Date(at).toISOString()}" title="${format.utc(at)}" ${kind}>${text}</time>`

function link(address: string, parameters: Record<string, string | number | null | undefined>): string {
  const url = new URL(address, 'http://host')
  for (const [name, value] of Object.entries(parameters)) {
    if (value == null || value === '') url.searchParams.delete(name)
    else url.searchParams.set(name, String(value))
  }
  return url.pathname + url.search
}

const cache = new Map<string, ejs.TemplateFunction>()

function compiled(view: string): ejs.TemplateFunction {
  let template = cache.get(view)
  if (!template) {
    const filename = join(VIEWS, `${view}.ejs`)
    template = ejs.compile(readFileSync(filename, 'utf8'), { filename, views: [VIEWS], cache: true })
    cache.set(view, template)
  }
  return template
}
