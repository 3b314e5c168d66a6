import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createTokens } from './gateway-token.ts'
import { startLoad } from './load-client.ts'
import type { Workshop } from './processes.ts'
import { columns } from './report.ts'
import { CHUNKS, type Kind } from './requests.ts'

type Frame = { functionName: string; url: string; lineNumber: number }
type Node = { id: number; callFrame: Frame; children?: number[] }
type Profile = { nodes: Node[]; samples: number[]; timeDeltas: number[]; startTime: number; endTime: number }
/** Microseconds of the main thread for each answer: in the function itself, and with all that it calls. */
type Line = { name: string; room: string; self: number; total: number }
type Summary = { lines: Line[]; rooms: Record<string, number> }

const ROOT = join(import.meta.dirname, '..')
const PACKAGES = `${sep}node_modules${sep}`
const NOT_WORK = new Set(['(idle)', '(root)'])
const SAMPLE_EVERY_MICROS = 250
const WARM_UP_REQUESTS = 16_000
const TOP = 25

/** Where the CPU of the gateway's main thread goes under load, with JSON answers and with streams; by room beside the bare relay. */
export async function benchProfile(workshop: Workshop, quick: boolean) {
  const ms = quick ? 3000 : 8000
  const parts = []
  for (const kind of ['json', 'sse'] as const) {
    const bare = await profileOf(workshop, 'bare', kind, ms)
    parts.push({ kind, gateway: await profileOf(workshop, 'gateway', kind, ms), bare })
  }
  return { text: parts.map(toText).join('\n\n'), data: parts }
}

async function profileOf(workshop: Workshop, who: 'gateway' | 'bare', kind: Kind, ms: number): Promise<Summary> {
  const { url: upstream } = await workshop.startServer('upstream.ts')
  const dataDir = join(workshop.folder, `data-${who}-${kind}`)
  const profiles = join(workshop.folder, `profile-${who}-${kind}`)
  const nodeFlags = ['--cpu-prof', `--cpu-prof-dir=${profiles}`, `--cpu-prof-interval=${SAMPLE_EVERY_MICROS}`]
  const started = performance.now()
  const relay =
    who === 'gateway'
      ? await workshop.startGateway({ dataDir, upstream, nodeFlags })
      : await workshop.startServer('relays/bare.ts', [upstream], nodeFlags)
  const token = who === 'gateway' ? (await createTokens(dataDir)).limited : 'sk-none'
  const subject = { ...relay, name: who, token }
  const load = startLoad(workshop)
  const phase = { ask: { kind }, connections: kind === 'json' ? 32 : 48, warmMs: 0, ms }
  await load.warmUp(subject, phase, kind === 'json' ? WARM_UP_REQUESTS : WARM_UP_REQUESTS / CHUNKS)
  const from = performance.now() - started
  const { requests } = await load.measure(subject, phase)
  const until = performance.now() - started
  await relay.stop('SIGTERM')

  // Worker threads have profiles of their own; theirs are small.
  const largest = readdirSync(profiles)
    .map((file) => readFileSync(join(profiles, file), 'utf8'))
    .sort((a, b) => b.length - a.length)[0]!
  return summarise(JSON.parse(largest) as Profile, from * 1000, until * 1000, requests)
}

function toText({ kind, gateway, bare }: { kind: Kind; gateway: Summary; bare: Summary }): string {
  const sum = ({ rooms }: Summary) => Object.values(rooms).reduce((total, micros) => total + micros, 0)
  const all = sum(gateway)
  const cells = (...values: number[]) => values.map((micros) => micros.toFixed(1))
  const share = (micros: number) => `${((micros / all) * 100).toFixed(1)} %`
  const rooms = Object.entries(gateway.rooms).filter(
    ([room, micros]) => micros >= 0.05 || (bare.rooms[room] ?? 0) >= 0.05,
  )
  const own = gateway.lines.filter(({ room }) => room === 'src').toSorted((a, b) => b.total - a.total)
  const bySelf = gateway.lines.toSorted((a, b) => b.self - a.self)
  return [
    `${kind}: µs of the main thread for each answer (reading from sockets and the threads of V8 are not in a profile)`,
    '',
    ...columns([
      ['room', 'gateway', 'bare relay'],
      ...rooms.map(([room, micros]) => [room, ...cells(micros, bare.rooms[room] ?? 0)]),
      ['all', ...cells(all, sum(bare))],
    ]),
    '',
    ...columns([
      ['function', 'self µs', 'share'],
      ...bySelf.slice(0, TOP).map(({ name, self }) => [name, ...cells(self), share(self)]),
    ]),
    '',
    ...columns([
      ['function of src/', 'self µs', 'with callees', 'share'],
      ...own.slice(0, TOP).map(({ name, self, total }) => [name, ...cells(self, total), share(total)]),
    ]),
  ].join('\n')
}

/** Between two moments (microseconds since the start of the profile) in which so many answers were given. */
function summarise({ nodes, samples, timeDeltas }: Profile, from: number, until: number, answers: number): Summary {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const self = new Map<number, number>()
  let at = 0
  samples.forEach((id, index) => {
    at += timeDeltas[index]!
    if (at < from || at > until || NOT_WORK.has(byId.get(id)!.callFrame.functionName)) return
    self.set(id, (self.get(id) ?? 0) + (timeDeltas[index + 1] ?? 0) / answers)
  })
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)))
  const lines = new Map<string, Line>()
  const lineOf = (id: number): Line => {
    const { callFrame } = byId.get(id)!
    const name = nameOf(callFrame)
    const line = lines.get(name) ?? { name, room: roomOf(callFrame), self: 0, total: 0 }
    lines.set(name, line)
    return line
  }
  for (const [id, micros] of self) {
    lineOf(id).self += micros
    const above = new Set<Line>()
    for (let node: number | undefined = id; node !== undefined; node = parents.get(node)) above.add(lineOf(node))
    for (const line of above) line.total += micros
  }
  const rooms = [...Map.groupBy(lines.values(), ({ room }) => room)]
    .map(([room, all]) => [room, all.reduce((sum, line) => sum + line.self, 0)] as const)
    .sort((a, b) => b[1] - a[1])
  return { lines: [...lines.values()], rooms: Object.fromEntries(rooms) }
}

function nameOf({ functionName, url, lineNumber }: Frame): string {
  const name = functionName || '(anonymous)'
  return url === '' ? name : `${name} ${placeOf(url)}:${lineNumber + 1}`
}

/** `src`, a package, a module of Node's, or V8 itself. */
function roomOf({ functionName, url }: Frame): string {
  if (url === '') return functionName.startsWith('(') ? functionName : 'native (system calls, SQLite, buffers, parsers)'
  if (!url.startsWith('file:'))
    return url.startsWith('node:') ? 'Node' : 'native (system calls, SQLite, buffers, parsers)'
  const [first, second] = placeOf(url).split(sep)
  return first!.startsWith('@') ? `${first}/${second}` : first!
}

/** Below the folder of the project, or of the packages: `src/app.ts`, `undici/lib/…`. */
function placeOf(url: string): string {
  if (!url.startsWith('file:')) return url
  const path = fileURLToPath(url)
  const packages = path.lastIndexOf(PACKAGES)
  return packages === -1 ? relative(ROOT, path) : path.slice(packages + PACKAGES.length)
}
