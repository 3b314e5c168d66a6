import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import Sqlite from 'better-sqlite3'
import { type ChildGateway, startChildGateway } from '../helpers/child.ts'
import { makeFolder } from '../helpers/folder.ts'
import { chat, eventually } from '../helpers/http.ts'
import { ledgerOf } from '../helpers/ledger-files.ts'
import { chatAnswer, chatEvents, sendJson, sseHead, startUpstream, type Upstream } from '../helpers/upstream.ts'

const CLIENTS = 16
const MAX_REQUESTS = 120
const LIMITED = 'limited-model'
const PATIENCE_MS = 60_000

let upstream: Upstream
beforeAll(async () => {
  upstream = await startUpstream(async (_req, res, { body }) => {
    if (!(JSON.parse(body.toString()) as { stream?: boolean }).stream) return sendJson(res, 200, chatAnswer())
    res.writeHead(200, sseHead)
    for (const event of chatEvents(['one', 'two', 'three'], { prompt_tokens: 1, completion_tokens: 3 })) {
      res.write(event)
      await new Promise((resolve) => setImmediate(resolve))
    }
    res.end()
  })
})
afterAll(() => upstream.close())

type Life = { whole: string[]; refused: number }

/** Clients that ask one request after the other until the gateway is gone. What they have whole is in `life`. */
async function load(
  { baseUrl }: ChildGateway,
  secret: string,
  clients: number,
  body: object,
  life: Life,
): Promise<void> {
  const client = async (number: number) => {
    for (;;) {
      const stream = number % 2 === 0
      const answer = await chat(baseUrl, secret, { ...body, stream }).catch(() => null)
      if (answer === null) return
      if (answer.status === 429) life.refused++
      const isWhole = answer.ended === 'clean' || answer.body.includes('data: [DONE]\n\n')
      if (answer.status === 200 && isWhole) life.whole.push(answer.header('x-llm-proxy-request-id')!)
      // A token that is used up says so at once: no need to ask it without end.
      if (answer.status === 429 && life.refused > 50) return
    }
  }
  await Promise.all(Array.from({ length: clients }, (_, number) => client(number)))
}

describe('a gateway that is killed under load', () => {
  it(
    'has every answer that a client got whole in its ledger, once, and lets no token pass its maximum',
    async () => {
      const dataDir = makeFolder()
      const life: Life = { whole: [], refused: 0 }
      const limited: Life = { whole: [], refused: 0 }

      const first = await startChildGateway({ upstream: upstream.url, dataDir })
      const free = await first.token()
      const counted = await first.token({ max_requests: MAX_REQUESTS })
      const ended = Promise.all([
        load(first, free.secret, CLIENTS, {}, life),
        load(first, counted.secret, 2, { model: LIMITED }, limited),
      ])
      await eventually(() => life.whole.length > 400 && limited.whole.length > 10, '400 answers')
      first.kill('SIGKILL')
      await Promise.all([ended, first.exited])
      const ofFirstLife = life.whole.length

      const second = await startChildGateway({ upstream: upstream.url, dataDir })
      const goingOn = Promise.all([
        load(second, free.secret, CLIENTS, {}, life),
        load(second, counted.secret, 8, { model: LIMITED }, limited),
      ])
      await eventually(() => life.whole.length > ofFirstLife + 100 && limited.refused > 50, 'the second life')
      second.kill('SIGKILL')
      await Promise.all([goingOn, second.exited])

      const database = new Sqlite(join(dataDir, 'llm-proxy.db'))
      expect(database.pragma('integrity_check', { simple: true })).toBe('ok')
      const rows = ledgerOf(dataDir, (month) => {
        expect(month.pragma('integrity_check', { simple: true })).toBe('ok')
        return month.prepare<[], string>('SELECT request_id FROM requests').pluck().all()
      })
      const known = new Set(rows)
      expect(known.size).toBe(rows.length)
      const all = [...life.whole, ...limited.whole]
      expect(new Set(all).size).toBe(all.length)
      expect(all.filter((id) => !known.has(id))).toEqual([])

      const used = upstream.seen.filter(({ body }) => body.includes(LIMITED)).length
      expect(used).toBeLessThanOrEqual(MAX_REQUESTS)
      expect(limited.whole.length).toBeLessThanOrEqual(used)
      const booked = database.prepare<[string], number>('SELECT request_count FROM tokens WHERE id = ?').pluck()
      expect(booked.get(counted.id)).toBe(MAX_REQUESTS)
      database.close()
    },
    PATIENCE_MS,
  )
})
