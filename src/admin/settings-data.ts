import { startBackup } from '../domain/backup.ts'
import type { StoreStatus } from '../store/store.ts'
import { definePage } from './frame/page.ts'
import type { Visit } from './frame/visit.ts'
import { ABOVE, tabsFor } from './settings/tabs.ts'

type Data = {
  tabs: { href: string; label: string }[]
  status: StoreStatus
  isWritable: boolean
  files: { name: string; sizeBytes: number }[]
  requestLogDays: number | null
  bodyLog: { request: boolean; response: boolean; days: number | null }
  check: { at: number; drift: number } | null
  checkEveryMs: number | null
}

/** The database: how large it is, what is kept how long, whether the ledger adds up, and a backup to take away. */
export const settingsData = definePage<Data>({
  path: '/settings/data',
  title: 'Data and backup',
  view: 'settings-data',
  crumbs: () => ABOVE,
  needs: 'read_gateway',
  load,
  actions: {
    backup: {
      needs: 'backup',
      async run({ parts, actor }, form) {
        const { name, stream } = await startBackup(parts, actor, { bodies: form.checked('bodies') })
        return { file: { name, type: 'application/x-tar', stream } }
      },
    },
  },
  async csv({ ctx }) {
    const files = await ctx.store.backups.files({ bodies: true })
    return { name: 'data', columns: ['file', 'size_bytes'], rows: files.map((file) => [file.name, file.sizeBytes]) }
  },
})

async function load(visit: Visit): Promise<Data> {
  const { ctx } = visit
  const { requestLogDays, bodyLog, ledgerCheckMs } = ctx.config
  return {
    tabs: tabsFor(visit),
    status: await ctx.store.status(),
    isWritable: !ctx.ledger.failing(),
    files: await ctx.store.backups.files({ bodies: true }),
    requestLogDays,
    bodyLog,
    check: ctx.ledgerCheck.last(),
    checkEveryMs: ledgerCheckMs,
  }
}
