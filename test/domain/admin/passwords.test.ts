import { describe, expect, it } from '@jest/globals'
import { DUMMY_HASH, hashPassword, passwordProblem, verifyPassword } from '../../../src/domain/passwords.ts'

const GOOD = 'correct battery staple'

describe('passwords', () => {
  it('are kept as argon2id with 19 MiB and two passes, each with its own salt', async () => {
    const [one, two] = await Promise.all([hashPassword(GOOD), hashPassword(GOOD)])
    expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,p=1,t=2\$[\w+/]{22}\$[\w+/]{43}$/)
    expect(one).not.toBe(two)
    expect(await verifyPassword(one, GOOD)).toBe(true)
    expect(await verifyPassword(one, `${GOOD} `)).toBe(false)
    expect(await verifyPassword(one, '')).toBe(false)
  })

  it('are the same however a keyboard writes their letters', async () => {
    const hash = await hashPassword('Grüße aus Köln'.normalize('NFD'))
    expect(await verifyPassword(hash, 'Grüße aus Köln'.normalize('NFC'))).toBe(true)
  })

  it('are compared at the same cost with a hash that is nobody’s, and never match it', async () => {
    const cost = (hash: string) => hash.split('$').slice(0, 4)
    expect(cost(DUMMY_HASH)).toEqual(cost(await hashPassword(GOOD)))
    for (const password of ['', GOOD, 'x'.repeat(100_000)])
      expect(await verifyPassword(DUMMY_HASH, password)).toBe(false)
  })

  it('of a megabyte are wrong, and cost no more than others', async () => {
    expect(await verifyPassword(await hashPassword(GOOD), 'x'.repeat(1_000_000))).toBe(false)
  })

  it('are looked at two at a time; a crowd is told to come back, and nobody after it suffers', async () => {
    const results = await Promise.allSettled(Array.from({ length: 50 }, () => verifyPassword(DUMMY_HASH, GOOD)))
    const refused = results.filter(({ status }) => status === 'rejected')
    expect(refused).toHaveLength(50 - 2 - 32)
    for (const { reason } of refused as PromiseRejectedResult[]) expect(reason).toMatchObject({ code: 'overloaded' })
    expect(await verifyPassword(await hashPassword(GOOD), GOOD)).toBe(true)
  })
})

describe('a new password', () => {
  it.each([
    GOOD,
    'xxxxyyyyzzzz1',
    '🔑🔒🔓🗝️🚪🏠🌳🌵🌷🌹🌻🌼',
    'only lower case letters',
    ' '.concat('leading space kept'),
    `${'ab c'.repeat(200)}${'q'.repeat(3)} tail of its own`,
  ])('may be %j', (password) => {
    expect(passwordProblem(password, 'ann@example.com')).toBeNull()
  })

  it.each([
    ['elevenchars', /at least 12/],
    ['🔑🔒🔓🗝🚪🏠🌳🌵🌷🌹🌻', /at least 12/],
    ['ö'.repeat(1025), /at most 1024/],
    ['Ann.Longname@example.com', /user name/],
    ['ann.longname', /user name/],
    ['aaaaaaaaaaaaaaa', /first that are guessed/],
    ['abcabcabcabcabc', /first that are guessed/],
    ['123412341234123', /first that are guessed/],
    ['Password-1234', /first that are guessed/],
    ['passw0rd!2026!', /first that are guessed/],
    ['Administrator', /first that are guessed/],
    ['qwertyuiop12', /first that are guessed/],
    ['correct horse battery staple', /first that are guessed/],
    ['changeme-please', /first that are guessed/],
  ])('may not be %j', (password, problem) => {
    expect(passwordProblem(password, 'ann.longname@example.com')).toMatch(problem)
  })
})
