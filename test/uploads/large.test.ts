import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type ChildGateway, hasProcFs, startChildGateway } from '../helpers/child.ts'
import { type Script, sendJson, startUpstream, type Upstream } from '../helpers/upstream.ts'
import { growthDuring, MB, megabytes, sha256Of, textOf, upload } from './big.ts'

const SIZE = 300
const MOST_GROWTH = 64 * MB
/** Seconds of work, on a machine that may be busy. */
const PATIENCE_MS = 60_000

let provider: Upstream
let gateway: ChildGateway
let secret: string
let authorization: string

beforeAll(async () => {
  provider = await startUpstream(undefined, { readsBody: false })
  gateway = await startChildGateway({ upstream: provider.url })
  secret = (await gateway.token()).secret
  authorization = `Bearer ${secret}`
  // What a first upload and download load and compile is not what is measured.
  provider.script(tellHash)
  await textOf(await upload(`${gateway.baseUrl}/files`, raw(), megabytes(64)))
})
afterAll(async () => {
  gateway.kill('SIGKILL')
  await gateway.exited
  await provider.close()
})

/** The provider tells what it got. */
const tellHash: Script = async (req, res) => sendJson(res, 200, await sha256Of(req))
const raw = () => ({ headers: { authorization, 'content-type': 'application/octet-stream' } })

const describeWhereMemoryIsTold = hasProcFs ? describe : describe.skip
const where = hasProcFs ? '' : ' (skipped: this system has no /proc)'

describeWhereMemoryIsTold(`300 MB in constant memory${where}`, () => {
  it(
    'go up as raw bytes without a length',
    async () => {
      provider.script(tellHash)
      const growth = await growthDuring(gateway.pid, async () => {
        const answer = await upload(`${gateway.baseUrl}/files`, raw(), megabytes(SIZE))
        expect(JSON.parse(await textOf(answer))).toEqual(await sha256Of(megabytes(SIZE)))
      })
      expect(growth).toBeLessThan(MOST_GROWTH)
    },
    PATIENCE_MS,
  )

  it(
    'go up as a form with a length, its fields read on the way',
    async () => {
      provider.script(tellHash)
      const disposition = 'Content-Disposition: form-data; name='
      const head = Buffer.from(
        `--frontier\r\n${disposition}"file"; filename="talk.wav"\r\nContent-Type: audio/wav\r\n\r\n`,
      )
      const tail = Buffer.from(`\r\n--frontier\r\n${disposition}"model"\r\n\r\nwhisper-1\r\n--frontier--\r\n`)
      function* form() {
        yield head
        yield* megabytes(SIZE)
        yield tail
      }
      const headers = {
        authorization,
        'content-type': 'multipart/form-data; boundary=frontier',
        'content-length': String(head.length + SIZE * MB + tail.length),
      }
      const growth = await growthDuring(gateway.pid, async () => {
        const answer = await upload(`${gateway.baseUrl}/audio/transcriptions`, { headers }, form())
        expect(JSON.parse(await textOf(answer))).toEqual(await sha256Of(form()))
      })
      expect(growth).toBeLessThan(MOST_GROWTH)
      const { data } = await gateway.manage<{ data: object[] }>('GET', '/requests?limit=1')
      expect(data[0]).toMatchObject({
        model: 'whisper-1',
        status: 200,
        request_bytes: head.length + SIZE * MB + tail.length,
      })
    },
    PATIENCE_MS,
  )

  it(
    'come down',
    async () => {
      provider.script(async (_req, res) => {
        res.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': String(SIZE * MB) })
        for (const piece of megabytes(SIZE)) if (!res.write(piece)) await once(res, 'drain')
        res.end()
      })
      const growth = await growthDuring(gateway.pid, async () => {
        const req = request(`${gateway.baseUrl}/files/f/content`, { agent: false, headers: { authorization } }).end()
        const [res] = (await once(req, 'response')) as [IncomingMessage]
        expect(res.headers['content-length']).toBe(String(SIZE * MB))
        expect(await sha256Of(res)).toEqual(await sha256Of(megabytes(SIZE)))
      })
      expect(growth).toBeLessThan(MOST_GROWTH)
    },
    PATIENCE_MS,
  )
})
