import { startTestGateway, type TestGateway } from '../helpers/gateway.ts'
import { eventually } from '../helpers/http.ts'
import { type Script, sendJson, startUpstream, type Upstream } from '../helpers/upstream.ts'

/** How much of a body the provider got, and whether that was the whole of it. */
export type Got = { bytes: number; whole: boolean; body: Buffer }

export type Uploads = {
  gateway: TestGateway
  provider: Upstream
  /** What the provider got of the requests so far; reads on until each is over. */
  got: Got[]
  /** The provider reads on, as at first. */
  reset(): void
  /** The one ledger row of this token. */
  rowOf(tokenId: string): Promise<Awaited<ReturnType<TestGateway['rows']>>[number]>
  stop(): Promise<void>
}

/** A gateway whose provider keeps account of the bodies that reach it. It answers 200 to a whole one. */
export async function openUploads(options: Parameters<typeof startTestGateway>[0] = {}): Promise<Uploads> {
  const got: Got[] = []
  const readAll: Script = async (req, res) => {
    const one: Got = { bytes: 0, whole: false, body: Buffer.alloc(0) }
    got.push(one)
    const pieces: Buffer[] = []
    try {
      for await (const piece of req) {
        pieces.push(piece as Buffer)
        one.bytes += (piece as Buffer).length
      }
    } catch {
      return
    } finally {
      one.body = Buffer.concat(pieces)
    }
    one.whole = true
    sendJson(res, 200, { text: 'heard' })
  }
  const provider = await startUpstream(readAll, { readsBody: false })
  const gateway = await startTestGateway({ upstream: provider.url, ...options })
  return {
    gateway,
    provider,
    got,
    reset: () => provider.script(readAll),
    rowOf: (tokenId) =>
      eventually(async () => (await gateway.rows()).find((row) => row.tokenId === tokenId), 'the row of the upload'),
    async stop() {
      await gateway.stop()
      await provider.close()
    },
  }
}

export const BOUNDARY = 'frontier'
export const FORM_TYPE = `multipart/form-data; boundary=${BOUNDARY}`

type Part = { head: string; value: string | Buffer }

/** A part with this Content-Disposition. */
export const part = (disposition: string, value: string | Buffer): Part => ({
  head: `Content-Disposition: ${disposition}`,
  value,
})
export const field = (name: string, value: string) => part(`form-data; name="${name}"`, value)
export const file = (bytes: number | Buffer) =>
  part('form-data; name="file"; filename="talk.wav"', typeof bytes === 'number' ? Buffer.alloc(bytes, 'x') : bytes)

export const form = (...parts: Part[]) =>
  Buffer.concat([
    ...parts.flatMap(({ head, value }) => [
      Buffer.from(`--${BOUNDARY}\r\n${head}\r\n\r\n`),
      Buffer.from(value),
      Buffer.from('\r\n'),
    ]),
    Buffer.from(`--${BOUNDARY}--\r\n`),
  ])
