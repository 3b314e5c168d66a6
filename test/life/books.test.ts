import { cpSync, readdirSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import Sqlite from 'better-sqlite3'
import fc from 'fast-check'
import { type Budget, type LedgerRow, type Project, StoreError, type Token } from '../../src/store/store.ts'
import { windowAt } from '../../src/usage/budget-window.ts'
import { makeFolder } from '../helpers/folder.ts'
import { startTestGateway, type TestGateway } from '../helpers/gateway.ts'
import { eventually } from '../helpers/http.ts'
import { ledgerOf } from '../helpers/ledger-files.ts'
import { sendJson, sseHead, startUpstream, type Upstream } from '../helpers/upstream.ts'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
/** A Monday, a minute before the end of a day; the last of a month in UTC, so that one step ends a day, a week begins, a month ends. */
const START = Date.UTC(2026, 10, 30, 23, 59)

/** What becomes of one of the requests that wait at the provider; `share`: of its `max_tokens` it takes so much. */
type End = { what: 'answer' | 'stream' | 'cut' | 'fail' | 'leave'; which: number; share: number }
type Step =
  | { what: 'ask'; who: number; maxTokens: number }
  | End
  | { what: 'clock'; by: number }
  | { what: 'crash' | 'full' }

const share = fc.double({ min: 0, max: 1, noNaN: true })
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        what: fc.constant('ask' as const),
        who: fc.nat(2),
        maxTokens: fc.integer({ min: 1, max: 60 }),
      }),
    },
    {
      weight: 6,
      arbitrary: fc.record({
        what: fc.constantFrom('answer' as const, 'stream' as const, 'cut' as const, 'fail' as const, 'leave' as const),
        which: fc.nat(20),
        share,
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        what: fc.constant('clock' as const),
        by: fc.constantFrom(MINUTE, DAY, 7 * DAY, 31 * DAY, -MINUTE, -DAY, -31 * DAY, 2 * MINUTE, -2 * MINUTE),
      }),
    },
    { weight: 1, arbitrary: fc.record({ what: fc.constantFrom('crash' as const, 'full' as const) }) },
  ),
  { minLength: 20, maxLength: 40, size: 'max' },
)

let upstream: Upstream
beforeAll(async () => {
  upstream = await startUpstream(() => {})
})
afterAll(() => upstream.close())

/** gpt-4o costs 2,500 nano-dollars a token in, 10,000 out; a request reserves about 130,000 and 10,000 for each of `max_tokens`. */
const budget = (period: Budget['period'], limitNanoUsd: number | null, limitTokens: number | null = null): Budget => ({
  period,
  limitNanoUsd,
  limitTokens,
  resetAt: null,
})
const OF_TOKENS: (Budget[] | null)[] = [
  [budget('day', 800_000)],
  [budget('total', 1_500_000), budget('week', null, 400)],
  null,
]
const OF_PROJECT = [budget('week', 1_500_000), budget('month', 2_500_000)]

it('whatever requests, clients, providers, clock, disk and process do: no budget is passed, nothing stays held back, every request has one row, and all sums agree', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      const world = await createWorld()
      for (const step of all) await world.take(step)
      await world.settle()
      await world.check()
      await world.close()
    }),
    { numRuns: 8, endOnFailure: true },
  )
}, 120_000)

/** `over` says with which status; null where there was no answer. */
type Asked = { leave(): void; over: Promise<number | null> }

