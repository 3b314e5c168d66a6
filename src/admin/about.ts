import { readiness } from '../health.ts'
import { VERSION } from '../version.ts'
import { type Licence, licences } from './about/licences.ts'
import { definePage } from './frame/page.ts'
import type { Visit } from './frame/visit.ts'

type Data = {
  version: string
  node: string
  startedAt: number
  isDraining: boolean
  checks: Record<string, string>
  isReady: boolean
  licences: Licence[]
}

/** What runs here, since when, how it does, and on whose shoulders it stands. */
export const about = definePage<Data>({
  path: '/about',
  title: 'About',
  view: 'about',
  nav: { icon: 'about', key: 'i', group: 'Administer' },
  load,
  async csv() {
    const rows = licences().map(({ name, version, licence }) => [name, version, licence])
    return { name: 'licences', columns: ['package', 'version', 'licence'], rows }
  },
})

async function load({ ctx }: Visit): Promise<Data> {
  const checks = await readiness(ctx)
  return {
    version: VERSION,
    node: process.versions.node,
    startedAt: ctx.life.startedAt,
    isDraining: ctx.life.draining,
    checks,
    isReady: Object.values(checks).every((check) => check === 'ok'),
    licences: licences(),
  }
}
