import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { parsePath } from '../../../src/proxy/request-path.ts'

describe('another spelling of an endpoint', () => {
  it.each([
    '/v1/chat/completions',
    '/v1/chat/completions/',
    '/v1//chat///completions',
    '//v1/chat/completions',
    '/v1/chat%2Fcompletions',
    '/v1/chat%2fcompletions/',
    '/v1/%63hat/completions',
    '/v1/chat\\completions',
    '/v1/chat%5Ccompletions',
  ])('is the same endpoint to limits and allow-lists: %s', (path) => {
    expect(parsePath(path)).toMatchObject({ endpoint: '/v1/chat/completions', problem: null })
  })

  it('reaches the provider as it was spelled', () => {
    expect(parsePath('/v1/files/a%2Fb/content').below).toBe('/files/a%2Fb/content')
    expect(parsePath('/v1/files/a%20b//').below).toBe('/files/a%20b//')
    expect(parsePath('/v1').below).toBe('')
    expect(parsePath('/v1/').below).toBe('/')
  })

  it('of other case is another endpoint', () => {
    expect(parsePath('/v1/Chat/Completions').endpoint).toBe('/v1/Chat/Completions')
  })
})

describe('a path that could leave /v1', () => {
  it.each([
    '/v1/../manage',
    '/v1/..',
    '/v1/./models',
    '/v1/files/../../admin',
    '/v1/%2e%2e/manage',
    '/v1/.%2E/manage',
    '/v1/..%2Fmanage',
    '/v1/..\\manage',
    '/v1/a/%5C..%5Cb',
    '/v1/.',
    '/v1/%2e',
  ])('is refused: %s', (path) => {
    expect(parsePath(path).problem).toMatchObject({ code: 'unknown_route', status: 404 })
  })

  it.each(['/v1/%', '/v1/%zz', '/v1/%c3%28', '/v1/%ff'])('is refused with a broken escape: %s', (path) => {
    expect(parsePath(path).problem).toMatchObject({ code: 'unknown_route' })
  })

  it.each(['/v1/models/...', '/v1/files/.hidden', '/v1/files/a..b', '/v1/models/gpt-4.1', '/v1/..a', '/v1/a..'])(
    'is not one that merely has dots: %s',
    (path) => {
      expect(parsePath(path)).toMatchObject({ endpoint: path, problem: null })
    },
  )

  it('is known by its plain reading, whatever is in it', () => {
    const segment = fc.string({
      unit: fc.constantFrom('.', '/', '%2e', '%2F', '%5c', '\\', 'a', ':', '%41', '%'),
      maxLength: 8,
    })
    fc.assert(
      fc.property(segment, (text) => {
        const path = `/v1/${text}`
        const { endpoint, problem } = parsePath(path)
        let decoded: string
        try {
          decoded = decodeURIComponent(path)
        } catch {
          return expect(problem).not.toBeNull()
        }
        const segments = decoded.split(/[/\\]/).filter((one) => one !== '')
        expect(problem !== null).toBe(segments.includes('.') || segments.includes('..'))
        if (problem === null) expect(endpoint).toBe(`/${segments.join('/')}`)
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('a query', () => {
  it('passes as it is', () => {
    expect(parsePath('/v1/models?limit=2&after=a%20b&x').query).toBe('?limit=2&after=a%20b&x')
    expect(parsePath('/v1/models?').query).toBe('?')
    expect(parsePath('/v1/models?a=b?c=d').query).toBe('?a=b?c=d')
    expect(parsePath('/v1/models').query).toBe('')
  })

  it('keeps our credential from the provider', () => {
    expect(parsePath('/v1/models?key=sk-a').query).toBe('')
    expect(parsePath('/v1/models?a=1&key=sk-a&b=2&KEY=x&api_key=y').query).toBe('?a=1&b=2')
    expect(parsePath('/v1/models?monkey=1&key=sk-a').query).toBe('?monkey=1')
    expect(parsePath('/v1/models?monkey=1').query).toBe('?monkey=1')
  })

  it('keeps our credential from the provider, however its name is escaped', () => {
    expect(parsePath('/v1/models?monkey=1&k%65y=sk-a').query).toBe('?monkey=1')
  })

  it('is no part of the path that is decided about', () => {
    expect(parsePath('/v1/models?x=/../..').problem).toBeNull()
    expect(parsePath('/v1/models?x=%').endpoint).toBe('/v1/models')
  })
})
