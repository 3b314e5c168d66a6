import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { PAGES } from '../../src/admin/pages.ts'
import { type Crawled, crawl } from './crawl.ts'
import { startConsole, type TestConsole, type Visitor } from './helpers.ts'
import { fillWithHostility, RAW } from './hostile.ts'

let house: TestConsole
let owner: Visitor
let pages: Crawled

beforeAll(async () => {
  house = await startConsole()
  await fillWithHostility(house.ctx)
  owner = await house.as('owner')
  pages = await crawl(owner, ['/admin'])
}, 60_000)
afterAll(() => house.stop())

/** `path 200`, for those that are not as they should be. */
const offenders = (isOne: (html: string, path: string) => boolean) =>
  [...pages].filter(([path, { html }]) => !path.includes('format=csv') && isOne(html, path)).map(([path]) => path)

describe('from the dashboard', () => {
  it('every page of the navigation is reached, and every link leads to a page', () => {
    const reached = [...pages.keys()].map((path) => path.split('?')[0])
    for (const { path, nav } of PAGES) if (nav) expect(reached).toContain(path === '/' ? '/admin' : `/admin${path}`)
    expect(
      [...pages]
        .filter(([, { status }]) => ![200, 303].includes(status))
        .map(([path, { status }]) => `${path} ${status}`),
    ).toEqual([])
  })

  it('every kind of page is reached', () => {
    const reached = [...pages.keys()].map((path) => path.split('?')[0]!)
    const unreached = PAGES.filter(({ path }) => {
      const shape = new RegExp(`^/admin${path === '/' ? '' : path.replace(/:\w+/g, '[^/]+')}$`)
      return !reached.some((one) => shape.test(one))
    })
    expect(unreached.map(({ path }) => path)).toEqual([])
  })
})

describe('no page', () => {
  it('shows a foreign text as anything but text', () => {
    expect(offenders((html) => RAW.test(html))).toEqual([])
    // The text is there, so that the line above means something.
    expect(offenders((html) => html.includes('&lt;script&gt;alert(2)')).length).toBeGreaterThan(5)
  })

  it('has a script, a style or a handler of its own', () => {
    expect(offenders((html) => /<script(?![^>]*\ssrc="\/admin\/assets\/)/.test(html))).toEqual([])
    expect(
      offenders((html) => /<style|\sstyle="|\son[a-z]+="|javascript:|hx-on|hx-vals="js:/i.test(withoutText(html))),
    ).toEqual([])
  })

  it('loads anything from elsewhere', () => {
    expect(offenders((html) => /(?:src|<link[^>]*href|action)="(?:https?:)?\/\//.test(withoutText(html)))).toEqual([])
  })

  it('has a form that would be refused for want of its token', () => {
    const isOpen = (form: string) =>
      /method="post"/.test(form) && !/action="\/admin\/theme"/.test(form) && !form.includes('name="_csrf"')
    expect(offenders((html) => [...html.matchAll(/<form\b.*?<\/form>/gs)].some(([form]) => isOpen(form)))).toEqual([])
  })

  it('lacks its one heading, or a title of its own', () => {
    expect(offenders((html) => html.length > 0 && html.match(/<h1[\s>]/g)?.length !== 1)).toEqual([])
    expect(offenders((html) => html.length > 0 && !/<title>[^<]+ · LLM Proxy<\/title>/.test(html))).toEqual([])
  })

  it('has two elements of one id', () => {
    expect(
      offenders((html) => {
        const ids = [...withoutText(html).matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id)
        return new Set(ids).size !== ids.length
      }),
    ).toEqual([])
  })
})

describe('templates', () => {
  const folder = join(import.meta.dirname, '../../views')
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ejs'))

  it('write nothing unescaped but parts, icons and times', () => {
    const allowed =
      /^<%-\s*(?:include\(|h\.(?:icon|time|ago)\(|body\s*%>|[^%]*\?\s*(?:include\(|h\.(?:icon|time|ago)\(|'[^'<]*')[^%]*%>)/
    const raw = files.flatMap((name) =>
      [...readFileSync(join(folder, name), 'utf8').matchAll(/<%-.*?%>/gs)]
        .filter(([tag]) => !allowed.test(tag!))
        .map(([tag]) => `${name}: ${tag}`),
    )
    expect(raw).toEqual([])
  })
})

/** Attributes stay, what is between tags goes: there foreign texts may say what they like. */
const withoutText = (html: string) => html.replace(/>[^<]*</g, '><').replace(/"(?:[^"]*&(?:lt|#34|#39);[^"]*)"/g, '""')
