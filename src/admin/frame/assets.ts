import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { type RequestHandler, Router } from 'express'

const require = createRequire(import.meta.url)
const WEB = join(import.meta.dirname, '../../../web')
/** A file of a package, beside the one that is its entry. */
const ofPackage = (name: string, file: string) => join(dirname(require.resolve(name)), file)

/** What browsers load, by name: our own files of `web/`, and those of two packages as they are. */
const FILES = {
  'admin.css': join(WEB, 'admin.css'),
  'admin.js': join(WEB, 'admin.js'),
  'charts.js': join(WEB, 'charts.js'),
  'favicon.svg': join(WEB, 'favicon.svg'),
  'htmx.js': ofPackage('htmx.org', 'htmx.min.js'),
  'chart.js': ofPackage('chart.js', 'chart.umd.min.js'),
} as const

export type AssetName = keyof typeof FILES

const versions = new Map<AssetName, string>()

/** Where a file is served. It names the file's content, so that browsers may keep it for good. */
export function assetUrl(name: AssetName): string {
  let version = versions.get(name)
  if (version === undefined) {
    version = createHash('sha256').update(readFileSync(FILES[name])).digest('base64url').slice(0, 10)
    versions.set(name, version)
  }
  return `/admin/assets/${name}?v=${version}`
}

/** `/admin/assets`: open to everybody, since the page to sign in needs them. */
export function assetsRouter(): Router {
  const router = Router({ caseSensitive: true })
  for (const [name, path] of Object.entries(FILES)) router.get(`/${name}`, serve(path))
  return router
}

const serve =
  (path: string): RequestHandler =>
  (req, res, next) => {
    const isVersioned = typeof req.query.v === 'string'
    res.set('cache-control', isVersioned ? 'public, max-age=31536000, immutable' : 'no-cache')
    res.sendFile(path, { cacheControl: false, lastModified: false }, (error) => error && next(error))
  }
