import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { startBackup } from '../../src/domain/backup.ts'
import { createBackups } from '../../src/store/sqlite/backup.ts'
import { tarHeader } from '../../src/tar.ts'
import { makeFolder } from '../helpers/folder.ts'
import { startTestGateway } from '../helpers/gateway.ts'
import { eventually } from '../helpers/http.ts'
import { aRequest, keep, startConsole, type TestConsole, type Visitor } from './helpers.ts'

let house: TestConsole
let owner: Visitor

beforeEach(async () => {
  house = await startConsole()
  owner = await house.as('owner')
})
afterEach(() => house.stop())

const actor = { name: 'admin:ada', ip: '10.0.0.1', userAgent: null }
const audited = async () => (await house.ctx.store.audit.list({ action: 'backup.download' }, { limit: 10 })).data
const leftovers = () => readdirSync(house.dataDir).filter((name) => name.startsWith('backup-tmp-'))

/** The archive, as the form downloads it. */
async function download(fields: Record<string, string> = {}): Promise<{ headers: Headers; archive: Buffer }> {
  const answer = await fetch(`${house.url}/admin/settings/data/backup`, {
    method: 'POST',
    headers: { cookie: [...owner.cookies].map((pair) => pair.join('=')).join('; ') },
    body: new URLSearchParams({ _csrf: await owner.csrf(), ...fields }),
  })
  expect(answer.status).toBe(200)
  return { headers: answer.headers, archive: Buffer.from(await answer.arrayBuffer()) }
}

/** Unpacked by the system's own tar. */
function unpack(archive: Buffer): string {
  const folder = makeFolder()
  writeFileSync(join(folder, 'backup.tar'), archive)
  execFileSync('tar', ['-xf', 'backup.tar'], { cwd: folder })
  return folder
}

