import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

export type Licence = { name: string; version: string; licence: string }

const ROOT = join(import.meta.dirname, '../../..')

let kept: Licence[] | null = null

/** Of every package that runs with the gateway, theirs too, by name. Read at the first look, then kept. */
export function licences(): Licence[] {
  kept ??= read()
  return kept
}

type Manifest = {
  name?: string
  version?: string
  license?: string | { type?: string }
  dependencies?: Record<string, string>
  optionalDependencies?: Record<string, string>
}

function read(): Licence[] {
  const found = new Map<string, Licence>()
  const waiting = dependenciesOf(manifestAt(ROOT)!).map((name) => ({ name, from: ROOT }))
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const place = locate(next.name, next.from)
    // One for another system, which is not installed here.
    if (place === null) continue
    const { name = next.name, version = '', license, ...manifest } = place.manifest
    if (found.has(`${name}@${version}`)) continue
    const licence = typeof license === 'string' ? license : (license?.type ?? 'not said')
    found.set(`${name}@${version}`, { name, version, licence })
    waiting.push(...dependenciesOf(manifest).map((name) => ({ name, from: place.folder })))
  }
  return [...found.values()].sort((a, b) => a.name.localeCompare(b.name, 'en') || a.version.localeCompare(b.version))
}

const dependenciesOf = ({ dependencies = {}, optionalDependencies = {} }: Manifest) =>
  Object.keys({ ...dependencies, ...optionalDependencies })

/** As Node finds it: in the nearest `node_modules` upwards. */
function locate(name: string, from: string): { folder: string; manifest: Manifest } | null {
  for (let at = from; ; at = dirname(at)) {
    const folder = join(at, 'node_modules', name)
    const manifest = manifestAt(folder)
    if (manifest) return { folder, manifest }
    if (dirname(at) === at) return null
  }
}

function manifestAt(folder: string): Manifest | null {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return null
    throw error
  }
}
