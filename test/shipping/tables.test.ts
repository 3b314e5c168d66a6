import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { environmentNamesOf, type OptionName } from '../../src/config/schema.ts'
import type { AppContext } from '../../src/context.ts'
import { ERROR_CODES, GatewayError } from '../../src/errors.ts'
import { manageRoutes } from '../../src/manage/router.ts'
import { createMetrics } from '../../src/metrics.ts'
import { PROVIDERS } from '../../src/providers/registry.ts'
import { prefixOf } from '../../src/providers/setting-names.ts'
import { ROOT } from './dockerfile.ts'

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')

/** The cells of each table row whose first cell is code and matches `first`. */
const rowsOf = (path: string, first: RegExp): string[][] =>
  read(path)
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('`', '')),
    )
    .filter(([cell]) => first.test(cell!))

describe('docs/api.md', () => {
  it('has every error code with its status and type, in the order of the code', () => {
    const expected = ERROR_CODES.map((code) => {
      const { status, type } = new GatewayError(code)
      return [code, String(status), type]
    })
    expect(
      rowsOf('docs/api.md', /^[a-z]+(_[a-z]+)*$/)
        .filter(([, status]) => /^\d{3}$/.test(status!))
        .map((row) => row.slice(0, 3)),
    ).toEqual(expected)
  })

  it('has every call of /manage, as its OpenAPI document says it', () => {
    const config = { defaultProvider: 'openai', providers: {} }
    const routes = manageRoutes({ config, store: {} } as AppContext)
    const expected = routes.map(({ method, path, summary }) => [
      `${method.toUpperCase()} /manage${path}`,
      summary.replaceAll('`', ''),
    ])
    expect(rowsOf('docs/api.md', /^[A-Z]+ \/manage/)).toEqual(expected)
  })
})

describe('docs/providers.md', () => {
  it('has every provider, its variables, its address and what it understands, in the order of the registry', () => {
    const expected = PROVIDERS.map(({ name, baseUrl, speaks, needsNoKey }) => {
      const key = `${prefixOf(name)}_API_KEY` as OptionName
      return [
        name,
        needsNoKey ? 'none needed' : environmentNamesOf(key).join(', '),
        baseUrl ?? expect.stringMatching(/^yours: /),
        speaks.map(({ dialect }) => dialect).join(', '),
      ]
    })
    const rows = rowsOf('docs/providers.md', /^[a-z-]+$/)
    expect(rows.filter((row) => row.length === 4)).toEqual(expected)
  })
})

describe('docs/operations.md', () => {
  it('has every metric of the gateway with its type and labels', () => {
    const metrics = createMetrics().registry.getMetricsAsArray() as unknown as {
      name: string
      labelNames: string[]
      type?: string
    }[]
    const own = metrics.filter(({ name }) => name.startsWith('llmproxy_'))
    const expected = own.map((metric) => [
      metric.name,
      metric.constructor.name.toLowerCase(),
      metric.labelNames.join(', '),
    ])
    expect(
      rowsOf('docs/operations.md', /^llmproxy_/)
        .map((row) => row.slice(0, 3))
        .sort(),
    ).toEqual(expected.sort())
  })
})

describe('docs/dependencies.md', () => {
  it('has a reason for every dependency, and names no other', () => {
    const { dependencies, devDependencies, optionalDependencies } = JSON.parse(read('package.json'))
    const [installed] = read('docs/dependencies.md').split('## Planned')
    const named = [...installed!.matchAll(/^\| `([^`]+)` \| (.+) \|$/gm)].map(([, name]) => name)
    const all = { ...dependencies, ...devDependencies, ...optionalDependencies }
    expect(named.sort()).toEqual(Object.keys(all).sort())
  })
})

describe('the program', () => {
  it('imports nothing at run time that is not installed in production', () => {
    const { dependencies } = JSON.parse(read('package.json'))
    const packages = new Set(sources('src').flatMap((path) => importsOf(read(path))))
    expect(Object.keys(dependencies)).toEqual(expect.arrayContaining([...packages]))
  })
})

describe('links between the pages', () => {
  const pages = [
    'README.md',
    'CONTRIBUTING.md',
    'SECURITY.md',
    'CHANGELOG.md',
    ...readdirSync(join(ROOT, 'docs')).map((name) => `docs/${name}`),
  ]
  it.each(pages.filter((page) => page.endsWith('.md')))('%s points to files and headings that exist', (page) => {
    for (const [, target, heading] of read(page).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)) {
      const path = target === '' ? page : join(dirname(page), target!)
      expect([path, existsSync(join(ROOT, path))]).toEqual([path, true])
      if (heading !== undefined) expect(headingsOf(path)).toContain(heading)
    }
  })
})

/** As GitHub makes anchors of them. */
const headingsOf = (path: string) =>
  [...read(path).matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
    title!
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, '')
      .replaceAll(' ', '-'),
  )

const sources = (folder: string) =>
  (readdirSync(join(ROOT, folder), { recursive: true }) as string[])
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${folder}/${name}`)

/** Packages that a source really loads: neither Node's own nor types. */
function importsOf(source: string): string[] {
  const loads = [
    ...source.matchAll(/^(?:import|export)(?! type) [^;]*?from '([^'.][^']*)'/gms),
    ...source.matchAll(/^import '([^'.][^']*)'/gm),
    ...source.matchAll(/\b(?:import|require|resolve)\('([^'.][^']*)'\)(?! as typeof import)/g),
  ]
  return loads
    .map(([, name]) => name!)
    .filter((name) => !name.startsWith('node:'))
    .map(packageOf)
}

const packageOf = (name: string) =>
  name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/')
