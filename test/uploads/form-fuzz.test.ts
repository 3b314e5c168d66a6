import { afterAll, beforeAll, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { ask } from '../helpers/http.ts'
import { BOUNDARY, openUploads, type Uploads } from './form.ts'

let uploads: Uploads
let secret: string

beforeAll(async () => {
  uploads = await openUploads()
  secret = (await uploads.gateway.token({ allowedModels: ['allowed'] })).secret
})
afterAll(() => uploads.stop())

/** Quick here; FUZZ_RUNS=2000 searches longer. */
const RUNS = { numRuns: Number(process.env.FUZZ_RUNS ?? 150) }

/** What a reader of forms other than our own (Node's) takes for the model; null when it cannot read the form. */
async function modelsRead(body: Buffer, type: string): Promise<unknown[] | null> {
  try {
    const form = await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData()
    return form.getAll('model').filter((value) => typeof value === 'string')
  } catch {
    return null
  }
}

const name = fc.constantFrom(
  'name="model"',
  'name=model',
  'name="mod\\el"',
  'NAME="model"',
  'name="%6dodel"',
  "name*=utf-8''model",
  'name="file"; filename="a"',
  'x="; name=foo"; name="model"',
  'name="model"; name="x"',
  'name="x"; name="model"',
  'name="model" ; filename*=x',
  'name = "model"',
  'name="model',
)
const head = fc.oneof(
  name.map((parameters) => `Content-Disposition: form-data; ${parameters}`),
  name.map((parameters) => `Content-Type: text/plain\r\ncontent-disposition:form-data;${parameters}`),
  name.map((parameters) => `Content-Disposition: form-data;\r\n ${parameters}`),
  name.map(
    (parameters) =>
      `X: y\r\nContent-Disposition: attachment; ${parameters}\r\nContent-Disposition: form-data; name="z"`,
  ),
  fc.constant('X: y'),
)
const part = fc.record({
  open: fc.constantFrom(
    `--${BOUNDARY}\r\n`,
    `--${BOUNDARY} \r\n`,
    `--${BOUNDARY}\n`,
    `--${BOUNDARY}x\r\n`,
    `--${BOUNDARY}--\r\n`,
  ),
  head,
  blank: fc.constantFrom('\r\n\r\n', '\r\n\r\n', '\r\n\r\n', '\n\n', '\r\n \r\n'),
  value: fc.constantFrom('allowed', 'allowed', 'forbidden', '', ' forbidden', 'x'.repeat(2000), `\r\n-${BOUNDARY}`),
  end: fc.constantFrom('\r\n', '\r\n', '\r\n', '\n', '\r\n\r\n'),
})
const usual = fc.record({
  open: fc.constant(`--${BOUNDARY}\r\n`),
  head: fc.constantFrom(
    'Content-Disposition: form-data; name="model"',
    'Content-Disposition: form-data; name="file"; filename="a"',
  ),
  blank: fc.constant('\r\n\r\n'),
  value: fc.constantFrom('allowed', 'forbidden'),
  end: fc.constant('\r\n'),
})
const body = fc
  .tuple(
    fc.constantFrom('', '\r\n', 'preamble\r\n'),
    fc.array(fc.oneof({ weight: 3, arbitrary: usual }, part), { minLength: 1, maxLength: 5 }),
    fc.boolean(),
  )
  .map(([before, parts, ends]) => {
    const text = parts
      .map(({ open, head: lines, blank, value, end }) => `${open}${lines}${blank}${value}${end}`)
      .join('')
    return `${before}${text}${ends ? `--${BOUNDARY}--\r\n` : ''}`
  })
const type = fc.constantFrom(
  `multipart/form-data; boundary=${BOUNDARY}`,
  `multipart/form-data; boundary="${BOUNDARY}"`,
  `multipart/form-data; x="; boundary=y"; boundary=${BOUNDARY}`,
  `multipart/form-data; boundary=${BOUNDARY}; boundary=y`,
  `multipart/form-data; boundary=y; boundary=${BOUNDARY}`,
  `Multipart/Form-Data;boundary=${BOUNDARY}`,
)

it('whatever reaches a provider whole names to it no model but the allowed one', async () => {
  let passed = 0
  await fc.assert(
    fc.asyncProperty(body, type, async (text, contentType) => {
      const bytes = Buffer.from(text)
      const before = uploads.got.length
      const answer = await ask(`${uploads.gateway.baseUrl}/audio/transcriptions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${secret}`, 'content-type': contentType },
        body: bytes,
      })
      expect([200, 400, 403]).toContain(answer.status)
      const got = uploads.got[before]
      if (!got?.whole) return
      passed++
      expect(got.body.equals(bytes)).toBe(true)
      const models = await modelsRead(bytes, contentType)
      if (models !== null) expect(new Set(models)).toEqual(new Set(['allowed']))
    }),
    RUNS,
  )
  // Some forms must have been good ones, or this says nothing.
  expect(passed).toBeGreaterThan(3)
})
