import { cpus } from 'node:os'
import { join } from 'node:path'
import { inspectable } from './garbage.ts'
import { createTokens } from './gateway-token.ts'
import { type LoadClient, type Subject, startLoad } from './load-client.ts'
import { machineBusyMicros, vitals } from './measure.ts'
import {
  type Course,
  FULL,
  measureIdleStreams,
  measureRounds,
  measureStarts,
  type Plan,
  QUICK,
  type StreamMemory,
} from './phases.ts'
import { freePort, type Running, type Workshop } from './processes.ts'
import { NAMES, type Results, toGoals, toRows, toText } from './report.ts'

type Key = keyof typeof NAMES
type Start = (nodeFlags?: string[]) => Promise<Running>
type Relays<T> = Record<'bare' | 'gateway' | 'dispatch' | 'express', T>

/** The gateway with everything on, beside a bare relay, a comfortable one, and none. */
export async function compare(workshop: Workshop, quick: boolean) {
  const plan = quick ? QUICK : FULL
  const at = new Date().toISOString()
  const started = performance.now()
  const upstream = await workshop.startServer('upstream.ts')
  const dataDir = join(workshop.folder, 'data')

  progress('starts')
  const starts = await measureStarts(workshop, dataDir, upstream.url, plan)
  const tokens = await createTokens(dataDir)
  const startRelay: Relays<Start> = {
    bare: (flags) => workshop.startServer('relays/bare.ts', [upstream.url], flags),
    gateway: (nodeFlags) => workshop.startGateway({ dataDir, upstream: upstream.url, nodeFlags }),
    dispatch: (flags) => workshop.startServer('relays/bare-dispatch.ts', [upstream.url], flags),
    express: (flags) => workshop.startServer('relays/express-hpm.ts', [upstream.url], flags),
  }
  const load = startLoad(workshop)

  const relays = {} as Relays<Running>
  for (const [key, start] of entries(startRelay)) relays[key] = await start()
  const nginx = await workshop.startNginx(upstream.url)
  const courses = plannedCourses(plan, relays, nginx, upstream, tokens)
  const ours = [process.pid, load.pid, upstream.pid, ...courses.flatMap(({ subject }) => subject.pid ?? [])]
  const share = shareOfOthers(ours)
  const samples = await measureRounds(load, courses, plan, (round) => progress(`round ${round} of ${plan.rounds}`))
  const othersCpuShare = share()
  for (const relay of Object.values(relays)) await relay.stop()

  const { bare, gateway, ...others } = startRelay
  const idle = await measureMemory(load, quick ? { bare, gateway } : { bare, gateway, ...others }, tokens.limited, plan)
  const results: Results = {
    at,
    machine: { cpus: cpus().length, model: cpus()[0]!.model, node: process.versions.node, othersCpuShare },
    plan: `${plan.rounds} rounds${quick ? ' (quick)' : ''}, ${plan.idleStreams} idle streams`,
    seconds: (performance.now() - started) / 1000,
    starts,
    rows: toRows(samples, idle),
    goals: toGoals(samples, idle, starts),
    samples,
  }
  return { text: toText(results), data: results }
}

function plannedCourses(
  { json, latency, sse }: Plan,
  { bare, gateway, dispatch, express }: Relays<Running>,
  nginx: Running | null,
  upstream: Running,
  { limited, capped }: { limited: string; capped: string },
): Course[] {
  const subject = (key: Key, { pid, url }: Running, token = limited): Subject => ({ name: NAMES[key], pid, url, token })
  const all = { json, latency, sse }
  return [
    { subject: { ...subject('direct', upstream), pid: null }, phases: { json, latency } },
    { subject: subject('bare', bare), phases: all },
    { subject: subject('gateway', gateway), phases: all },
    { subject: subject('express', express), phases: all },
    { subject: subject('capped', gateway, capped), phases: { json, latency } },
    { subject: subject('asked', gateway), phases: { sse: { ...sse, ask: { kind: 'sse-usage' } } } },
    { subject: subject('dispatch', dispatch), phases: all },
    ...(nginx ? [{ subject: subject('nginx', nginx), phases: all }] : []),
  ]
}

/** Each relay in a process of its own that has done nothing else. */
async function measureMemory(load: LoadClient, startRelay: Partial<Relays<Start>>, token: string, plan: Plan) {
  const memory: Record<string, StreamMemory> = {}
  for (const [key, start] of entries(startRelay)) {
    const name = NAMES[key]
    progress(`idle streams: ${name}`)
    const port = await freePort()
    const relay = await start(inspectable(port))
    memory[name] = await measureIdleStreams(load, { ...relay, name, token }, port, plan)
    await relay.stop()
  }
  return memory
}

/** From now to the call of what it returns: the part of the machine that other programs took, null where nobody tells. */
function shareOfOthers(ours: number[]): () => number | null {
  const read = () => ({
    at: performance.now(),
    all: machineBusyMicros(),
    ours: ours.reduce((sum, pid) => sum + vitals(pid).cpuMicros, 0),
  })
  const before = read()
  return () => {
    const now = read()
    if (before.all === null || now.all === null) return null
    const others = now.all - before.all - (now.ours - before.ours)
    return Math.max(0, others) / ((now.at - before.at) * 1000 * cpus().length)
  }
}

const entries = <K extends string, T>(record: Partial<Record<K, T>>) => Object.entries(record) as [K, T][]

function progress(step: string): void {
  if (process.stderr.isTTY) process.stderr.write(`${step}\n`)
}
