import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { ask } from '../helpers/http.ts'
import { BOUNDARY, FORM_TYPE, field, file, form, openUploads, part, type Uploads } from './form.ts'

let uploads: Uploads

beforeAll(async () => {
  uploads = await openUploads()
})
afterAll(() => uploads.stop())

type Fields = Parameters<Uploads['gateway']['token']>[0]

/** Sends a form with a token of its own; the answer, its code, its row, and what the provider got. */
async function send(body: Buffer, fields: Fields = {}, { path = '/audio/transcriptions', type = FORM_TYPE } = {}) {
  const { secret, token } = await uploads.gateway.token(fields)
  const before = uploads.got.length
  const answer = await ask(uploads.gateway.baseUrl + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': type },
    body,
  })
  const { error } = JSON.parse(answer.body.toString()) as { error?: { code: string } }
  const row = await uploads.rowOf(token.id)
  return { status: answer.status, code: error?.code, row, got: uploads.got[before] ?? null }
}

const LONG = 300_000
const onlyWhisper = { allowedModels: ['whisper-1'] }
const whisper = field('model', 'whisper-1')
const forbidden = field('model', 'gpt-4o-transcribe')

describe('a form', () => {
  it.each([
    ['before the file', form(whisper, file(LONG))],
    ['behind the file', form(file(LONG), whisper)],
    ['between other fields', form(field('language', 'de'), whisper, field('prompt', ''), file(LONG))],
    ['behind a file that looks like a form', form(file(form(forbidden)), whisper)],
    ['with an unquoted name', form(file(LONG), part('form-data; name=model', 'whisper-1'))],
    ['in capitals', form(file(LONG), part('FORM-DATA; NAME="model"', 'whisper-1'))],
  ])('that names its model %s passes byte for byte, and its model is in the ledger', async (_where, body) => {
    const { status, row, got } = await send(body)
    expect(status).toBe(200)
    expect(got!.body.equals(body)).toBe(true)
    expect(row).toMatchObject({ model: 'whisper-1', requestBytes: body.length })
  })

  it('is read the same however its bytes are cut', async () => {
    const { secret, token } = await uploads.gateway.token(onlyWhisper)
    const body = form(field('language', 'de'), file(500), whisper)
    const status = await new Promise((resolve, reject) => {
      const req = request(`${uploads.gateway.baseUrl}/audio/transcriptions`, {
        method: 'POST',
        agent: false,
        headers: { authorization: `Bearer ${secret}`, 'content-type': FORM_TYPE },
      })
      req.on('response', (res) => resolve(res.resume().statusCode)).on('error', reject)
      const byteByByte = (at: number) => {
        if (at < body.length) req.write(body.subarray(at, at + 1), () => byteByByte(at + 1))
        else req.end()
      }
      byteByByte(0)
    })
    expect(status).toBe(200)
    expect((await uploads.rowOf(token.id)).model).toBe('whisper-1')
  })
})

describe('a token that may use some models only', () => {
  it.each([
    ['a model of its own', form(file(LONG), whisper), 200],
    ['another model behind the file', form(file(LONG), forbidden), 403],
    ['another model before the file', form(forbidden, file(LONG)), 403],
    ['no model', form(file(LONG)), 403],
    ['an empty model', form(file(LONG), field('model', '')), 403],
    ['its own and then another', form(whisper, file(LONG), forbidden), 403],
    ['another and then its own', form(forbidden, file(LONG), whisper), 403],
    ['another in a small form', form(file(1), forbidden), 403],
    ['another, with line breaks around it', form(file(LONG), field('model', '\r\ngpt-4o-transcribe\r\n')), 403],
    [
      'another behind a head of 17 KB',
      form(whisper, part(`${'x'.repeat(17_000)}; name="model"`, 'gpt-4o'), file(9)),
      403,
    ],
    ['nothing that ends', form(file(LONG), whisper).subarray(0, -30), 403],
  ])('sends %s', async (_what, body, expected) => {
    const { status, code, row, got } = await send(body, onlyWhisper)
    expect(status).toBe(expected)
    if (expected === 200) return
    expect([code, row.status, row.error]).toEqual(['model_not_allowed', 403, 'model_not_allowed'])
    // However much it got: never the whole, so that it cannot have worked on it.
    expect(got?.whole ?? false).toBe(false)
  })

  describe('cannot hide another model behind one of its own', () => {
    it.each([
      ['in a quoted parameter', part('form-data; x="; name=foo"; name="model"', 'gpt-4o')],
      ['in a folded header', part('form-data;\r\n name="model"', 'gpt-4o')],
      ['by an escape in its name', part('form-data; name="mod\\el"', 'gpt-4o')],
      ['by the extended spelling of its name', part("form-data; name*=utf-8''model", 'gpt-4o')],
    ])('%s', async (_how, hidden) => {
      expect((await send(form(whisper, file(9), hidden), onlyWhisper)).status).toBe(403)
    })

    it('by a second boundary in a quoted parameter of the content type', async () => {
      const decoy = Buffer.from(
        '--decoy"\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n--decoy"--\r\n',
      )
      const body = Buffer.concat([decoy, form(forbidden, file(9))])
      const type = `multipart/form-data; x="; boundary=decoy"; boundary=${BOUNDARY}`
      expect((await send(body, onlyWhisper, { type })).status).toBe(403)
    })

    it('by lines that end in LF alone', async () => {
      const body = Buffer.from(
        form(forbidden, field('x', 'whisper-1'), file(9)).toString().replace('\r\n\r\n', '\n\n').replace('\r\n', '\n'),
      )
      expect((await send(body, onlyWhisper)).status).toBe(403)
    })

    it('in a compressed form', async () => {
      const { secret } = await uploads.gateway.token(onlyWhisper)
      const { status } = await ask(`${uploads.gateway.baseUrl}/audio/transcriptions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${secret}`, 'content-type': FORM_TYPE, 'content-encoding': 'gzip' },
        body: form(whisper, file(9)),
      })
      expect([400, 403, 415]).toContain(status)
    })
  })
})
