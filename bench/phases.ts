import { setTimeout as delay } from 'node:timers/promises'
import { collectGarbage } from './garbage.ts'
import type { LoadClient, Phase, Sample, Subject } from './load-client.ts'
import { vitals } from './measure.ts'
import type { Workshop } from './processes.ts'
import { CHUNKS } from './requests.ts'

export type Plan = {
  rounds: number
  starts: number
  /** JSON answers before the first round, and as many chunks of streams. */
  warmUpRequests: number
  json: Phase
  latency: Phase
  sse: Phase
  idleStreams: number
  settleMs: number
}

/** Short enough that each connection asks for one stream, which takes 0.4 s. */
const ONE_STREAM_MS = 50

/** Many short rounds rather than few long ones: what else the machine does then meets all relays alike. */
export const FULL: Plan = {
  rounds: 10,
  starts: 3,
  warmUpRequests: 16_000,
  json: { ask: { kind: 'json' }, connections: 32, warmMs: 100, ms: 600 },
  latency: { ask: { kind: 'json' }, connections: 1, warmMs: 0, ms: 200 },
  sse: { ask: { kind: 'sse' }, connections: 48, warmMs: 0, ms: ONE_STREAM_MS },
  idleStreams: 2000,
  settleMs: 1000,
}

export const QUICK: Plan = {
  ...FULL,
  rounds: 3,
  starts: 1,
  warmUpRequests: 8_000,
  json: { ...FULL.json, warmMs: 0, ms: 400 },
  latency: { ...FULL.latency, ms: 100 },
  idleStreams: 500,
  settleMs: 500,
}

export type Starts = { firstMs: number; laterMs: number[]; idleRssBytes: number }

/** Starts the gateway on an empty data folder and an empty compile cache, then again and again on what it has left. */
export async function measureStarts(
  workshop: Workshop,
  dataDir: string,
  upstream: string,
  plan: Plan,
): Promise<Starts> {
  const start = async () => {
    const gateway = await workshop.startGateway({ dataDir, upstream })
    await delay(plan.settleMs)
    const { rssBytes } = vitals(gateway.pid)
    // A clean end: the compile cache is written there.
    await gateway.stop('SIGTERM')
    return { readyMs: gateway.readyMs, rssBytes }
  }
  const first = await start()
  const later = []
  for (let index = 0; index < plan.starts; index++) later.push(await start())
  return {
    firstMs: first.readyMs,
    laterMs: later.map(({ readyMs }) => readyMs),
    idleRssBytes: Math.max(first.rssBytes, ...later.map(({ rssBytes }) => rssBytes)),
  }
}

export type PhaseName = 'json' | 'latency' | 'sse'
/** Samples by the subject's name, one a round. */
export type Samples = Record<PhaseName, Record<string, Sample[]>>
export type Course = { subject: Subject; phases: Partial<Record<PhaseName, Phase>> }

/** All subjects in turn, round by round, so that a change of the machine's mood meets all of them. */
export async function measureRounds(
  load: LoadClient,
  courses: Course[],
  { rounds, warmUpRequests }: Plan,
  onRound: (round: number) => void,
): Promise<Samples> {
  const samples: Samples = { json: {}, latency: {}, sse: {} }
  const warm = new Set<string>()
  for (const { subject, phases } of courses) {
    for (const [name, phase] of Object.entries(phases) as [PhaseName, Phase][]) {
      const key = `${phase.ask.kind} ${subject.pid ?? subject.url}`
      if (warm.has(key)) continue
      warm.add(key)
      await load.warmUp(subject, phase, name === 'json' ? warmUpRequests : warmUpRequests / CHUNKS)
    }
  }
  for (let round = 1; round <= rounds; round++) {
    onRound(round)
    for (const { subject, phases } of courses) {
      for (const [name, phase] of Object.entries(phases) as [PhaseName, Phase][]) {
        samples[name][subject.name] ??= []
        samples[name][subject.name]!.push(await load.measure(subject, phase))
      }
    }
  }
  return samples
}

/** Bytes for each open and silent stream: as the system sees it, and what is left of that once garbage is collected. */
export type StreamMemory = { rss: number; live: number }

/** Counted between the first and the last of the streams, so that what a process takes once is not in it. */
export async function measureIdleStreams(
  load: LoadClient,
  subject: Subject,
  inspectorPort: number,
  { json, sse, idleStreams, settleMs }: Plan,
  ask: Phase['ask'] = { kind: 'idle' },
): Promise<StreamMemory> {
  const rss = async () => {
    await delay(settleMs)
    return vitals(subject.pid!).rssBytes
  }
  const afterCollection = async () => {
    await collectGarbage(inspectorPort)
    return rss()
  }
  await load.measure(subject, { ...json, ms: 500 })
  await load.measure(subject, { ...sse, ms: 300 })
  const emptyLive = await afterCollection()
  await load.hold(subject, ask, idleStreams / 4)
  const few = await rss()
  await load.hold(subject, ask, idleStreams)
  const many = await rss()
  const live = await afterCollection()
  await load.release()
  return { rss: (many - few) / idleStreams, live: (live - emptyLive) / (idleStreams * 1.25) }
}
