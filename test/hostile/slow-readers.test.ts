import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { chat, eventually } from '../helpers/http.ts'
import { chatAnswer, type Script, sendJson, sseHead } from '../helpers/upstream.ts'
import { openWire, rowsOf, type Wire } from './on-the-wire.ts'

let wire: Wire
const open: Socket[] = []

beforeEach(async () => {
  wire = await openWire({
    config: {
      maxConcurrentRequests: 1,
      timeouts: { connectMs: 500, headersMs: 500, firstTokenMs: 500, idleMs: 300, totalMs: 600 },
    },
  })
})
afterEach(async () => {
  for (const socket of open.splice(0)) socket.destroy()
  await wire.stop()
})

const PIECE = Buffer.alloc(64 * 1024, 'x')

/** Sends so many bytes at the speed at which they are taken. */
const flood =
  (headers: Record<string, string>, bytes: number): Script =>
  async (_req, res) => {
    res.writeHead(200, headers)
    for (let sent = 0; sent < bytes && !res.destroyed; sent += PIECE.length) {
      if (res.write(PIECE)) continue
      await new Promise<void>((resolve) => {
        const go = () => {
          res.off('drain', go).off('close', go)
          resolve()
        }
        res.on('drain', go).on('close', go)
      })
    }
    if (!res.destroyed) res.end()
  }

describe('a client that asks and then takes nothing of its answer', () => {
  const ENDLESS = 1e9
  // More than what the buffers of the system take.
  const FEW_MEGABYTES = 7e6

  it.each<[string, Script]>([
    ['a stream without end', flood(sseHead, ENDLESS)],
    ['a download without end', flood({ 'content-type': 'application/octet-stream' }, ENDLESS)],
    ['an answer of a few megabytes', flood({ 'content-type': 'application/json' }, FEW_MEGABYTES)],
  ])('is cut off, is in the ledger once, and its place is free again: %s', async (_what, script) => {
    wire.upstream.script(script)
    const { secret, token } = await wire.gateway.token()
    const { hostname, port } = new URL(wire.gateway.url)
    const socket = connect(Number(port), hostname)
    open.push(socket)
    socket.on('error', () => {}).pause()
    socket.write(wire.post('/v1/chat/completions', { token: secret }))
    const [row] = await rowsOf(wire.gateway, token.id, 1)
    expect(row!.error).not.toBeNull()

    wire.upstream.script((_req, res) => sendJson(res, 200, chatAnswer()))
    const since = performance.now()
    await eventually(async () => {
      const { status } = await chat(wire.gateway.baseUrl, wire.secret)
      return status === 200 || performance.now() - since > 2_000
    }, 'a free place')
    expect((await chat(wire.gateway.baseUrl, wire.secret)).status).toBe(200)
    expect(await rowsOf(wire.gateway, token.id, 1)).toHaveLength(1)
  })
})

it('a client that takes its answer slowly, but takes it, gets all of it, and no wait leaves anything behind', async () => {
  let drains = 0
  let most = 0
  const onRequest = (message: unknown) => {
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse }
    if (request.url !== '/v1/files/f/content' || request.headers.host !== 'gateway') return
    response.on('drain', () => {
      drains++
      most = Math.max(most, response.listenerCount('finish'), response.listenerCount('close'))
    })
  }
  subscribe('http.server.request.start', onRequest)
  const patient = await openWire({
    config: { timeouts: { connectMs: 500, headersMs: 500, firstTokenMs: 500, idleMs: 300, totalMs: 10_000 } },
  })
  const size = 6_000_000
  patient.upstream.script(flood({ 'content-type': 'application/octet-stream' }, size))
  const { hostname, port } = new URL(patient.gateway.url)
  const socket = connect(Number(port), hostname)
  let heard = 0
  const over = new Promise<void>((resolve) => socket.on('close', () => resolve()))
  socket.on('data', (piece) => {
    heard += piece.length
    socket.pause()
    // Half the idle time, at the end of each megabyte.
    setTimeout(() => socket.resume(), heard % 1_000_000 < piece.length ? 150 : 0)
  })
  socket.write(patient.post('/v1/files/f/content'))
  await over
  unsubscribe('http.server.request.start', onRequest)
  expect(heard).toBeGreaterThanOrEqual(size)
  expect(drains).toBeGreaterThan(12)
  expect(most).toBeLessThan(10)
  await patient.stop()
})
