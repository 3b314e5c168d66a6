import { describe, expect, it } from '@jest/globals'
import { createIpList } from '../../../src/domain/ip-list.ts'
import { authorize, credentialOf } from '../../../src/proxy/authenticate.ts'
import type { Project, Token } from '../../../src/store/store.ts'
import { caller } from './caller.ts'

describe('a credential', () => {
  it.each([
    [{ authorization: 'Bearer sk-a' }, 'sk-a'],
    [{ authorization: 'bearer   sk-a ' }, 'sk-a'],
    [{ authorization: 'BEARER sk-a', 'x-api-key': 'sk-b' }, 'sk-a'],
    [{ 'x-api-key': 'sk-b' }, 'sk-b'],
    [{ 'x-goog-api-key': 'sk-c' }, 'sk-c'],
    [{ 'x-api-key': 'sk-b', 'x-goog-api-key': 'sk-c' }, 'sk-b'],
    [{ authorization: 'Basic c2s6YQ==' }, null],
    [{ authorization: 'Bearersk-a' }, null],
    [{ authorization: 'sk-a' }, null],
    [{ authorization: '' }, null],
    [{}, null],
  ])('in headers %j is %j', (headers, expected) => {
    expect(credentialOf({ headers, url: '/v1/models' })).toBe(expected)
  })

  it.each([
    ['/v1/models?key=sk-a', 'sk-a'],
    ['/v1/models?x=1&key=sk%2Da&y', 'sk-a'],
    ['/v1/models?monkey=sk-a', null],
    ['/v1/models?key=', ''],
    ['/v1/key=sk-a', null],
    ['/v1/models', null],
  ])('in %s is %j', (url, expected) => {
    expect(credentialOf({ headers: {}, url })).toBe(expected)
  })

  it('in the query is not looked at where there is a header, of whatever kind', () => {
    expect(credentialOf({ headers: { authorization: 'Basic x' }, url: '/v1/models?key=sk-a' })).toBeNull()
  })
})

describe('what a caller may do', () => {
  const NOW = 1_000
  const ask = (
    token: Partial<Token>,
    project: Partial<Project> = {},
    { endpoint = '/v1/chat/completions', address = '10.0.0.1' } = {},
  ) => {
    const who = caller({ token, project })
    authorize(
      { ...who, ipList: token.allowedIps ? createIpList(token.allowedIps) : null },
      endpoint,
      () => address,
      NOW,
    )
  }
  const refused = (code: string) => expect.objectContaining({ code })

  it.each<[string, Partial<Token>, Partial<Project>]>([
    ['token_revoked', { revokedAt: 5 }, {}],
    ['token_revoked', { isActive: false }, {}],
    ['token_expired', { expiresAt: NOW }, {}],
    ['token_expired', { expiresAt: 1 }, {}],
    ['project_inactive', {}, { isActive: false }],
    ['token_revoked', { revokedAt: 5, expiresAt: 1 }, { isActive: false }],
    ['token_expired', { expiresAt: 1 }, { isActive: false }],
    ['ip_not_allowed', { allowedIps: ['10.0.0.2'] }, {}],
    ['ip_not_allowed', { allowedIps: [] }, {}],
    ['endpoint_not_allowed', { allowedEndpoints: ['/v1/models'] }, {}],
    ['endpoint_not_allowed', { allowedEndpoints: [] }, {}],
  ])('is refused with %s for token %j in project %j', (code, token, project) => {
    expect(() => ask(token, project)).toThrow(refused(code))
  })

  it.each<[Partial<Token>, object]>([
    [{}, {}],
    [{ expiresAt: NOW + 1 }, {}],
    [{ allowedIps: ['10.0.0.0/8'] }, { address: '::ffff:10.9.9.9' }],
    [{ allowedEndpoints: ['/v1/chat/*'] }, {}],
    [{ allowedEndpoints: ['/v1/models', '/v1/chat/completions'] }, {}],
  ])('is granted to token %j asking %j', (token, request) => {
    expect(() => ask(token, {}, request)).not.toThrow()
  })

  it('depends on an address that is known: without one, a list of addresses lets nobody in', () => {
    expect(() => ask({ allowedIps: ['0.0.0.0/0', '::/0'] }, {}, { address: '' })).toThrow(refused('ip_not_allowed'))
  })
})
