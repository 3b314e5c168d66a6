import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { describe, expect, it } from '@jest/globals'

const SRC = join(import.meta.dirname, '../src')

type File = { name: string; text: string; imports: { from: string; typeOnly: boolean; late: boolean }[] }

const files: File[] = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => {
    const text = readFileSync(join(SRC, name), 'utf8')
    return { name, text, imports: importsOf(name, text) }
  })

/** What a file imports, packages by name, files as they stand in src. `late`: when it is needed, by `import()`. */
function importsOf(name: string, text: string): File['imports'] {
  const one = (from: string, typeOnly: boolean, late: boolean) => ({
    from: from.startsWith('.') ? relative(SRC, resolve(SRC, name, '..', from)) : from,
    typeOnly,
    late,
  })
  const statics = [...text.matchAll(/^(?:import|export)\s+(?:([^'"]*?)\sfrom\s+)?'([^']+)'/gms)]
  const lates = [...text.matchAll(/\bimport\(\s*'([^']+)'\s*\)/g)]
  return [
    ...statics.map(([, what = '', from]) => one(from!, isTypes(what), false)),
    ...lates.map(([, from]) => one(from!, false, true)),
  ]
}

/** `type { A }`, or `{ type A, type B }`. */
function isTypes(what: string): boolean {
  return (
    /^type\s/.test(what) ||
    (/^\{.*\}$/s.test(what) &&
      what
        .slice(1, -1)
        .split(',')
        .filter((part) => part.trim())
        .every((part) => /^\s*type\s/.test(part)))
  )
}

const roomOf = (name: string) => (name.includes('/') ? name.split('/')[0]! : '')
const packageOf = (from: string) =>
  from
    .split('/')
    .slice(0, from.startsWith('@') ? 2 : 1)
    .join('/')
/** `file → import`, for each import that should not be. */
const offences = (isOne: (file: File, from: string, typeOnly: boolean) => boolean) =>
  files.flatMap((file) =>
    file.imports
      .filter(({ from, typeOnly }) => isOne(file, from, typeOnly))
      .map(({ from }) => `${file.name} → ${from}`),
  )

const SURFACES = ['proxy', 'manage', 'admin', 'cli']
const MIDDLE = ['routing', 'providers', 'formats', 'usage', 'domain']
const STORES = ['store', 'kv']
/** From left to right: a room imports only from itself, its own column and those to its right. */
const COLUMNS = [SURFACES, MIDDLE, STORES]
const columnOf = (room: string) => COLUMNS.findIndex((column) => column.includes(room))

describe('the rooms of DESIGN 3', () => {
  it('are all the rooms there are', () => {
    expect(new Set(files.map(({ name }) => roomOf(name)))).toEqual(
      new Set(
        ['', 'config', ...SURFACES, ...MIDDLE, ...STORES].filter((room) =>
          files.some(({ name }) => roomOf(name) === room),
        ),
      ),
    )
  })

  it('lean to the right: none imports one to its left', () => {
    expect(
      offences(({ name }, from) => {
        const [own, other] = [columnOf(roomOf(name)), columnOf(roomOf(from))]
        return own !== -1 && other !== -1 && other < own
      }),
    ).toEqual([])
  })

  it('that are surfaces never import each other', () => {
    expect(
      offences(
        ({ name }, from) =>
          SURFACES.includes(roomOf(name)) && SURFACES.includes(roomOf(from)) && roomOf(name) !== roomOf(from),
      ),
    ).toEqual([])
  })

  it('right of the surfaces do not know the wiring, nor does anyone but main know how to start', () => {
    expect(
      offences(({ name }, from, typeOnly) => {
        // `llm-proxy server` is the program's start under another name: it may know main, and nothing behind it.
        if (name === 'cli/commands/server.ts' && from === 'main.ts') return false
        if (['main.ts', 'app.ts', 'server.ts'].includes(from)) return roomOf(name) !== '' && !typeOnly
        return (
          from === 'context.ts' &&
          (columnOf(roomOf(name)) > 0 || roomOf(name) === 'config' || (SURFACES.includes(roomOf(name)) && !typeOnly))
        )
      }),
    ).toEqual([])
  })

  it('but for the wiring, take no more than types from config', () => {
    expect(
      offences(
        ({ name }, from, typeOnly) =>
          roomOf(from) === 'config' &&
          !typeOnly &&
          [...MIDDLE, ...STORES, 'proxy', 'manage', 'admin'].includes(roomOf(name)),
      ),
    ).toEqual([])
  })

  it('have no circles', () => {
    const byName = new Map(files.map((file) => [file.name, file]))
    const done = new Set<string>()
    const circles: string[] = []
    const walk = (name: string, path: string[]) => {
      if (path.includes(name)) return void circles.push([...path.slice(path.indexOf(name)), name].join(' → '))
      if (done.has(name)) return
      for (const { from, typeOnly, late } of byName.get(name)?.imports ?? [])
        if (!typeOnly && !late) walk(from, [...path, name])
      done.add(name)
    }
    for (const { name } of files) walk(name, [])
    expect(circles).toEqual([])
  })
})

describe('what only one place may use', () => {
  it.each([
    ['drizzle-orm', /^store\//],
    ['better-sqlite3', /^store\//],
    ['undici', /^proxy\/forward\.ts$/],
    ['http-proxy-middleware', /^proxy\/realtime\.ts$/],
    ['express', /^(?:app|server|health|http-errors)\.ts$|^(?:proxy|manage|admin)\//],
    ['cors', /^proxy\/cors\.ts$/],
    ['winston', /^logger\.ts$/],
    ['prom-client', /^metrics\.ts$/],
    ['@pydantic/genai-prices', /^usage\/prices\/list-prices\.ts$/],
    ['gpt-tokenizer', /^usage\/estimate-worker\.ts$/],
    ['commander', /^cli\//],
    ['nanoid', /^ids\.ts$/],
    ['argon2', /^domain\/passwords\.ts$/],
    ['otpauth', /^domain\/totp\.ts$/],
  ])('%s is used there alone', (name, allowed) => {
    expect(offences((file, from) => packageOf(from) === name && !allowed.test(file.name))).toEqual([])
  })

  it('what only people who sign in need is loaded when the first of them comes', () => {
    const people = ['argon2', 'otpauth', 'openid-client']
    const early = files.flatMap(({ name, imports }) =>
      imports
        .filter(({ from, late, typeOnly }) => people.includes(packageOf(from)) && !late && !typeOnly)
        .map(() => name),
    )
    expect(early).toEqual([])
  })

  it('in the proxy, express is known by the router and its middleware alone', () => {
    expect(
      offences(
        ({ name }, from) =>
          packageOf(from) === 'express' && name.startsWith('proxy/') && !/^proxy\/(?:router|cors)\.ts$/.test(name),
      ),
    ).toEqual([])
  })

  it('the environment is read in config alone', () => {
    expect(
      files
        .filter(({ name, text }) => roomOf(name) !== 'config' && /process\.env\b/.test(text))
        .map(({ name }) => name),
    ).toEqual([])
  })

  it('SQL is spoken in the store alone', () => {
    const sql =
      /['"`]\s*(?:SELECT\s.+\sFROM|INSERT\s+(?:OR\s+\w+\s+)?INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|PRAGMA|CREATE\s+(?:TABLE|INDEX))\b/i
    expect(
      files.filter(({ name, text }) => roomOf(name) !== 'store' && sql.test(text)).map(({ name }) => name),
    ).toEqual([])
  })
})

describe('every file', () => {
  it('is at most 400 lines long', () => {
    expect(files.filter(({ text }) => text.split('\n').length > 400).map(({ name }) => name)).toEqual([])
  })

  it('has no `any`, and no way around the compiler', () => {
    const anyType = /(?::|<|\bas|\||&|,|=>)\s*any\b(?!\s*[(:])|@ts-(?:ignore|nocheck|expect-error)/
    const code = (text: string) =>
      text.replace(/\/\*[\s\S]*?\*\/|\/\/(?! @ts-).*$/gm, '').replace(/'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`/g, "''")
    expect(
      files
        .filter(({ text }) => anyType.test(code(text)) || /@ts-(?:ignore|nocheck|expect-error)/.test(text))
        .map(({ name }) => name),
    ).toEqual([])
  })

  it('is named in kebab-case', () => {
    expect(
      files
        .filter(({ name }) => !/^(?:[a-z0-9-]+\/)*[a-z0-9]+(?:-[a-z0-9]+)*(?:\.d)?\.ts$/.test(name))
        .map(({ name }) => name),
    ).toEqual([])
  })

  it('is read by this test as it is meant: it sees what is imported', () => {
    expect(files.length).toBeGreaterThan(80)
    const text = [
      "import { x, type X } from './c.ts'",
      'import type {\n  Y,\n} from "../d.ts"'.replaceAll('"', "'"),
      "import { type Z, type Q } from '../g.ts'",
      "import 'pkg/x'",
      "export * from './e.ts'",
      "const z = await import('./f.ts')",
    ].join('\n')
    expect(importsOf('a/b.ts', text)).toEqual([
      { from: 'a/c.ts', typeOnly: false, late: false },
      { from: 'd.ts', typeOnly: true, late: false },
      { from: 'g.ts', typeOnly: true, late: false },
      { from: 'pkg/x', typeOnly: false, late: false },
      { from: 'a/e.ts', typeOnly: false, late: false },
      { from: 'a/f.ts', typeOnly: false, late: true },
    ])
  })
})
