import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import {
  ensureInstalled,
  type InstallState,
  installEnvironment,
  isFresh,
  npmCommand,
  readInstallState,
  withLock,
} from '../../scripts/install.js'
import { makeFolder } from '../helpers/folder.ts'

describe('deciding whether to install', () => {
  const installed: InstallState = { lockHash: 'a', lockMtimeMs: 10, stampHash: 'a', stampMtimeMs: 30, npmMtimeMs: 20 }

  it.each<[string, Partial<InstallState>, boolean]>([
    ['nothing when the lockfile is the one that was installed', {}, true],
    ['nothing when only the time of the lockfile changed', { lockMtimeMs: 99 }, true],
    ['when there is no node_modules', { stampHash: null, stampMtimeMs: null, npmMtimeMs: null }, false],
    ['when an installation broke off', { npmMtimeMs: null }, false],
    ['when the lockfile changed', { lockHash: 'b', lockMtimeMs: 40 }, false],
    ['when the lockfile changed, even to one with an older date', { lockHash: 'b', lockMtimeMs: 5 }, false],
    ['nothing after "npm ci" by hand', { stampHash: null, stampMtimeMs: null }, true],
    [
      'when the lockfile is newer than "npm ci" by hand',
      { stampHash: null, stampMtimeMs: null, lockMtimeMs: 21 },
      false,
    ],
    ['nothing after "npm install <package>" by hand', { lockHash: 'b', lockMtimeMs: 40, npmMtimeMs: 41 }, true],
  ])('installs %s', (_name, change, fresh) => {
    expect(isFresh({ ...installed, ...change })).toBe(fresh)
  })

  it('reads the state from the folder, and does nothing more when it is fresh', async () => {
    const root = makeFolder({ 'package-lock.json': '{}', 'node_modules/.package-lock.json': '{}' })
    utimesSync(join(root, 'package-lock.json'), 1, 1)
    const state = readInstallState(root)
    expect(state).toMatchObject({ lockMtimeMs: 1000, stampHash: null, stampMtimeMs: null })
    expect(state.lockHash).toMatch(/^[0-9a-f]{64}$/)
    await ensureInstalled(root)
    expect(existsSync(join(root, '.install-lock'))).toBe(false)
  })
})

describe('starting npm', () => {
  it('takes the npm that runs us, on its own Node', () => {
    expect(npmCommand({ npm_execpath: '/lib/npm/bin/npm-cli.js', npm_node_execpath: '/usr/bin/node' })).toEqual({
      file: '/usr/bin/node',
      args: ['/lib/npm/bin/npm-cli.js'],
      shell: false,
    })
  })

  it('takes the npm of the PATH when we were started without one, or by another package manager', () => {
    expect(npmCommand({}).file).toBe('npm')
    expect(npmCommand({ npm_execpath: '/lib/yarn.js', npm_node_execpath: '/usr/bin/node' }).file).toBe('npm')
  })

  it('keeps npm off the Node that it is about to replace', () => {
    const root = '/srv/app'
    const env = { PATH: [join(root, 'node_modules', '.bin'), '/usr/bin'].join(delimiter), A: 'b' }
    expect(installEnvironment(root, env)).toEqual({ PATH: '/usr/bin', A: 'b' })
  })
})

describe('two installations at once', () => {
  it('take turns', async () => {
    const lock = join(makeFolder(), 'lock')
    const events: string[] = []
    const work = (name: string) => async () => {
      events.push(`${name} begins`)
      await new Promise((resolve) => setImmediate(resolve))
      events.push(`${name} ends`)
    }
    const said: string[] = []
    const say = (line: string) => said.push(line)
    await Promise.all([withLock(lock, work('a'), { say }), withLock(lock, work('b'), { say })])
    expect(events).toEqual(['a begins', 'a ends', 'b begins', 'b ends'])
    expect(said).toEqual(['Another installation is under way; waiting for it …'])
    expect(existsSync(lock)).toBe(false)
  })

  it('release the lock when one fails', async () => {
    const lock = join(makeFolder(), 'lock')
    await expect(withLock(lock, () => Promise.reject(new Error('no network')))).rejects.toThrow('no network')
    expect(existsSync(lock)).toBe(false)
  })

  it('take over the lock of a process that is gone', async () => {
    const { pid } = spawnSync(process.execPath, ['-e', ''])
    const lock = join(makeFolder({ 'lock/pid': String(pid) }), 'lock')
    const holder = await withLock(lock, async () => readFileSync(join(lock, 'pid'), 'utf8'))
    expect(holder).toBe(String(process.pid))
  })

  it('take over a lock that nobody signed', async () => {
    const lock = join(makeFolder(), 'lock')
    mkdirSync(lock)
    utimesSync(lock, 1, 1)
    expect(await withLock(lock, async () => 'done')).toBe('done')
  })

  it('give up with the folder to remove when the other never ends', async () => {
    const folder = makeFolder()
    mkdirSync(join(folder, 'lock'))
    writeFileSync(join(folder, 'lock', 'pid'), String(process.pid))
    const waiting = withLock(join(folder, 'lock'), async () => {}, { say: () => {}, patienceMs: -1 })
    await expect(waiting).rejects.toThrow(`${join(folder, 'lock')}; remove it if none is running`)
  })
})
