import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import Sqlite from 'better-sqlite3'
import { openStore } from '../../src/store/open.ts'
import { aBatch, aRow } from '../store/samples.ts'
import { given } from './given.ts'

describe('llm-proxy ledger verify', () => {
  it('says that all adds up, and exits with 1 and the place when it does not; --repair mends the sums', async () => {
    const { cli, json, dataDir } = given()
    await json('project create a')
    const store = await openStore({ dataDir })
    await store.ledger.append(aBatch({ rows: [aRow(), aRow()] }))
    await store.close()
    expect(await cli('ledger verify')).toEqual({ code: 0, out: 'The ledger adds up.\n', err: '' })

    const month = new Sqlite(join(dataDir, 'ledger-2026-11.db'))
    month.exec('UPDATE hourly SET requests = 1')
    month.close()
    const found = await cli('ledger verify')
    expect(found).toMatchObject({ code: 1, err: expect.stringContaining('does not add up in 2 places') })
    expect(found.out).toMatch(/2026-11 +hourly .* requests +2 +1/)
    const { out } = await cli('ledger verify --json')
    expect(JSON.parse(out).drift).toContainEqual({
      month: '2026-11',
      table: 'hourly',
      key: '2026-11-21T12',
      field: 'requests',
      expected: '2',
      found: '1',
    })
    expect(await cli('ledger verify --repair')).toEqual({
      code: 0,
      out: 'Built anew from its rows: 2026-11\nThe ledger adds up.\n',
      err: '',
    })
  })

  it('names a month that cannot be read beside the others, and what --repair cannot mend', async () => {
    const { cli, json, dataDir } = given()
    await json('project create a')
    const store = await openStore({ dataDir })
    await store.ledger.append(aBatch({ rows: [aRow()] }))
    await store.close()
    writeFileSync(join(dataDir, 'ledger-2026-10.db'), 'this is no database '.repeat(1_000))
    new Sqlite(join(dataDir, 'ledger-2026-11.db')).exec('DELETE FROM daily').close()
    const found = await cli('ledger verify')
    expect(found.code).toBe(1)
    expect(found.out).toMatch(/2026-10 +file +ledger-2026-10\.db +readable +yes +The database .* is damaged/)
    expect(found.out).toMatch(/2026-11 +daily/)
    const mended = await cli('ledger verify --repair')
    expect(mended).toMatchObject({ code: 1, err: expect.stringContaining('does not add up in 1 places') })
    expect(mended.out).toContain('Built anew from its rows: 2026-11\nNot mended: 2026-10. The database')
    expect(mended.out).not.toContain('then: llm-proxy ledger verify --repair')
  })
})
