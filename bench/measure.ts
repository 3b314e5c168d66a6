import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

/** What Linux calls a tick, whatever the machine. */
const TICK_MICROS = 10_000

export type Vitals = { cpuMicros: number; rssBytes: number }

/** User and system time so far, and the memory now, of one process with all its threads. */
export function vitals(pid: number): Vitals {
  if (process.platform !== 'linux') return vitalsByPs(pid)
  const rss = /VmRSS:\s+(\d+) kB/.exec(read(`/proc/${pid}/status`))?.[1]
  return { cpuMicros: cpuMicros(pid), rssBytes: Number(rss) * 1024 }
}

/** The scheduler's own account has nanoseconds; where the kernel keeps none, ticks have to do. */
function cpuMicros(pid: number): number {
  const tasks = readdirSync(`/proc/${pid}/task`)
  try {
    return tasks.reduce((sum, task) => sum + Number.parseInt(read(`/proc/${pid}/task/${task}/schedstat`), 10), 0) / 1000
  } catch {
    const stat = read(`/proc/${pid}/stat`)
    // Fields behind the name of the program, which may itself hold spaces.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) * TICK_MICROS
  }
}

const read = (path: string) => readFileSync(path, 'latin1')

/** CPU time so far of the thread that a process began with; null where nobody tells. Microseconds. */
export function mainThreadMicros(pid: number): number | null {
  if (process.platform !== 'linux') return null
  try {
    return Number.parseInt(read(`/proc/${pid}/task/${pid}/schedstat`), 10) / 1000
  } catch {
    return null
  }
}

/** Busy time of all processors so far, whoever was busy; null where nobody tells. Microseconds. */
export function machineBusyMicros(): number | null {
  if (process.platform !== 'linux') return null
  const [user, nice, system, , , irq, softirq, steal] = read('/proc/stat')
    .split('\n', 1)[0]!
    .trim()
    .split(/\s+/)
    .slice(1)
    .map(Number)
  return (user! + nice! + system! + irq! + softirq! + steal!) * TICK_MICROS
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
