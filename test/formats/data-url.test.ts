import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { dataUrl, readUrl } from '../../src/formats/data-url.ts'

describe('an address', () => {
  it('of data is its bytes and their type', () => {
    fc.assert(
      fc.property(fc.constantFrom('image/png', 'application/pdf', 'image/svg+xml'), fc.base64String(), (type, data) => {
        expect(readUrl(dataUrl(type, data))).toEqual({ kind: 'base64', mediaType: type, data })
      }),
    )
  })

  it.each([
    ['data:IMAGE/PNG;base64,AA==', 'image/png', 'AA=='],
    ['DATA:image/png;base64,AA==', 'image/png', 'AA=='],
    ['data:text/plain;charset=utf-8;base64,AA==', 'text/plain', 'AA=='],
    ['data:;base64,AA==', 'text/plain', 'AA=='],
    ['data:text/plain,a%20b', 'text/plain', Buffer.from('a b').toString('base64')],
    ['data:,100%', 'text/plain', Buffer.from('100%').toString('base64')],
  ])('is taken apart as browsers do it: %s', (url, mediaType, data) => {
    expect(readUrl(url)).toEqual({ kind: 'base64', mediaType, data })
  })

  it.each(['https://example.com/data:image/png;base64,AA', 'gs://bucket/a.png', 'data', 'data:no type'])(
    'of anything else stays as it is: %s',
    (url) => {
      expect(readUrl(url)).toEqual({ kind: 'url', url })
    },
  )
})
