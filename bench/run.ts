/*
 * npm run bench [-- --quick] [-- --json]     the table, about three minutes (--quick: 40 seconds, rougher)
 * npm run bench -- encoding                  plain or compressed answers from the provider: what costs the gateway less
 * npm run bench -- profile                   where the gateway's CPU goes under load
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { benchEncoding } from './accept-encoding.ts'
import { createTokens } from './gateway-token.ts'
import { type Subject, startLoad } from './load-client.ts'
import { machineBusyMicros, vitals } from './measure.ts'
import { type Course, FULL, measureIdleStreams, measureRounds, measureStarts, QUICK } from './phases.ts'
import { openWorkshop, type Running, type Workshop } from './processes.ts'
import { benchProfile } from './profile.ts'
import { NAMES, type Results, toGoals, toRows, toText } from './report.ts'

const COMMANDS: Record<string, (workshop: Workshop, quick: boolean) => Promise<{ text: string; data: unknown }>> = {
  compare,
  encoding: benchEncoding,
  profile: benchProfile,
}
const NO_TOKEN = `sk-${'0'.repeat(43)}`

const args = process.argv.slice(2)
const [name = 'compare', ...rest] = args.filter((arg) => !arg.startsWith('--'))
const flags = new Set(args.filter((arg) => arg.startsWith('--')))
const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
if (!command || rest.length > 0 || [...flags].some((flag) => flag !== '--quick' && flag !== '--json')) {
  console.error(`Usage: npm run bench -- [${Object.keys(COMMANDS).join('|')}] [--quick] [--json]`)
  process.exit(2)
}

const workshop = openWorkshop()
const { text, data } = await command(workshop, flags.has('--quick'))
const folder = join(import.meta.dirname, 'results')
mkdirSync(folder, { recursive: true })
const file = join(folder, `${name}-${new Date().toISOString().replaceAll(':', '-').slice(0, 19)}.json`)
writeFileSync(file, `${JSON.stringify(data, null, 2)}\n`)
console.log(flags.has('--json') ? JSON.stringify(data) : `${text}\n\nKept in ${file}`)
process.exit(0)

/** The gateway beside a bare relay, a comfortable one, and none. */
async function compare(workshop: Workshop, quick: boolean) {
  const plan = quick ? QUICK : FULL
  const started = performance.now()
  const at = new Date().toISOString()
  const { url: upstream, pid: upstreamPid } = await workshop.startServer('upstream.ts')
  const dataDir = join(workshop.folder, 'data')

  progress('starts')
  const starts = await measureStarts(workshop, dataDir, upstream, plan)
  const tokens = await createTokens(dataDir)
  const startAll = (): Promise<Record<'bare' | 'dispatch' | 'gateway' | 'express', Running>> =>
    allOf({
      bare: workshop.startServer('relays/bare.ts', upstream),
      dispatch: workshop.startServer('relays/bare-dispatch.ts', upstream),
      gateway: workshop.startGateway({ dataDir, upstream }),
      express: workshop.startServer('relays/express-hpm.ts', upstream),
    })
  const subject = (key: keyof typeof NAMES, running: Running, token = tokens.limited): Subject => ({
    ...running,
    name: NAMES[key],
    token,
  })

  const relays = await startAll()
  const nginx = await workshop.startNginx(upstream)
  const load = startLoad(workshop)
  const { json, latency, sse } = plan
  const all = { json, latency, sse }
  const courses: Course[] = [
    { subject: { name: NAMES.direct, pid: null, url: upstream, token: NO_TOKEN }, phases: { json, latency } },
    { subject: subject('bare', relays.bare), phases: all },
    { subject: subject('gateway', relays.gateway), phases: all },
    { subject: subject('capped', relays.gateway, tokens.capped), phases: { json, latency } },
    { subject: subject('asked', relays.gateway), phases: { sse: { ...sse, ask: { kind: 'sse-usage' } } } },
    { subject: subject('dispatch', relays.dispatch), phases: all },
    { subject: subject('express', relays.express), phases: all },
    ...(nginx ? [{ subject: subject('nginx', nginx), phases: all }] : []),
  ]
  const pids = [process.pid, upstreamPid, load.pid, ...courses.flatMap(({ subject: { pid } }) => pid ?? [])]
  const ours = () => [...new Set(pids)].reduce((sum, pid) => sum + vitals(pid).cpuMicros, 0)
  const before = { busy: machineBusyMicros(), ours: ours(), at: performance.now() }
  const samples = await measureRounds(load, courses, plan.rounds, (round) => progress(`round ${round}/${plan.rounds}`))
  const busy = machineBusyMicros()
  const capacity = (performance.now() - before.at) * 1000 * cpus().length
  const othersCpuShare =
    busy === null || before.busy === null ? null : (busy - before.busy - (ours() - before.ours)) / capacity
  for (const relay of Object.values(relays)) await relay.stop()

  const idle: Record<string, number> = {}
  for (const [key, relay] of Object.entries(await startAll()) as [keyof typeof NAMES, Running][]) {
    progress(`idle streams: ${NAMES[key]}`)
    idle[NAMES[key]] = await measureIdleStreams(load, subject(key, relay), plan)
    await relay.stop()
  }

  const results: Results = {
    at,
    machine: { cpus: cpus().length, model: cpus()[0]!.model, node: process.versions.node, othersCpuShare },
    plan: `${plan.rounds} rounds${quick ? ' (quick)' : ''}, ${plan.idleStreams} idle streams`,
    seconds: (performance.now() - started) / 1000,
    starts,
    rows: toRows(samples, idle),
    goals: toGoals(samples, idle, starts),
  }
  return { text: toText(results), data: results }
}

async function allOf<K extends string, T>(parts: Record<K, Promise<T>>): Promise<Record<K, T>> {
  const entries = Object.entries(parts) as [K, Promise<T>][]
  return Object.fromEntries(await Promise.all(entries.map(async ([key, part]) => [key, await part]))) as Record<K, T>
}

function progress(step: string): void {
  if (process.stderr.isTTY) process.stderr.write(`${step}\n`)
}
