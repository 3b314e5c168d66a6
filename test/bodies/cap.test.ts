import { describe, expect, it } from '@jest/globals'
import { Capture } from '../../src/proxy/capture.ts'
import { registerSecret } from '../../src/redact.ts'
import { toKept } from '../../src/store/keep-bodies.ts'
import type { RawBody } from '../../src/store/store.ts'
import { ask, chat } from '../helpers/http.ts'
import { chatEvents, sendJson, sseHead } from '../helpers/upstream.ts'
import { given } from './given.ts'

const CAP = 1024
const keeps = { maxBytes: CAP }

describe('a body as long as the cap', () => {
  it('is kept whole, and one byte more is cut at a word and told', async () => {
    const { gateway, upstream, secret, bodiesOf } = await given({ keeps })
    for (const size of [CAP - 1, CAP, CAP + 1, 10 * CAP]) {
      const words = (start: string) => `${start}${'word '.repeat(size / 5)}`.slice(0, size - 2)
      const [sent, said] = [`{"a":"${words('')}`.slice(0, size - 2), `["${words('')}`.slice(0, size - 2)].map(
        (text, i) => `${text}${['"}', '"]'][i]}`,
      )
      upstream.script((_req, res) => void res.writeHead(200, { 'content-type': 'application/json' }).end(said))
      const answer = await ask(`${gateway.baseUrl}/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
        body: sent!,
      })
      const { request, response } = await bodiesOf(answer)
      for (const [{ body }, whole] of [
        [request!, sent!],
        [response!, said!],
      ] as const) {
        expect(body).toMatchObject({ size_bytes: size, truncated: size > CAP, complete: true, omitted: null })
        if (size <= CAP) expect(body.text).toBe(whole)
        else
          expect([whole.startsWith(body.text!), body.text!.length > CAP - 6, body.text!.length <= CAP]).toEqual([
            true,
            true,
            true,
          ])
      }
    }
  })

  it('is found in pieces as in one: a stream of many events', async () => {
    const { gateway, upstream, secret, bodiesOf } = await given({ keeps: { maxBytes: 10 * CAP } })
    const events = chatEvents(Array.from({ length: 200 }, (_, i) => `word ${i} `))
    upstream.script(async (_req, res) => {
      res.writeHead(200, sseHead)
      for (const event of events) {
        res.write(event)
        await new Promise((resolve) => setImmediate(resolve))
      }
      res.end()
    })
    const answer = await chat(gateway.baseUrl, secret, { stream: true })
    const { response } = await bodiesOf(answer)
    expect(response!.body).toMatchObject({ size_bytes: answer.body.length, truncated: true, complete: true })
    expect(answer.body.toString().startsWith(response!.body.text!)).toBe(true)
    expect(response!.body.text!.length).toBeGreaterThan(9.9 * CAP)
  })

  it('that ends within a character is kept to the character before', async () => {
    const { gateway, secret, bodiesOf } = await given({ keeps })
    for (const shift of [0, 1, 2]) {
      const body = { pad: 'x'.repeat(shift), messages: '漢'.repeat(1_000) }
      const { request } = await bodiesOf(await chat(gateway.baseUrl, secret, body))
      expect(request!.body.truncated).toBe(true)
      expect(request!.body.text).toMatch(/漢$/)
      expect(request!.body.text).not.toContain('\ufffd')
    }
  })
})

describe('a secret at the border', () => {
  const REGISTERED = 'Qz7registered.without~a-shape'
  const ODD = 'Qz7 blanks/and+"quotes'
  registerSecret(REGISTERED)
  registerSecret(ODD)

  it.each([
    ['a proxy token', `sk-Qz7${'a1B2c3D4e5'.repeat(4)}`],
    ['a key in a header', 'Authorization: Bearer Qz7a1B2c3D4e5'],
    ['what was registered', REGISTERED],
    ['what was registered and is odd', ODD],
    ['the caller’s own credential', 'Qz7 own (credential)'],
  ])('leaves nothing of itself, wherever the cap falls: %s', (_what, secret) => {
    const text = JSON.stringify({ content: `it is:\n${secret}\nand that was all of it` })
    const bytes = Buffer.from(text)
    for (let cap = 0; cap <= bytes.length; cap++) {
      const capture = new Capture(cap)
      capture.add(bytes.subarray(0, 20))
      capture.add(bytes.subarray(20))
      const body: RawBody = { bytes: capture.bytes, size: capture.size, complete: true, omitted: null }
      const headers = ['x-api-key', 'Qz7 own (credential)', 'content-type', 'application/json']
      const kept = toKept({
        requestId: 'req_1',
        at: 0,
        secrets: ['Qz7 own (credential)'],
        request: { method: 'POST', path: '/v1/x', headers, body },
        response: { status: 200, headers: [], body },
      })
      expect([cap, JSON.stringify(kept).includes('Qz7')]).toEqual([cap, false])
      expect(kept.request!.body.truncated).toBe(cap < bytes.length)
    }
  })

  it('of the whole way through the gateway: sent, said, and streamed', async () => {
    const { gateway, upstream, secret, bodiesOf } = await given({ keeps })
    const token = (await gateway.token()).secret
    for (let shift = -60; shift <= 10; shift += 7) {
      const fill = (other: number) => 'y '.repeat((CAP + shift - other) / 2)
      const said = `{"a":"${fill(6)}${token} and more of it"}`
      upstream.script((req, res) => {
        if (req.url!.endsWith('/chat/completions')) return sendJson(res, 200, said)
        res.writeHead(200, sseHead)
        for (const piece of [said.slice(0, CAP + shift + 9), said.slice(CAP + shift + 9)]) res.write(piece)
        res.end()
      })
      const answers = [
        await chat(gateway.baseUrl, secret, { content: `${fill(72)}${token} and more of it` }),
        await ask(`${gateway.baseUrl}/stream`, { headers: { authorization: `Bearer ${secret}` } }),
      ]
      for (const answer of answers) {
        expect(answer.body.toString()).toContain(token)
        const { request, response } = await bodiesOf(answer)
        for (const text of [request!.body.text!, response!.body.text!]) {
          expect([shift, text.includes(token.slice(0, 8))]).toEqual([shift, false])
        }
      }
    }
  })
})

describe('what is captured of a body', () => {
  it('never takes more memory than the cap', () => {
    const capture = new Capture(10_000)
    const large = new Uint8Array(1_000_000).fill(65)
    for (let i = 0; i < 100; i++) capture.add(large)
    expect([capture.bytes.length, capture.bytes.buffer.byteLength <= 10_000, capture.size]).toEqual([
      10_000,
      true,
      100_000_000,
    ])
  })

  it('does not hold the block that a piece is part of', () => {
    const block = new Uint8Array(1_000_000)
    const capture = new Capture(10_000)
    capture.add(block.subarray(0, 5_000))
    block.fill(1)
    expect(capture.bytes.every((byte) => byte === 0)).toBe(true)
  })
})
