import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createTokens } from './gateway-token.ts'
import { type Phase, type Sample, type Subject, startLoad } from './load-client.ts'
import { type Spread, spread } from './measure.ts'
import type { Running, Workshop } from './processes.ts'

/** A gateway with work to do, but not more than it can: each connection rests between its requests. */
const PHASE: Phase = { ask: { kind: 'json' }, connections: 4, warmMs: 200, ms: 2_000, pauseMs: 8 }
const WARM_UP_REQUESTS = 4_000

export type DataPath = {
  /** Milliseconds, over all rounds. */
  idleP99: Spread
  reportsP99: Spread
  /** Median over the rounds of the ratio within one round. */
  ofIdle: Spread
  /** While another process keeps a processor busy as the reports do: what is not the gateway's own doing. */
  besideOfIdle: Spread
  reportsPerSecond: number
}

/**
 * The p99 of requests while reports are asked for, one after the other without a pause, against the same gateway without them.
 * `queries`: paths below `/manage`.
 */
export async function measureDataPath(
  workshop: Workshop,
  { dataDir, queries, rounds }: { dataDir: string; queries: string[]; rounds: number },
): Promise<DataPath> {
  const upstream = await workshop.startServer('upstream.ts')
  const gateway = await workshop.startGateway({ dataDir, upstream: upstream.url })
  const load = startLoad(workshop)
  const { limited: token } = await createTokens(dataDir)
  const subject: Subject = { name: 'gateway', pid: gateway.pid, url: gateway.url, token }
  await load.warmUp(subject, { ...PHASE, pauseMs: 0 }, WARM_UP_REQUESTS)
  const managementToken = readFileSync(join(dataDir, 'management-token'), 'utf8').trim()
  const ask = askInTurn(gateway, managementToken, queries)
  for (const _ of queries) await ask()

  const idle: Sample[] = []
  const beside: Sample[] = []
  const reporting: Sample[] = []
  let reports = 0
  let reportingMs = 0
  for (let round = 0; round < rounds; round++) {
    idle.push(await load.measure(subject, PHASE))
    const before = performance.now()
    const { sample, times } = await whileAsking(ask, () => load.measure(subject, PHASE))
    reporting.push(sample)
    reports += times
    reportingMs += performance.now() - before
    const spinner = workshop.startScript('spin.ts')
    beside.push(await load.measure(subject, PHASE))
    spinner.kill('SIGKILL')
  }
  await gateway.stop('SIGTERM')
  await upstream.stop()
  const ofIdle = (samples: Sample[]) => spread(samples.map(({ p99 }, round) => p99 / idle[round]!.p99))
  return {
    idleP99: spread(idle.map(({ p99 }) => p99)),
    reportsP99: spread(reporting.map(({ p99 }) => p99)),
    ofIdle: ofIdle(reporting),
    besideOfIdle: ofIdle(beside),
    reportsPerSecond: (reports / reportingMs) * 1000,
  }
}

function askInTurn({ url }: Running, managementToken: string, queries: string[]): () => Promise<void> {
  let next = 0
  return async () => {
    const query = queries[next++ % queries.length]!
    const answer = await fetch(`${url}/manage${query}`, { headers: { authorization: `Bearer ${managementToken}` } })
    if (answer.status !== 200) throw new Error(`${query} answered ${answer.status}: ${await answer.text()}`)
    await answer.arrayBuffer()
  }
}

async function whileAsking(ask: () => Promise<void>, measure: () => Promise<Sample>) {
  let isOver = false
  let times = 0
  const asking = (async () => {
    for (; !isOver; times++) await ask()
  })()
  const sample = await measure()
  isOver = true
  await asking
  return { sample, times }
}
