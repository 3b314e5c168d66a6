import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, expect, it } from '@jest/globals'
import express from 'express'
import { sendFile } from '../../src/admin/frame/download.ts'

const STALL_MS = 40
let server: ReturnType<typeof createServer>
afterEach(() => void server.close())

/** A visitor who asks and does not read; `done`: the download is over on our side. */
async function askFor(stream: Readable) {
  const warnings: string[] = []
  let end = () => {}
  const done = new Promise<void>((resolve) => {
    end = resolve
  })
  const app = express().get('/', async (_req, res) => {
    await sendFile(
      { warn: (text) => void warnings.push(text) },
      res,
      { name: 'a', type: 'text/plain', stream },
      STALL_MS,
    )
    end()
  })
  server = createServer(app as RequestListener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  socket.pause()
  socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  return { socket, done, warnings }
}

function* without(end: Buffer) {
  for (;;) yield end
}

it('a download that its visitor does not take is ended, and gives free what it holds', async () => {
  const stream = Readable.from(without(Buffer.alloc(256 * 1024)), { objectMode: false })
  const { socket, done, warnings } = await askFor(stream)
  await done
  expect(stream.destroyed).toBe(true)
  expect(warnings).toEqual(['a download was broken off'])
  socket.destroy()
})

it('a download whose next part takes long to be made goes on', async () => {
  const parts = (async function* () {
    yield Buffer.from('first ')
    await delay(STALL_MS * 5)
    yield Buffer.from('last')
  })()
  const { socket, done, warnings } = await askFor(Readable.from(parts, { objectMode: false }))
  let text = ''
  socket.setEncoding('utf8').on('data', (part) => {
    text += part
  })
  socket.resume()
  await done
  await once(socket, 'close')
  expect(text).toMatch(/first [\s\S]*last/)
  expect(warnings).toEqual([])
})