describe('a backup', () => {
  it('is one archive that any tar unpacks, and a gateway starts on it with all there was', async () => {
    const { secret, token, project } = await house.token({ name: 'bot' }, { name: 'Billing' })
    const [before, now] = [
      aRequest({ at: Date.UTC(2026, 8, 3), projectId: project.id }),
      aRequest({ tokenId: token.id, projectId: project.id }),
    ]
    await keep(house, [before])
    await keep(house, [now])
    const { headers, archive } = await download()
    expect(headers.get('content-type')).toBe('application/x-tar')
    expect(headers.get('content-disposition')).toMatch(/^attachment; filename="llm-proxy-backup-\d{8}-\d{6}\.tar"$/)
    const folder = unpack(archive)
    const files = readdirSync(folder).filter((name) => name !== 'backup.tar')
    expect(files.sort()).toEqual(
      [...(await house.ctx.store.backups.files({ bodies: false })).map(({ name }) => name), 'RESTORE.txt'].sort(),
    )
    expect(files).toContain('ledger-2026-09.db')
    expect(statSync(join(folder, 'llm-proxy.db')).mode & 0o777).toBe(0o600)

    const restored = await startTestGateway({ dataDir: folder })
    try {
      expect((await restored.rows()).map(({ requestId }) => requestId)).toEqual([before.requestId, now.requestId])
      expect(await restored.ctx.store.projects.get(project.id)).toEqual(await house.ctx.store.projects.get(project.id))
      expect(await restored.ctx.store.ledger.verify({ openedBefore: 0 })).toEqual([])
      expect(await restored.ctx.store.adminUsers.findByName(owner.user.name)).not.toBeNull()
      const models = await fetch(`${restored.baseUrl}/models`, { headers: { authorization: `Bearer ${secret}` } })
      expect(models.status).toBe(200)
    } finally {
      await restored.stop()
    }
  })

  it('is consistent although requests go on while it is made', async () => {
    const { token, project } = await house.token()
    const { stream } = await startBackup(house.ctx, actor, { bodies: false })
    const pieces: Buffer[] = []
    for await (const piece of stream) {
      pieces.push(piece as Buffer)
      await keep(house, [aRequest({ tokenId: token.id, projectId: project.id })])
    }
    const restored = await startTestGateway({ dataDir: unpack(Buffer.concat(pieces)) })
    try {
      expect(await restored.ctx.store.ledger.verify({ openedBefore: 0 })).toEqual([])
    } finally {
      await restored.stop()
    }
  })

  it('has no key, and bodies only where that is asked for', async () => {
    writeFileSync(join(house.dataDir, 'encryption-key'), 'secret')
    writeFileSync(join(house.dataDir, 'management-token'), 'secret')
    // A month of bodies, as an empty database.
    writeFileSync(join(house.dataDir, 'bodies-2026-11.db'), readFileSync(join(house.dataDir, 'llm-proxy.db')))
    const without = readdirSync(unpack((await download()).archive))
    expect(without.filter((name) => /key|token|bodies/.test(name))).toEqual([])
    expect(readdirSync(unpack((await download({ bodies: 'on' })).archive))).toContain('bodies-2026-11.db')
  })

  it('is written down, with who took it, and leaves nothing behind', async () => {
    await download()
    expect(await audited()).toMatchObject([
      { actor: `admin:${owner.user.name}`, outcome: 'success', after: { bodies: false } },
    ])
    await eventually(() => leftovers().length === 0, 'the copies to be gone')
  })

  it('that nobody reads to its end leaves no copies, is written down as broken off, and stands in nobody’s way', async () => {
    // More than the sockets on the way take.
    await keep(
      house,
      Array.from({ length: 3000 }, () => aRequest({ changes: ['x'.repeat(3000)] })),
    )
    const body = String(new URLSearchParams({ _csrf: await owner.csrf() }))
    await new Promise<void>((resolve, reject) => {
      const req = request(
        `${house.url}/admin/settings/data/backup`,
        {
          method: 'POST',
          agent: false,
          headers: {
            cookie: [...owner.cookies].map((pair) => pair.join('=')).join('; '),
            'content-type': 'application/x-www-form-urlencoded',
          },
        },
        (res) => {
          expect(res.statusCode).toBe(200)
          res.once('data', () => {
            res.destroy()
            resolve()
          })
        },
      )
      req.on('error', reject)
      req.end(body)
    })
    await eventually(async () => (await audited())[0]!.reason === 'client_closed', 'the row of what broke off')
    await eventually(() => leftovers().length === 0, 'the copies to be gone')
    await download()
  })

  it('leaves no copies where it is given up before anybody reads', async () => {
    const { stream } = await startBackup(house.ctx, actor, { bodies: false })
    expect(leftovers()).toHaveLength(1)
    stream.destroy()
    await eventually(() => leftovers().length === 0, 'the copies to be gone')
    await eventually(async () => (await audited()).length === 2, 'the row of what broke off')
  })

  // What is open shows in a folder of Linux.
  const onLinux = existsSync('/proc/self/fd') ? it : it.skip
  onLinux('keeps no file open that is deleted, wherever its reader goes away', async () => {
    const open = () =>
      readdirSync('/proc/self/fd').flatMap((fd) => {
        try {
          const path = readlinkSync(`/proc/self/fd/${fd}`)
          return path.includes('backup-tmp-') ? [path] : []
        } catch {
          // Closed meanwhile.
          return []
        }
      })
    for (let i = 0; i < 10; i++) {
      const { stream } = await startBackup(house.ctx, actor, { bodies: false })
      stream.on('data', (piece: Buffer) => {
        if (piece.subarray(0, 12).equals(Buffer.from('llm-proxy.db'))) stream.destroy()
      })
      await once(stream, 'close')
      await eventually(() => leftovers().length === 0, 'the copies to be gone')
    }
    expect(open()).toEqual([])
  })

  it('is made one at a time: who comes second is told', async () => {
    const first = await startBackup(house.ctx, actor, { bodies: false })
    const answer = await owner.post('/admin/settings/data/backup')
    expect(answer.status).toBe(409)
    expect(answer.html).toContain('Another backup is under way')
    first.stream.destroy()
  })

  it('is refused while there is no room for the copies, and says how much is needed', async () => {
    const cramped = createBackups(join(house.dataDir, 'llm-proxy.db'), { reserveBytes: 2 ** 60 })
    const store = { ...house.ctx.store, backups: cramped }
    await expect(startBackup({ ...house.ctx, store }, actor, { bodies: false })).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(/need \d+ MB of room/),
    })
    expect(leftovers()).toEqual([])
    expect(await audited()).toMatchObject([{ outcome: 'failure', reason: 'conflict' }])
  })

  it.each(['admin', 'viewer'] as const)('is not for a %s, who is not even offered one', async (role) => {
    const visitor = await house.as(role)
    expect((await visitor.get('/admin/settings/data')).html).not.toContain('Download a backup')
    expect((await visitor.post('/admin/settings/data/backup')).status).toBe(403)
  })
})

describe('a header of the archive', () => {
  it('takes files of more than 8 GB, and refuses names that it would cut', () => {
    const big = tarHeader({ name: 'a', sizeBytes: 20 * 2 ** 30, modifiedAt: 0 })
    expect([big[124], big.readBigUInt64BE(128)]).toEqual([0x80, BigInt(20 * 2 ** 30)])
    expect(() => tarHeader({ name: 'x'.repeat(101), sizeBytes: 0, modifiedAt: 0 })).toThrow(RangeError)
  })
})
