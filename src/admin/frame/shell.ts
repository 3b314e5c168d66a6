import type { Request, Response } from 'express'
import { may } from '../../domain/permissions.ts'
import { PAGES } from '../pages.ts'
import { readCookie } from './cookies.ts'
import { csrfToken } from './csrf.ts'
import { takeNotice } from './notice.ts'
import type { Crumb, NavGroup, Page } from './page.ts'
import { render } from './render.ts'
import type { Visit } from './visit.ts'

export type Theme = 'auto' | 'light' | 'dark'

export const themeOf = (req: Request): Theme => {
  const theme = readCookie(req, 'theme')
  return theme === 'light' || theme === 'dark' ? theme : 'auto'
}

type Shown = { title: string; crumbs: Crumb[]; view: string; locals: object }

/** A page inside the console's frame: navigation, search, who is signed in. */
export function sendPage(
  req: Request,
  res: Response,
  { visit, secret, status = 200 }: { visit: Visit; secret: string; status?: number },
  { title, crumbs, view, locals }: Shown,
): void {
  const common = { visit, csrf: csrfToken(secret) }
  const body = render(view, { ...common, ...locals })
  const html = render('layout', {
    ...common,
    title,
    crumbs,
    body,
    theme: themeOf(req),
    notice: takeNotice(req, res),
    nav: navigationFor(visit, req.path),
  })
  res.status(status).type('html').send(html)
}

/** A page for who has not signed in. */
export function sendBare(
  req: Request,
  res: Response,
  status: number,
  { title, view, locals }: Omit<Shown, 'crumbs'>,
): void {
  const body = render(view, locals)
  res
    .status(status)
    .type('html')
    .send(render('bare', { title, body, theme: themeOf(req), notice: takeNotice(req, res) }))
}

/** What this visitor may open, in groups. */
function navigationFor({ user }: Visit, path: string) {
  const items = PAGES.flatMap((page) =>
    page.nav && may(user, page.needs ?? 'read') ? [toItem(page, page.nav, path)] : [],
  )
  return [...Map.groupBy(items, ({ group }) => group)].map(([group, pages]) => ({ group, pages }))
}

function toItem({ path, title }: Page, { label, icon, key, group }: NonNullable<Page['nav']>, at: string) {
  return {
    href: path === '/' ? '/admin' : `/admin${path}`,
    label: label ?? String(title),
    icon,
    key,
    group: group satisfies NavGroup,
    isHere: path === '/' ? at === '/' : at === path || at.startsWith(`${path}/`),
  }
}
