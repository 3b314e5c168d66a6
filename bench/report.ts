import { type Spread, spread } from './measure.ts'
import type { PhaseName, Samples, Starts, StreamMemory } from './phases.ts'
import { CHUNKS } from './requests.ts'

export const NAMES = {
  direct: 'direct (no relay)',
  bare: 'bare: node:http + undici request',
  dispatch: 'bare: node:http + undici dispatch',
  gateway: 'gateway, everything on',
  capped: 'gateway, capped token',
  asked: 'gateway, client asks for usage',
  express: 'Express + http-proxy-middleware',
  nginx: 'nginx',
} as const

export type Row = {
  name: string
  cpuMicrosPerRequest: Spread | null
  requestsPerSecond: number | null
  addedMs: { p50: number; p99: number } | null
  cpuMicrosPerChunk: Spread | null
  kbPerIdleStream: StreamMemory | null
}
/** `ratio` goals are the median over the rounds of the ratio within one round. */
export type Goal = { name: string; value: number; spread?: Spread; limit: number; unit: string; met: boolean }
export type Results = {
  at: string
  machine: { cpus: number; model: string; node: string; othersCpuShare: number | null }
  plan: string
  seconds: number
  starts: Starts
  rows: Row[]
  goals: Goal[]
  samples: Samples
}

/** One line for each relay. `idle`: memory for each idle stream, by name. */
export function toRows(samples: Samples, idle: Record<string, StreamMemory>): Row[] {
  const names = new Set(Object.values(samples).flatMap((phase) => Object.keys(phase)))
  const median = (phase: PhaseName, name: string, of: 'p50' | 'p99') =>
    spread((samples[phase][name] ?? []).map((sample) => sample[of])).median
  return [...names].map((name) => {
    const json = samples.json[name]
    const chunks = cpuPer(samples, 'sse', name)
    const added = (of: 'p50' | 'p99') => median('latency', name, of) - median('latency', NAMES.direct, of)
    return {
      name,
      cpuMicrosPerRequest: spreadOrNull(cpuPer(samples, 'json', name)),
      requestsPerSecond: json ? spread(json.map(({ requests, ms }) => (requests / ms) * 1000)).median : null,
      addedMs: samples.latency[name] && name !== NAMES.direct ? { p50: added('p50'), p99: added('p99') } : null,
      cpuMicrosPerChunk: spreadOrNull(chunks?.map((micros) => micros / CHUNKS) ?? null),
      kbPerIdleStream: idle[name] ? { rss: idle[name].rss / 1024, live: idle[name].live / 1024 } : null,
    }
  })
}

export function toGoals(samples: Samples, idle: Record<string, StreamMemory>, starts: Starts): Goal[] {
  const { gateway, bare, express } = NAMES
  const ratio = (name: string, phase: PhaseName, of: string, limit: number): Goal => {
    const theirs = cpuPer(samples, phase, of)!
    const values = spread(cpuPer(samples, phase, gateway)!.map((micros, round) => micros / theirs[round]!))
    return { name, value: values.median, spread: values, limit, unit: '×', met: values.median <= limit }
  }
  const value = (name: string, amount: number, limit: number, unit: string): Goal => ({
    name,
    value: amount,
    limit,
    unit,
    met: amount <= limit,
  })
  return [
    ratio('CPU per request, of the bare relay', 'json', bare, 1.6),
    ratio('CPU per request, of Express + http-proxy-middleware', 'json', express, 0.55),
    ratio('CPU per SSE chunk, of the bare relay', 'sse', bare, 1.2),
    value('memory per idle stream', Math.max(idle[gateway]!.rss, idle[gateway]!.live) / 1024, 40, 'KB'),
    value('first start to ready', starts.firstMs, 1000, 'ms'),
    value('later start to ready', spread(starts.laterMs).median, 1000, 'ms'),
    value('memory when idle', starts.idleRssBytes / 1024 ** 2, 130, 'MB'),
  ]
}

/** CPU microseconds of the relay for each request, one value a round; null for what has no process of its own. */
function cpuPer(samples: Samples, phase: PhaseName, name: string): number[] | null {
  const taken = samples[phase][name]
  if (!taken?.every(({ cpuMicros }) => cpuMicros !== null)) return null
  return taken.map(({ cpuMicros, requests }) => cpuMicros! / requests)
}

const spreadOrNull = (values: number[] | null) => (values === null ? null : spread(values))

export function toText({ machine, plan, seconds, rows, goals }: Results): string {
  const table = [
    ['', 'CPU µs/request', 'requests/s', 'added ms p50', 'p99', 'CPU µs/SSE chunk', 'KB/idle stream', 'live'],
    ...rows.map((row) => [
      row.name,
      spreadText(row.cpuMicrosPerRequest, 0),
      row.requestsPerSecond === null ? '' : row.requestsPerSecond.toFixed(0),
      row.addedMs === null ? '' : row.addedMs.p50.toFixed(2),
      row.addedMs === null ? '' : row.addedMs.p99.toFixed(2),
      spreadText(row.cpuMicrosPerChunk, 1),
      row.kbPerIdleStream?.rss.toFixed(1) ?? '',
      row.kbPerIdleStream?.live.toFixed(1) ?? '',
    ]),
  ]
  const others =
    machine.othersCpuShare === null
      ? ''
      : `, of which other programs used ${(machine.othersCpuShare * 100).toFixed(0)} %`
  return [
    `Node ${machine.node}, ${machine.cpus} × ${machine.model}${others}. ${plan}, ${seconds.toFixed(0)} s.`,
    '',
    ...columns(table),
    '',
    'CPU: the relay’s process alone, user and system; median (least to most) over the rounds, 32 connections; for SSE all CPU of',
    `a stream over its ${CHUNKS} chunks. Added latency: one connection, against direct. Requests/s shares the processors with`,
    'the load generator and the provider: compare it, do not quote it. Idle stream: growth of the resident memory; live: what',
    'is left of it after a garbage collection.',
    '',
    ...columns(goals.map(goalLine)),
  ].join('\n')
}

function goalLine({ name, value, spread: over, limit, unit, met }: Goal): string[] {
  const digits = unit === '×' ? 2 : 0
  const rounds = over ? ` (${over.min.toFixed(digits)} to ${over.max.toFixed(digits)})` : ''
  return [met ? 'met   ' : 'MISSED', name, `${value.toFixed(digits)}${rounds} ${unit}`, `goal ≤ ${limit} ${unit}`]
}

export function spreadText(values: Spread | null, digits: number): string {
  if (values === null) return ''
  return `${values.median.toFixed(digits)} (${values.min.toFixed(digits)} to ${values.max.toFixed(digits)})`
}

/** Lines of a table: the first column to the left, the others to the right. */
export function columns(table: string[][]): string[] {
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)))
  return table.map((row) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  '),
  )
}
