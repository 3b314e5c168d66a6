import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import Sqlite from 'better-sqlite3'
import { openStore } from '../../src/store/open.ts'
import { createBodies } from '../../src/store/sqlite/bodies/bodies.ts'
import { expectError } from './contract.ts'
import { aBodies, aText, NOON } from './samples.ts'
import { folder } from './temporary.ts'

const FILE = 'bodies-2026-11.db'
const filesIn = (dataDir: string) => readdirSync(dataDir).filter((name) => name.startsWith('bodies-'))

describe('the files of bodies', () => {
  it('are made by the first that is kept, one for each UTC month of the requests, for their owner alone', async () => {
    const dataDir = folder()
    const store = await openStore({ dataDir })
    await store.bodies.get({ requestId: 'req_1', at: NOON })
    await store.bodies.retention(NOON)
    await store.status()
    expect(filesIn(dataDir)).toEqual([])
    const last = Date.UTC(2026, 11, 1) - 1
    await store.bodies.append([last, last + 1, Date.UTC(2026, 0, 1)].map((at) => aBodies({ at })))
    const databases = filesIn(dataDir).filter((name) => name.endsWith('.db'))
    expect(databases).toEqual(['bodies-2026-01.db', FILE, 'bodies-2026-12.db'])
    for (const name of filesIn(dataDir)) expect(statSync(join(dataDir, name)).mode & 0o777).toBe(0o600)
    await store.close()
  })

  it('of a newer version are left alone, for writing and reading, and the error says so', async () => {
    const dataDir = folder()
    const store = await openStore({ dataDir })
    const newer = new Sqlite(join(dataDir, FILE))
    newer.pragma('user_version = 99')
    newer.close()
    await expectError(store.bodies.append([aBodies()]), 'newer_version', /bodies-2026-11\.db.*newer version.*99/)
    await expectError(store.bodies.get(aBodies()), 'newer_version', /bodies-2026-11/)
    // Another month is another file.
    const other = aBodies({ at: Date.UTC(2026, 11, 5) })
    expect(await store.bodies.append([other])).toBe(1)
    expect(await store.bodies.get(other)).not.toBeNull()
    await store.close()
  })

  it('that are damaged are named', async () => {
    const dataDir = folder()
    const store = await openStore({ dataDir })
    writeFileSync(join(dataDir, FILE), 'this is no database, whatever its name says'.repeat(100))
    await expectError(store.bodies.append([aBodies()]), 'corrupt', /bodies-2026-11\.db is damaged/)
    await expectError(store.bodies.get(aBodies()), 'corrupt', /bodies-2026-11\.db is damaged/)
    await store.close()
  })

  it('leave the last of the disk to the ledger', async () => {
    const dataDir = folder()
    const bodies = createBodies(dataDir, { reserveBytes: Number.MAX_SAFE_INTEGER })
    await expectError(bodies.store.append([aBodies()]), 'full', /less than \d+ MB left.*for the ledger/)
    expect(filesIn(dataDir)).toEqual([])
    await bodies.close()
  })

  it('hold nothing any more of what was deleted', async () => {
    const dataDir = folder()
    const store = await openStore({ dataDir })
    // Numbers without a pattern are kept nearly as they are.
    const [old, recent] = [NOON - 1, NOON].map((at) =>
      aBodies({ at, request: { ...aBodies().request!, body: aText(`${at} ${noise(at)}`) } }),
    )
    await store.bodies.append([old!, recent!])
    const file = new Sqlite(join(dataDir, FILE), { readonly: true })
    const content = (id: string) =>
      file.prepare<[string], Buffer>('SELECT content FROM bodies WHERE request_id = ?').pluck().get(id)!
    const [oldContent, recentContent] = [content(old!.requestId), content(recent!.requestId)]
    file.close()
    expect(await store.bodies.retention(NOON)).toEqual({ months: [], requests: 1, more: false })
    await store.close()
    const bytes = Buffer.concat(filesIn(dataDir).map((name) => readFileSync(join(dataDir, name))))
    // A piece may lie across two pages of the file.
    const found = (content: Buffer) =>
      Array.from({ length: 10 }, (_, i) => content.subarray(i * 500, i * 500 + 100)).some((piece) =>
        bytes.includes(piece),
      )
    expect([found(recentContent), found(oldContent)]).toEqual([true, false])
  })

  it('of a month go with all that SQLite keeps beside them', async () => {
    const dataDir = folder()
    const store = await openStore({ dataDir })
    await store.bodies.append([aBodies({ at: Date.UTC(2020, 0, 5) })])
    expect(existsSync(join(dataDir, 'bodies-2020-01.db-wal'))).toBe(true)
    expect((await store.bodies.retention(Date.UTC(2020, 1, 1))).months).toEqual(['2020-01'])
    expect(filesIn(dataDir)).toEqual([])
    await store.close()
  })
})

function noise(seed: number): string {
  let state = seed % 2_147_483_647
  return Array.from({ length: 2_000 }, () => {
    state = (state * 48_271) % 2_147_483_647
    return state.toString(36)
  }).join(' ')
}
