import { beforeEach, describe, expect, it } from '@jest/globals'
import { generateToken, hashToken } from '../../src/domain/secrets.ts'
import { type Caller, createTokenIndex, type TokenIndex } from '../../src/domain/token-index.ts'
import type { Project, ProviderKey, Token } from '../../src/store/store.ts'

type Found = { token: Token; project: Project; keys: ProviderKey[] }

const project: Project = {
  id: 'proj_1',
  name: 'p',
  isActive: true,
  allowedModels: null,
  rateLimit: null,
  budgets: null,
  metadata: {},
  createdAt: 0,
  updatedAt: 0,
}
const key = (id: string): ProviderKey => ({
  id,
  projectId: 'proj_1',
  provider: 'openai',
  sealed: `sealed ${id}`,
  last4: '0000',
  weight: 2,
  createdAt: 0,
})

/** A database that counts how often it is asked, and answers when it is told to. */
let state: {
  revision: number
  asked: string[]
  tokens: Map<string, Found>
  gates: Promise<void>[]
  unreadable: string[]
}
let index: TokenIndex

const make = (limits: { maxTokens?: number; maxUnknown?: number } = {}) =>
  createTokenIndex({
    store: {
      revision: () => state.revision,
      tokens: {
        findByHash: async (hash) => {
          state.asked.push(hash)
          const answer = state.tokens.get(hash) ?? null
          await state.gates.shift()
          return answer
        },
      },
    } as Parameters<typeof createTokenIndex>[0]['store'],
    openKey: (sealed) => {
      if (sealed.includes('broken')) throw new Error('sealed with another key')
      return sealed.replace('sealed', 'open')
    },
    toIpList: (ranges) => ({ allows: (address) => ranges.includes(address) }),
    onUnreadableKey: ({ id }) => void state.unreadable.push(id),
    ...limits,
  })

/** A token in the database. */
function add(fields: Partial<Token> = {}, keys: ProviderKey[] = []): string {
  const secret = generateToken()
  const token = { id: `tok_${state.tokens.size}`, hash: hashToken(secret), allowedIps: null, ...fields } as Token
  state.tokens.set(token.hash, { token, project, keys })
  return secret
}

beforeEach(() => {
  state = { revision: 1, asked: [], tokens: new Map(), gates: [], unreadable: [] }
  index = make()
})

const idOf = (caller: Caller | null) => caller?.token.id ?? null
const gate = () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  state.gates.push(promise)
  return resolve
}

describe('a token', () => {
  it('is looked up in the database once, and then found without waiting', async () => {
    const secret = add()
    expect(idOf(await index.find(secret))).toBe('tok_0')
    const again = index.find(secret)
    expect(again).not.toBeInstanceOf(Promise)
    expect(idOf(again as Caller)).toBe('tok_0')
    expect(state.asked).toEqual([hashToken(secret)])
  })

  it('that nobody made is asked for once', async () => {
    const stranger = generateToken()
    for (let i = 0; i < 5; i++) expect(await index.find(stranger)).toBeNull()
    expect(state.asked).toHaveLength(1)
  })

  it('that does not look like one is not asked for at all', async () => {
    for (const odd of ['', 'sk-short', 'x'.repeat(100_000), '../../etc/passwd'])
      expect(await index.find(odd)).toBeNull()
    expect(state.asked).toEqual([])
  })

  it('comes with its keys opened and its addresses read', async () => {
    const caller = await index.find(add({ allowedIps: ['10.0.0.1'] }, [key('key_a')]))
    expect(caller?.keys).toEqual([{ id: 'key_a', provider: 'openai', secret: 'open key_a', weight: 2 }])
    expect([caller?.ipList?.allows('10.0.0.1'), caller?.ipList?.allows('10.0.0.2')]).toEqual([true, false])
    expect((await index.find(add()))?.ipList).toBeNull()
  })

  it('is served without a key that cannot be opened, and somebody is told', async () => {
    const caller = await index.find(add({}, [key('broken'), key('key_b')]))
    expect(caller?.keys.map(({ id }) => id)).toEqual(['key_b'])
    expect(state.unreadable).toEqual(['broken'])
  })
})

describe('a change', () => {
  it('is in force with the next look-up', async () => {
    const secret = add()
    await index.find(secret)
    state.tokens.get(hashToken(secret))!.token = { ...state.tokens.get(hashToken(secret))!.token, revokedAt: 5 }
    expect((await index.find(secret))?.token.revokedAt).toBeUndefined()
    state.revision++
    expect((await index.find(secret))?.token.revokedAt).toBe(5)
  })

  it('makes a token known that was not', async () => {
    const secret = generateToken()
    expect(await index.find(secret)).toBeNull()
    state.tokens.set(hashToken(secret), { token: { id: 'tok_new', allowedIps: null } as Token, project, keys: [] })
    state.revision++
    expect(idOf(await index.find(secret))).toBe('tok_new')
  })

  it.each([
    ['while the database is asked', 0],
    ['and another request saw it first', 1],
  ])('that comes %s is not hidden by the old answer', async (_when, others) => {
    const secret = add()
    const hash = hashToken(secret)
    const open = gate()
    const early = index.find(secret)
    state.tokens.delete(hash)
    state.revision++
    for (let i = 0; i < others; i++) expect(await index.find(generateToken())).toBeNull()
    open()
    expect(idOf(await early)).toBe('tok_0')
    expect(await index.find(secret)).toBeNull()
  })

  it('that comes while an unknown token is asked for is not hidden either', async () => {
    const secret = generateToken()
    const open = gate()
    const early = index.find(secret)
    state.tokens.set(hashToken(secret), { token: { id: 'tok_new', allowedIps: null } as Token, project, keys: [] })
    state.revision++
    open()
    expect(await early).toBeNull()
    expect(idOf(await index.find(secret))).toBe('tok_new')
  })

  it('back and forth between question and answer is a change', async () => {
    const secret = add()
    const open = gate()
    const early = index.find(secret)
    state.revision = 2
    await index.find(generateToken())
    state.tokens.delete(hashToken(secret))
    state.revision = 3
    open()
    await early
    expect(await index.find(secret)).toBeNull()
  })
})

describe('memory', () => {
  it('holds the tokens used last, no more than it may', async () => {
    index = make({ maxTokens: 3 })
    const secrets = Array.from({ length: 5 }, () => add())
    for (const secret of secrets) await index.find(secret)
    state.asked.length = 0
    for (const secret of secrets.slice(2)) await index.find(secret)
    expect(state.asked).toEqual([])
    await index.find(secrets[0]!)
    expect(state.asked).toHaveLength(1)
  })

  it('of strangers is bounded, and they do not push out callers', async () => {
    index = make({ maxTokens: 3, maxUnknown: 2 })
    const secret = add()
    await index.find(secret)
    const strangers = Array.from({ length: 50 }, generateToken)
    for (const stranger of strangers) await index.find(stranger)
    state.asked.length = 0
    await index.find(secret)
    await index.find(strangers[49]!)
    expect(state.asked).toEqual([])
    await index.find(strangers[0]!)
    expect(state.asked).toHaveLength(1)
  })
})

it('passes on that the database failed, and asks again', async () => {
  const secret = add()
  state.gates.push(Promise.reject(new Error('disk')))
  await expect(Promise.resolve(index.find(secret))).rejects.toThrow('disk')
  expect(idOf(await index.find(secret))).toBe('tok_0')
})