async function createWorld() {
  let now = START
  let dataDir = makeFolder()
  let gateway = await start()
  /** So many rows there have to be. */
  let due = 0
  const project = await makeProject(gateway)
  const callers = await makeTokens(gateway, project)
  /** At the provider, waiting to hear what becomes of them. */
  let open: { asked: Asked; answer: (how: End) => Promise<void> }[] = []

  function start(): Promise<TestGateway> {
    return startTestGateway({ upstream: upstream.url, now: () => now, dataDir })
  }

  const ask = async (who: number, maxTokens: number) => {
    const arrived = Promise.withResolvers<void>()
    let asked: Asked
    upstream.script((_req, res, { aborted }) => {
      const gone = new Promise<void>((resolve) => res.once('close', resolve))
      const answer = async ({ what, share }: End) => {
        const completion_tokens = Math.floor(share * maxTokens)
        const usage = { prompt_tokens: 30, completion_tokens, total_tokens: 30 + completion_tokens }
        const chunk = (more: object) =>
          `data: ${JSON.stringify({ model: 'gpt-4o', choices: [{ index: 0, delta: {} }], ...more })}\n\n`
        if (what === 'answer') sendJson(res, 200, { model: 'gpt-4o', choices: [], usage })
        else if (what === 'fail') sendJson(res, 400, { error: { message: 'no' } })
        else if (what === 'stream') res.writeHead(200, sseHead).end(`${chunk({ choices: [], usage })}data: [DONE]\n\n`)
        else if (what === 'cut') {
          res
            .writeHead(200, sseHead)
            .write(chunk({ choices: [{ index: 0, delta: { content: 'word' } }] }), () => res.destroy())
        } else {
          asked.leave()
          await aborted
        }
        await Promise.all([asked.over, gone])
      }
      open.push({ asked, answer })
      arrived.resolve()
    })
    asked = send(gateway, callers[who]!.secret, maxTokens)
    const refused = await Promise.race([arrived.promise, asked.over])
    // What is refused because the ledger cannot be written has no row.
    if (refused !== 503) due++
  }

  const settle = async () => {
    for (const { answer } of open.splice(0)) await answer({ what: 'answer', which: 0, share: 0.5 })
    await eventually(() => gateway.ctx.life.unsettled === 0 && !gateway.ctx.ledger.failing(), 'all rows')
  }

  /** The process dies now: what is on disk is all that is left. */
  const crash = async () => {
    const left = makeFolder()
    cpSync(dataDir, left, { recursive: true })
    const old = gateway
    // Its requests are of another process now.
    for (const name of readdirSync(left).filter((file) => /^ledger-.*\.db$/.test(file))) {
      const month = new Sqlite(join(left, name))
      month.exec("UPDATE open_requests SET process = rtrim(process, '0123456789') || '1'")
      month.close()
    }
    const counts = (table: string) =>
      ledgerOf(left, (month) => month.prepare<[], number>(`SELECT count(*) FROM ${table}`).pluck().all())
    due = [...counts('requests'), ...counts('open_requests')].reduce((sum, count) => sum + count, 0)
    dataDir = left
    gateway = await start()
    open = []
    await old.stop()
  }

  /** For the next writes; until the retry after a second finds room. */
  const fillDisk = () => {
    const { ledger } = gateway.ctx.store
    const { append } = ledger
    let left = 2
    ledger.append = (batch) => {
      if (left-- > 0) throw new StoreError('full', 'The disk is full.')
      ledger.append = append
      return append(batch)
    }
  }

  return {
    async take(step: Step) {
      if (step.what === 'ask') await ask(step.who, step.maxTokens)
      else if (step.what === 'clock') now += step.by
      else if (step.what === 'crash') await crash()
      else if (step.what === 'full') fillDisk()
      else if ('which' in step && open.length > 0) await open.splice(step.which % open.length, 1)[0]!.answer(step)
    },
    settle,
    async check() {
      const { ledger } = gateway.ctx.store
      const rows = (await ledger.list({}, { limit: 1_000 })).data
      expect(new Set(rows.map(({ requestId }) => requestId)).size).toBe(rows.length)
      expect(rows.length).toBe(due)
      expect(await ledger.verify()).toEqual([])
      expect(await ledger.openRequests()).toEqual([])
      await checkBudgets(
        gateway,
        project,
        callers.map(({ token }) => token),
        rows,
      )
    },
    close: () => gateway.stop(),
  }
}

/** In each window that has rows: what is used is their sum, and more than the limit only by what reservations missed. */
async function checkBudgets({ ctx }: TestGateway, project: Project, tokens: Token[], rows: LedgerRow[]) {
  const owners = [
    { owner: { kind: 'project', id: project.id } as const, budgets: OF_PROJECT, of: rows },
    ...tokens.map(({ id, budgets }) => ({
      owner: { kind: 'token', id } as const,
      budgets: budgets ?? [],
      of: rows.filter(({ tokenId }) => tokenId === id),
    })),
  ]
  for (const { owner, budgets, of } of owners) {
    for (const one of budgets) {
      for (const at of new Set([START, ...of.map((row) => row.at)])) {
        const { from, to } = windowAt(one, at)
        const within = of.filter((row) => row.at >= from && (to === null || row.at < to))
        const cost = within.reduce((sum, { costNanoUsd }) => sum + costNanoUsd!, 0n)
        const spent = within.reduce((sum, { usage }) => sum + usage.inputTokens + usage.outputTokens, 0)
        const missed = within.reduce((sum, row) => sum + larger(row.costNanoUsd! - (row.reservedNanoUsd ?? 0n), 0n), 0n)
        if (one.limitNanoUsd !== null) expect(cost <= BigInt(one.limitNanoUsd) + missed).toBe(true)
        if (one.limitTokens !== null) expect(spent).toBeLessThanOrEqual(one.limitTokens)
        const [state] = await ctx.budgets.states(owner, [one], at)
        expect([state!.used, state!.reserved]).toEqual([
          { nanoUsd: cost, tokens: spent },
          { nanoUsd: 0n, tokens: 0 },
        ])
      }
    }
  }
}

const larger = (a: bigint, b: bigint) => (a > b ? a : b)

async function makeProject(gateway: TestGateway): Promise<Project> {
  return (await gateway.token({}, { budgets: OF_PROJECT })).project
}

const makeTokens = (gateway: TestGateway, { id: projectId }: Project) =>
  Promise.all(OF_TOKENS.map((budgets) => gateway.token({ projectId, budgets })))

function send(gateway: TestGateway, secret: string, max_tokens: number): Asked {
  const req = request(`${gateway.baseUrl}/chat/completions`, {
    method: 'POST',
    agent: false,
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
  })
  req.on('error', () => {})
  const over = Promise.withResolvers<number | null>()
  let status: number | null = null
  req.on('response', (res) => {
    status = res.statusCode!
    res.on('error', () => {}).resume()
  })
  req.once('close', () => over.resolve(status))
  req.end(JSON.stringify({ model: 'gpt-4o', max_tokens, messages: [{ role: 'user', content: 'Hi' }] }))
  return { leave: () => req.destroy(), over: over.promise }
}
