import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** Linux counts in ticks of 10 ms, whatever the machine. */
const TICK_MICROS = 10_000

export type Vitals = { cpuMicros: number; rssBytes: number }

/** User and system time so far, and the memory now, of one process with all its threads. */
export function vitals(pid: number): Vitals {
  if (process.platform !== 'linux') return vitalsByPs(pid)
  const [user, system] = statFields(`/proc/${pid}/stat`, 11, 13)
  const rss = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]
  return { cpuMicros: (user! + system!) * TICK_MICROS, rssBytes: Number(rss) * 1024 }
}

/** Busy time of all processors so far, whoever was busy; null where nobody tells. Microseconds. */
export function machineBusyMicros(): number | null {
  if (process.platform !== 'linux') return null
  const [user, nice, system, , , irq, softirq, steal] = readFileSync('/proc/stat', 'latin1')
    .split('\n', 1)[0]!
    .trim()
    .split(/\s+/)
    .slice(1)
    .map(Number)
  return (user! + nice! + system! + irq! + softirq! + steal!) * TICK_MICROS
}

/** Fields behind the name of the program, which may itself hold spaces. */
function statFields(path: string, from: number, to: number): number[] {
  const text = readFileSync(path, 'latin1')
  return text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .slice(from, to)
    .map(Number)
}

/** `12:34.56` or `1-02:03:04`: days, hours, minutes, seconds. */
function vitalsByPs(pid: number): Vitals {
  const [time, rss] = execFileSync('ps', ['-o', 'time=,rss=', '-p', String(pid)], { encoding: 'latin1' })
    .trim()
    .split(/\s+/)
  const [clock, days = '0'] = time!.split('-').reverse()
  const seconds = clock!.split(':').reduce((sum, part) => sum * 60 + Number(part), 0)
  return { cpuMicros: (Number(days) * 86_400 + seconds) * 1e6, rssBytes: Number(rss) * 1024 }
}

export type Spread = { median: number; min: number; max: number }

export function spread(values: number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
  return { median, min: sorted[0]!, max: sorted.at(-1)! }
}
