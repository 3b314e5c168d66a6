import { afterAll, expect, it } from '@jest/globals'
import { TOTP } from 'otpauth'
import { changeOwnPassword } from '../../src/domain/admin-users.ts'
import { adminActor } from '../../src/domain/audit.ts'
import { beginTotp, confirmTotp } from '../../src/domain/totp.ts'
import { makeFolder } from '../helpers/folder.ts'
import { MANAGEMENT_TOKEN, startTestGateway } from '../helpers/gateway.ts'
import { ask } from '../helpers/http.ts'
import { filesBelow, letters, Planted } from './planted.ts'

const dataDir = makeFolder()
const gateway = await startTestGateway({ dataDir })
afterAll(() => gateway.stop())

it('nothing that lets an admin in is in the log, in an answer or in a file, but the hashes', async () => {
  const { ctx, url } = gateway
  const { store, now, sealer, admin, log } = ctx
  const planted = new Planted()
  const client = { ip: '127.0.0.1', userAgent: 'jest' }
  const password = planted.plant('password', letters(24))
  const next = planted.plant('next password', letters(24))
  const wrong = planted.plant('wrong password', letters(24))
  const misplaced = planted.plant('password typed as a name', letters(24))
  const said: string[] = []

  const code = planted.plant('set-up code', (await admin.setup.code())!)
  await expect(admin.setup.complete(wrong, { name: 'ann', password }, client)).rejects.toThrow()
  await expect(admin.setup.complete(code, { name: 'ann', password, more: wrong }, client)).rejects.toThrow()
  const { user, secret: first } = await admin.setup.complete(code, { name: 'ann', password }, client)
  planted.plant('session of the set-up', first)

  await admin.signIn({ name: misplaced, password: wrong }, client)
  await admin.signIn({ name: 'ann', password: wrong }, client)
  const { secret } = await beginTotp(user)
  planted.plant('TOTP secret', secret)
  const codeAt = (at: number) => new TOTP({ secret }).generate({ timestamp: at })
  const actor = adminActor(user, client)
  const { recoveryCodes } = await confirmTotp({ store, now, sealer }, actor, user, secret, codeAt(now()))
  for (const [i, one] of recoveryCodes.entries()) {
    planted.plant(`recovery code ${i}`, one)
    planted.plant(`recovery code ${i} without dashes`, one.replaceAll('-', ''))
  }
  const signedIn = await admin.signIn({ name: 'ann', password, code: recoveryCodes[0]! }, client)
  if (signedIn.outcome !== 'signed_in') throw new Error(signedIn.outcome)
  planted.plant('session', signedIn.secret)
  const change = (current_password: string, new_password: string) =>
    changeOwnPassword({ store, now, throttle: admin.throttle }, actor, user, { current_password, new_password }, null)
  await expect(change(wrong, next)).rejects.toThrow()
  await change(password, next)

  const manage = async (method: string, path: string, body?: string) => {
    const headers = { authorization: `Bearer ${MANAGEMENT_TOKEN}` }
    const answer = await ask(`${url}/manage${path}`, { method, headers, ...(body !== undefined && { body }) })
    said.push(answer.body.toString('latin1'))
  }
  await manage('POST', '/admin-users', JSON.stringify({ name: 'bob', role: 'admin', password: next }))
  await manage('POST', '/admin-users', JSON.stringify({ name: 'bob', role: 'admin', password: next }))
  await manage('POST', '/admin-users', JSON.stringify({ name: 'eve', role: 'admin', pasword: next }))
  await manage('POST', '/admin-users', `{"name":"eve","password":"${next}`)
  await manage('PATCH', `/admin-users/${user.id}`, JSON.stringify({ password: wrong }))
  await manage('POST', '/admin-users', JSON.stringify({ name: 'new', role: 'viewer', password: ['x', next] }))
  for (const path of ['/admin-users', '/admin-sessions', '/audit?limit=200', '/status']) await manage('GET', path)
  // Whoever logs one of the generated ones by mistake does no harm either.
  log.info('a mistake', { code, secret, recovery: recoveryCodes[1] })

  expect(said.join()).toContain('"name":"ann"')
  expect(said.join()).toContain('admin_user.change_password')
  expect(planted.foundIn(said.join('\n'))).toEqual([])
  expect(planted.foundIn(gateway.logs())).toEqual([])
  const files = filesBelow(dataDir)
  expect(files.map(([name]) => name)).toContain('llm-proxy.db')
  expect(files.some(([, bytes]) => bytes.includes('$argon2id$'))).toBe(true)
  for (const [name, bytes] of files) expect([name, planted.foundIn(bytes)]).toEqual([name, []])
})
