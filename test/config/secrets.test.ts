import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { resolveSecrets } from '../../src/config/secrets.ts'
import { makeFolder } from '../helpers/folder.ts'
import { problemsIn } from './load-from.ts'

const nothing = { managementToken: null, encryptionKey: null }
const newDataDir = () => join(makeFolder(), 'data')

describe('generated secrets', () => {
  it('are made on first start, in files that only their owner can read', () => {
    const dataDir = newDataDir()
    const secrets = resolveSecrets({ dataDir, ...nothing })
    expect(secrets.encryptionKey).toHaveLength(32)
    expect(secrets.managementToken).toMatch(/^[\w-]{43}$/)
    expect(secrets.managementTokenFile).toBe(join(dataDir, 'management-token'))
    expect(secrets.warnings).toEqual([])
    expect(statSync(dataDir).mode & 0o777).toBe(0o700)
    expect(readdirSync(dataDir).sort()).toEqual(['encryption-key', 'management-token'])
    for (const name of readdirSync(dataDir)) expect(statSync(join(dataDir, name)).mode & 0o777).toBe(0o600)
  })

  it('are the same on the next start', () => {
    const dataDir = newDataDir()
    expect(resolveSecrets({ dataDir, ...nothing })).toEqual(resolveSecrets({ dataDir, ...nothing }))
  })

  it('are not made when the secrets are configured', () => {
    const dataDir = newDataDir()
    const configured = { managementToken: 'a-management-token', encryptionKey: Buffer.alloc(32) }
    expect(resolveSecrets({ dataDir, ...configured })).toEqual({
      ...configured,
      managementTokenFile: null,
      warnings: [],
    })
    expect(() => statSync(dataDir)).toThrow('ENOENT')
  })

  it('are one and the same for processes that start at once', async () => {
    const dataDir = newDataDir()
    const module = JSON.stringify(new URL('../../src/config/secrets.ts', import.meta.url))
    const code = `
      const { resolveSecrets } = await import(${module})
      process.stdin.once('data', () => {
        const { managementToken, encryptionKey } = resolveSecrets({ dataDir: process.argv[1], managementToken: null, encryptionKey: null })
        console.log(managementToken, encryptionKey.toString('hex'))
        process.exit()
      })
      console.log('ready')`
    const children = Array.from({ length: 4 }, () => spawn(process.execPath, ['-e', code, dataDir]))
    await Promise.all(children.map((child) => nextOutput(child)))
    const answers = children.map((child) => nextOutput(child))
    for (const child of children) child.stdin.write('go\n')
    const [first, ...others] = await Promise.all(answers)
    for (const other of others) expect(other).toBe(first)
    expect(readFileSync(join(dataDir, 'management-token'), 'utf8').trim()).toBe(first?.split(' ')[0])
    expect(readdirSync(dataDir)).toHaveLength(2)
  })

  it('may be put there by hand, the key in hex as well', () => {
    const dataDir = newDataDir()
    mkdirSync(dataDir)
    writeFileSync(join(dataDir, 'encryption-key'), `${'ab'.repeat(32)}\n`, { mode: 0o600 })
    expect(resolveSecrets({ dataDir, ...nothing }).encryptionKey).toEqual(Buffer.alloc(32, 0xab))
  })

  it('are never replaced: damaged files stop the start, all of them named', () => {
    const dataDir = newDataDir()
    mkdirSync(dataDir)
    writeFileSync(join(dataDir, 'management-token'), 'short\n')
    writeFileSync(join(dataDir, 'encryption-key'), '')
    expect(problemsIn(() => resolveSecrets({ dataDir, ...nothing }))).toEqual([
      expect.stringMatching(/^MANAGEMENT_TOKEN: the file .*management-token is damaged/),
      expect.stringMatching(/^ENCRYPTION_KEY: the file .*encryption-key is damaged/),
    ])
    expect(readFileSync(join(dataDir, 'encryption-key'), 'utf8')).toBe('')
  })

  it('come with a warning when others can read them', () => {
    const dataDir = newDataDir()
    resolveSecrets({ dataDir, ...nothing })
    chmodSync(join(dataDir, 'encryption-key'), 0o644)
    expect(resolveSecrets({ dataDir, ...nothing }).warnings).toEqual([
      `${join(dataDir, 'encryption-key')}: others can read it (mode 644); chmod 600 it`,
    ])
  })

  it('name DATA_DIR when the folder cannot be made', () => {
    const dataDir = join(makeFolder({ file: '' }), 'file', 'data')
    expect(problemsIn(() => resolveSecrets({ dataDir, ...nothing }))[0]).toMatch(/^DATA_DIR: cannot use /)
  })
})

function nextOutput(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.stdout?.once('data', (chunk: Buffer) => resolve(chunk.toString().trim()))
  })
}
