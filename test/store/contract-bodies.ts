import { beforeEach, describe, expect, it } from '@jest/globals'
import { registerSecret } from '../../src/redact.ts'
import type { RawBodies, RawBody, Store } from '../../src/store/store.ts'
import { expectError, type Given } from './contract.ts'
import { aBodies, aText, NOON } from './samples.ts'

/** What requests and answers said, and how long it stays. */
export function describeBodies(given: Given): void {
  let store: Store
  beforeEach(() => {
    store = given.store
  })
  const kept = (raw: RawBodies) => store.bodies.get(raw)

  describe('bodies', () => {
    it('gives back what was kept, as soon as it was appended', async () => {
      const raw = aBodies()
      const appended = store.bodies.append([raw, aBodies({ request: null }), aBodies({ response: null })])
      expect(await kept(raw)).toEqual({
        request: {
          method: 'POST',
          path: '/v1/chat/completions?a=1',
          headers: [
            ['Content-Type', 'application/json'],
            ['Authorization', '[redacted]'],
          ],
          body: {
            type: 'application/json',
            size: 16,
            text: '{"asked":"Grü"}',
            truncated: false,
            complete: true,
            omitted: null,
          },
        },
        response: {
          status: 200,
          headers: [['content-type', 'text/event-stream']],
          body: {
            type: 'text/event-stream',
            size: 12,
            text: 'data: said\n\n',
            truncated: false,
            complete: true,
            omitted: null,
          },
        },
      })
      expect(await appended).toBe(3)
    })

    it('gives back each its own of a large batch, of any length', async () => {
      const batch = Array.from({ length: 300 }, (_, i) =>
        aBodies({ request: { ...aBodies().request!, body: aText(`${i} `.repeat(i)) } }),
      )
      expect(await store.bodies.append(batch)).toBe(300)
      for (const [i, raw] of batch.entries()) expect((await kept(raw))!.request!.body.text).toBe(`${i} `.repeat(i))
    })

    it('has nothing of a request that nobody appended', async () => {
      expect(await kept(aBodies())).toBeNull()
      await store.bodies.append([aBodies()])
      expect(await kept(aBodies())).toBeNull()
    })

    it('keeps no secret: registered before or between, of the request itself, or of a known shape', async () => {
      registerSecret('registered-before-the-first')
      const text = (secret: string) =>
        aBodies({ response: { ...aBodies().response!, body: aText(`it is ${secret}, `) } })
      const said = async (raw: RawBodies) => {
        await store.bodies.append([raw])
        return (await kept(raw))!.response!.body.text
      }
      expect(await said(text('registered-before-the-first'))).toBe('it is [redacted], ')
      expect(await said(text('registered-between-the-two'))).toBe('it is registered-between-the-two, ')
      registerSecret('registered-between-the-two')
      expect(await said(text('registered-between-the-two'))).toBe('it is [redacted], ')
      expect(await said(text(`sk-${'a'.repeat(43)}`))).toBe('it is sk-[redacted], ')
      expect(await said({ ...text('<any>thing'), secrets: ['<any>thing'] })).toBe('it is [redacted], ')
      // Too short to be one: it would be found in any text.
      expect(await said({ ...text('any thing'), secrets: ['any', ''] })).toBe('it is any thing, ')
      const own = { ...aBodies().request!, headers: ['x-api-key', '<my own key>'], body: aText('my <my own key>') }
      const raw = aBodies({ request: own })
      await store.bodies.append([raw])
      expect((await kept(raw))!.request!.body.text).toBe('my [redacted]')
    })

    it('keeps harmless headers with their values and all others without', async () => {
      const headers = [
        'User-Agent',
        'x/1',
        'X-Stainless-Os',
        'Linux',
        'Cookie',
        'a=b',
        'X-Forwarded-For',
        '10.1.2.3',
        'X-Own',
        'y',
      ]
      const raw = aBodies({ request: { ...aBodies().request!, headers } })
      await store.bodies.append([raw])
      expect((await kept(raw))!.request!.headers).toEqual([
        ['User-Agent', 'x/1'],
        ['X-Stainless-Os', 'Linux'],
        ['Cookie', '[redacted]'],
        ['X-Forwarded-For', '[redacted]'],
        ['X-Own', '[redacted]'],
      ])
    })

    it('tells what is cut, broken off or omitted from what is whole', async () => {
      const body = async (fields: Partial<RawBody>) => {
        const raw = aBodies({
          request: { ...aBodies().request!, body: { ...aText('some words of a text'), ...fields } },
        })
        await store.bodies.append([raw])
        return (await kept(raw))!.request!.body
      }
      expect(await body({ size: 100 })).toMatchObject({
        size: 100,
        text: 'some words of a ',
        truncated: true,
        complete: true,
      })
      expect(await body({ complete: false })).toMatchObject({
        size: 20,
        text: 'some words of a ',
        truncated: false,
        complete: false,
      })
      const none = { bytes: new Uint8Array(), size: 7 }
      for (const omitted of ['not_text', 'compressed', 'unread'] as const) {
        expect(await body({ ...none, omitted })).toMatchObject({ size: 7, text: null, truncated: false, omitted })
      }
      expect(await body({ bytes: Buffer.from([0x41, 0xff, 0x42]) })).toMatchObject({ text: null, omitted: 'not_text' })
      expect(await body({ bytes: Buffer.from('A\0B\0') })).toMatchObject({ text: null, omitted: 'not_text' })
    })

    it('keeps the last of two of the same request', async () => {
      const raw = aBodies()
      await store.bodies.append([raw])
      await store.bodies.append([{ ...raw, response: null }])
      expect(await kept(raw)).toMatchObject({ response: null })
    })

    it('deletes what is before a moment, and nothing else, when it is asked until there is no more', async () => {
      const at = Date.UTC(2020, 1, 29, 12)
      const month = 31 * 86_400_000
      const old = Array.from({ length: 250 }, (_, i) => aBodies({ at: at - 1 - i }))
      const [longAgo, kept1, kept2] = [aBodies({ at: at - month }), aBodies({ at }), aBodies({ at: at + month })]
      await store.bodies.append([longAgo, ...old, kept1, kept2])
      const months: string[] = []
      let requests = 0
      for (let more = true; more; ) {
        const gone = await store.bodies.retention(at)
        months.push(...gone.months)
        requests += gone.requests
        more = gone.more
      }
      expect([months, requests]).toEqual([['2020-01'], 250])
      for (const raw of [longAgo, ...old]) expect(await kept(raw)).toBeNull()
      for (const raw of [kept1, kept2]) expect(await kept(raw)).not.toBeNull()
      expect(await store.bodies.retention(at)).toEqual({ months: [], requests: 0, more: false })
    })

    it('counts what they take', async () => {
      expect((await store.status()).bodyBytes).toBe(0)
      const before = (await store.status()).sizeBytes
      await store.bodies.append([aBodies()])
      const { sizeBytes, bodyBytes } = await store.status()
      expect(bodyBytes).toBeGreaterThan(1_000)
      expect(sizeBytes).toBeGreaterThanOrEqual(before + bodyBytes)
    })

    it('are there for another process, and after the store was opened again', async () => {
      const raw = aBodies({ at: NOON })
      const other = await given.another()
      await other.bodies.append([raw])
      expect(await kept(raw)).not.toBeNull()
      await other.close()
      await store.close()
      const again = await given.another()
      expect(await again.bodies.get(raw)).not.toBeNull()
      await again.close()
    })

    it('fail cleanly once the store is closed', async () => {
      const raw = aBodies()
      await store.bodies.append([raw])
      await store.close()
      await expectError(store.bodies.append([raw]), 'unavailable')
      await expectError(store.bodies.get(raw), 'unavailable')
    })
  })
}
