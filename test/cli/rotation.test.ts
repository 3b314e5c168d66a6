import { chownSync, copyFileSync, existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { encryptionKey } from '../../src/config/parsers.ts'
import { createSealer } from '../../src/domain/secrets.ts'
import { openStore } from '../../src/store/open.ts'
import { given as anyGiven, givenGateway } from './given.ts'

/** Two provider keys in a database, sealed with the key in the data folder, or with ENCRYPTION_KEY. */
async function given(options: Parameters<typeof anyGiven>[0] = {}) {
  const made = anyGiven(options)
  await made.print('project create a --provider-key openai=sk-one anthropic=sk-two')
  const file = (name: string) => join(made.dataDir, name)
  return {
    ...made,
    file,
    keyIn: (name: string) => encryptionKey.parse(readFileSync(file(name), 'utf8')),
    /** What the provider keys are, with this encryption key; throws when it does not open them. */
    openedWith: async (key: Buffer) => {
      const store = await openStore({ dataDir: made.dataDir })
      try {
        const project = await store.projects.findByName('a')
        const keys = await store.providerKeys.listByProject(project!.id)
        return keys.map(({ sealed }) => createSealer(key).open(sealed))
      } finally {
        await store.close()
      }
    },
  }
}

const SECRETS = ['sk-one', 'sk-two']
const OTHER_KEY = Buffer.alloc(32, 2)
const asEnv = (key: Buffer) => ({ env: { ENCRYPTION_KEY: key.toString('base64') } })

describe('rotate-encryption-key', () => {
  it('seals every provider key with a new key, in whose file nobody else can look, and keeps the old one', async () => {
    const { print, json, keyIn, file, openedWith } = await given()
    const before = keyIn('encryption-key')
    const out = await print('rotate-encryption-key')
    expect(out).toContain('Sealed 2 secrets with the new encryption key (provider keys and second factors).')
    expect(keyIn('encryption-key.old')).toEqual(before)
    expect(await openedWith(keyIn('encryption-key'))).toEqual(SECRETS)
    await expect(openedWith(before)).rejects.toThrow('sealed with encryption key')
    expect(existsSync(file('encryption-key.new'))).toBe(false)
    for (const name of ['encryption-key', 'encryption-key.old']) expect(statSync(file(name)).mode & 0o777).toBe(0o600)
    for (const name of ['encryption-key', 'encryption-key.old'])
      expect(out).not.toContain(readFileSync(file(name), 'utf8').trim())
    expect(await json('rotate-encryption-key')).toMatchObject({ resealed: 2, key_file: file('encryption-key') })
    expect(await openedWith(keyIn('encryption-key'))).toEqual(SECRETS)
  })

  const itAsRoot = process.getuid?.() === 0 ? it : it.skip
  itAsRoot("leaves the files to the gateway's user when root runs it", async () => {
    const { print, dataDir, file } = await given()
    chownSync(dataDir, 1234, 1234)
    await print('rotate-encryption-key')
    for (const name of ['encryption-key', 'encryption-key.old']) expect(statSync(file(name)).uid).toBe(1234)
  })

  it('takes a key of your own from stdin', async () => {
    const { print, keyIn, openedWith } = await given()
    await print('rotate-encryption-key --new-key -', { stdin: `${OTHER_KEY.toString('hex')}\n` })
    expect(keyIn('encryption-key')).toEqual(OTHER_KEY)
    expect(await openedWith(OTHER_KEY)).toEqual(SECRETS)
  })

  it('finishes what was interrupted before the database was written', async () => {
    const { print, keyIn, file, openedWith } = await given()
    writeFileSync(file('encryption-key.new'), OTHER_KEY.toString('base64'))
    await print('rotate-encryption-key')
    expect(keyIn('encryption-key')).toEqual(OTHER_KEY)
    expect(await openedWith(OTHER_KEY)).toEqual(SECRETS)
  })

  it('finishes what was interrupted between the database and the key file', async () => {
    const { print, cli, keyIn, file, openedWith } = await given()
    const before = keyIn('encryption-key')
    copyFileSync(file('encryption-key'), file('before'))
    await print('rotate-encryption-key')
    const next = keyIn('encryption-key')
    // The last step undone: this is how a power cut just before it leaves the folder.
    renameSync(file('encryption-key'), file('encryption-key.new'))
    renameSync(file('before'), file('encryption-key'))
    expect(await cli('doctor')).toMatchObject({ code: 1, out: expect.stringContaining('it goes on where it was') })

    expect(await cli(`rotate-encryption-key --new-key ${OTHER_KEY.toString('base64')}`)).toMatchObject({
      code: 1,
      err: expect.stringContaining('An earlier rotation was interrupted'),
    })
    expect(await print('rotate-encryption-key')).toContain('Sealed 2 secrets')
    expect(keyIn('encryption-key')).toEqual(next)
    expect(keyIn('encryption-key.old')).toEqual(before)
    expect(await openedWith(next)).toEqual(SECRETS)
  })

  it('changes nothing when a provider key opens with neither', async () => {
    const { cli, keyIn, file } = await given()
    const store = await openStore({ dataDir: file('.') })
    await store.providerKeys.resealAll(() => createSealer(Buffer.alloc(32, 3)).seal('lost'), {
      ...{ id: 'aud_1', at: 0, actor: 'test', ip: null, userAgent: null, action: 'test' },
      ...{ targetId: null, projectId: null, outcome: 'success', reason: null },
    })
    await store.close()
    const before = keyIn('encryption-key')
    expect(await cli('rotate-encryption-key')).toMatchObject({
      code: 1,
      err: expect.stringContaining('nothing was changed'),
    })
    expect(keyIn('encryption-key')).toEqual(before)
  })

  it('asks for the new key where ENCRYPTION_KEY is set, and then says to set it', async () => {
    const current = Buffer.alloc(32, 1)
    const { cli, print, file, openedWith } = await given(asEnv(current))
    expect(await cli('rotate-encryption-key')).toMatchObject({ code: 2, err: expect.stringContaining('--new-key') })
    expect(await openedWith(current)).toEqual(SECRETS)
    const out = await print('rotate-encryption-key --new-key -', { stdin: OTHER_KEY.toString('base64') })
    expect(out).toContain('Now set ENCRYPTION_KEY to the new key')
    expect(out).not.toContain(OTHER_KEY.toString('base64'))
    expect(await openedWith(OTHER_KEY)).toEqual(SECRETS)
    expect(existsSync(file('encryption-key'))).toBe(false)
  })

  it('refuses while a gateway runs, which would go on with the old key', async () => {
    const { cli, gateway } = await givenGateway()
    const line = `rotate-encryption-key --new-key ${OTHER_KEY.toString('base64')}`
    expect(await cli(line)).toMatchObject({
      code: 1,
      err: expect.stringContaining(`A gateway is running at ${gateway.url}: stop it first`),
    })
    expect((await cli(`${line} --force`)).code).toBe(0)
  })

  it('refuses the key in use, a key that is none, and a folder without one', async () => {
    const { cli, keyIn } = await given()
    const same = keyIn('encryption-key').toString('hex')
    expect(await cli(`rotate-encryption-key --new-key ${same}`)).toMatchObject({
      code: 2,
      err: expect.stringContaining('the one in use'),
    })
    expect(await cli('rotate-encryption-key --new-key short')).toMatchObject({
      code: 2,
      err: expect.stringContaining('32 bytes'),
    })
    expect(await anyGiven().cli('rotate-encryption-key')).toMatchObject({
      code: 1,
      err: expect.stringContaining('There is no encryption key'),
    })
  })
})
