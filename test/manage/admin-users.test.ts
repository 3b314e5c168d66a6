import { describe, expect, it } from '@jest/globals'
import { anError, given } from './given.ts'

const PASSWORD = 'a fine long password'
const client = { ip: '203.0.113.7', userAgent: 'jest' }

async function givenOwner() {
  const all = await given()
  const make = async (fields: object) => (await all.post('/manage/admin-users', { role: 'viewer', ...fields })).body
  const ann = await make({ name: 'ann@example.com', role: 'owner', password: PASSWORD })
  const signIn = (password = PASSWORD) => all.gateway.ctx.admin.signIn({ name: 'ann@example.com', password }, client)
  return { ...all, make, ann, signIn, sessions: async () => (await all.get('/manage/admin-sessions')).body.data }
}

describe('/manage/admin-users', () => {
  it('creates a user who can sign in, and never gives the password back', async () => {
    const { ann, signIn, get, audit } = await givenOwner()
    expect(ann).toEqual({
      id: expect.stringMatching(/^usr_/),
      name: 'ann@example.com',
      role: 'owner',
      project_id: null,
      is_active: true,
      has_password: true,
      single_sign_on: false,
      second_factor: false,
      recovery_codes: 0,
      last_sign_in_at: null,
      created_at: expect.any(String),
      updated_at: expect.any(String),
    })
    expect(await signIn()).toMatchObject({ outcome: 'signed_in' })
    expect((await get(`/manage/admin-users/${ann.id}`)).body).toEqual({ ...ann, last_sign_in_at: expect.any(String) })
    const rows = await audit('action=admin_user.create')
    expect(rows).toMatchObject([{ actor: 'management_token', target_id: ann.id, after: { has_password: true } }])
    expect(JSON.stringify([ann, rows])).not.toMatch(/fine long|argon2/)
  })

  it('lists users page by page, newest first', async () => {
    const { make, pages } = await givenOwner()
    await make({ name: 'bob' })
    await make({ name: 'eve' })
    const found = await pages('/manage/admin-users', 2)
    expect(found.map((page) => page.map(({ name }) => name))).toEqual([['eve', 'bob'], ['ann@example.com']])
  })

  it('changes and deletes users', async () => {
    const { make, patch, delete: remove, get, project } = await givenOwner()
    const { id } = await make({ name: 'bob', password: PASSWORD })
    const project_id = (await project()).id
    expect((await patch(`/manage/admin-users/${id}`, { name: 'bobby', project_id })).body).toMatchObject({
      name: 'bobby',
      role: 'viewer',
      project_id,
    })
    expect((await remove(`/manage/admin-users/${id}`)).status).toBe(204)
    expect((await remove(`/manage/admin-users/${id}`)).status).toBe(204)
    const gone = await get(`/manage/admin-users/${id}`)
    expect([gone.status, gone.body]).toEqual([404, anError('not_found')])
  })

  it('says what is wrong', async () => {
    const { post, patch, delete: remove, ann } = await givenOwner()
    const weak = await post('/manage/admin-users', { name: 'bob', role: 'admin', password: 'short' })
    expect([weak.status, weak.body]).toEqual([
      422,
      anError('validation_failed', { password: 'must have at least 12 characters' }),
    ])
    const taken = await post('/manage/admin-users', { name: 'ANN@example.com', role: 'admin' })
    expect(taken.body).toEqual(anError('conflict', { name: 'is taken by another admin user' }))
    for (const last of [
      await remove(`/manage/admin-users/${ann.id}`),
      await patch(`/manage/admin-users/${ann.id}`, { is_active: false }),
    ])
      expect([last.status, last.body]).toEqual([409, anError('conflict')])
  })

  it('lets a user in no more who is made inactive or has a new password', async () => {
    const { ann, patch, make, signIn, sessions } = await givenOwner()
    await make({ name: 'second', role: 'owner', password: PASSWORD })
    await signIn()
    await patch(`/manage/admin-users/${ann.id}`, { password: 'quite another password' })
    expect(await sessions()).toEqual([])
    expect(await signIn()).toEqual({ outcome: 'refused' })
    await signIn('quite another password')
    expect(await sessions()).toHaveLength(1)
    await patch(`/manage/admin-users/${ann.id}`, { is_active: false })
    expect(await sessions()).toEqual([])
    expect(await signIn('quite another password')).toEqual({ outcome: 'refused' })
  })
})

describe('/manage/admin-sessions', () => {
  it('lists who is signed in without what could be used, also of one user, and ends a session', async () => {
    const { ann, signIn, sessions, get, delete: remove, audit } = await givenOwner()
    const signedIn = await signIn()
    if (signedIn.outcome !== 'signed_in') throw new Error(signedIn.outcome)
    const [session] = await sessions()
    expect(session).toEqual({
      id: expect.stringMatching(/^ses_/),
      user_id: ann.id,
      method: 'password',
      ip: client.ip,
      user_agent: client.userAgent,
      created_at: expect.any(String),
      last_seen_at: expect.any(String),
      expires_at: expect.any(String),
    })
    expect((await get(`/manage/admin-sessions?user_id=${ann.id}`)).body.data).toHaveLength(1)
    expect((await get('/manage/admin-sessions?user_id=usr_none')).body.data).toEqual([])
    expect((await remove(`/manage/admin-sessions/${session!.id}`)).status).toBe(204)
    expect((await remove(`/manage/admin-sessions/${session!.id}`)).status).toBe(204)
    expect(await sessions()).toEqual([])
    expect(await audit('action=admin_session.revoke')).toHaveLength(2)
  })
})
