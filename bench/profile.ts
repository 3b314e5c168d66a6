import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createTokens } from './gateway-token.ts'
import { startLoad } from './load-client.ts'
import type { Workshop } from './processes.ts'
import { columns } from './report.ts'
import type { Kind } from './requests.ts'

type Frame = { functionName: string; url: string; lineNumber: number }
type Node = { id: number; callFrame: Frame; children?: number[] }
type Profile = { nodes: Node[]; samples: number[]; timeDeltas: number[]; startTime: number; endTime: number }
type Line = { name: string; room: string; self: number; total: number }

const ROOT = join(import.meta.dirname, '..')
const IDLE = new Set(['(idle)', '(program)', '(root)'])
const SAMPLE_EVERY_MICROS = 250
const TOP = 25

/** Where the gateway's CPU goes under load, once with JSON answers and once with streams. */
export async function benchProfile(workshop: Workshop, quick: boolean) {
  const parts = []
  for (const kind of ['json', 'sse'] as const) parts.push(await profileOf(workshop, kind, quick ? 3000 : 8000))
  return { text: parts.map(({ text }) => text).join('\n\n'), data: parts.map(({ data }) => data) }
}

async function profileOf(workshop: Workshop, kind: Kind, ms: number) {
  const { url: upstream } = await workshop.startServer('upstream.ts')
  const dataDir = join(workshop.folder, `data-${kind}`)
  const profiles = join(workshop.folder, `profile-${kind}`)
  const nodeFlags = ['--cpu-prof', `--cpu-prof-dir=${profiles}`, `--cpu-prof-interval=${SAMPLE_EVERY_MICROS}`]
  const started = performance.now()
  const gateway = await workshop.startGateway({ dataDir, upstream, nodeFlags })
  const subject = { ...gateway, name: 'gateway', token: (await createTokens(dataDir)).limited }
  const load = startLoad(workshop)
  const connections = kind === 'json' ? 32 : 48
  await load.measure(subject, { ask: { kind }, connections, warmMs: 0, ms: 5000 })
  const from = performance.now() - started
  await load.measure(subject, { ask: { kind }, connections, warmMs: 0, ms })
  const until = performance.now() - started
  await gateway.stop('SIGTERM')

  const largest = readdirSync(profiles)
    .map((file) => readFileSync(join(profiles, file), 'utf8'))
    .sort((a, b) => b.length - a.length)[0]!
  const { lines, rooms } = summarise(JSON.parse(largest) as Profile, from * 1000, until * 1000)
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`
  const bySelf = lines.toSorted((a, b) => b.self - a.self).slice(0, TOP)
  const own = lines.filter(({ room }) => room === 'src').toSorted((a, b) => b.total - a.total)
  const text = [
    `${kind}: share of the busy time of the main thread`,
    '',
    ...columns([['room', 'self'], ...rooms.map(([room, self]) => [room, percent(self)])]),
    '',
    ...columns([['function', 'self'], ...bySelf.map(({ name, self }) => [name, percent(self)])]),
    '',
    ...columns([
      ['own function (of src/)', 'self', 'with callees'],
      ...own.slice(0, TOP).map(({ name, self, total }) => [name, percent(self), percent(total)]),
    ]),
  ].join('\n')
  return { text, data: { kind, rooms, bySelf, own } }
}

/** Self and inclusive shares of every function between two moments (microseconds since the start of the profile). */
function summarise({ nodes, samples, timeDeltas }: Profile, from: number, until: number) {
  const self = new Map<number, number>()
  let at = 0
  let busy = 0
  const byId = new Map(nodes.map((node) => [node.id, node]))
  samples.forEach((id, index) => {
    const took = timeDeltas[index + 1] ?? 0
    at += timeDeltas[index]!
    if (at < from || at > until || IDLE.has(byId.get(id)!.callFrame.functionName)) return
    self.set(id, (self.get(id) ?? 0) + took)
    busy += took
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
    lineOf(id).self += micros / busy
    const above = new Set<Line>()
    for (let node: number | undefined = id; node !== undefined; node = parents.get(node)) above.add(lineOf(node))
    for (const line of above) line.total += micros / busy
  }
  const rooms = Map.groupBy(lines.values(), ({ room }) => room)
  const roomShares = [...rooms].map(([room, all]) => [room, all.reduce((sum, line) => sum + line.self, 0)] as const)
  return { lines: [...lines.values()], rooms: roomShares.toSorted((a, b) => b[1] - a[1]) }
}

function nameOf({ functionName, url, lineNumber }: Frame): string {
  const name = functionName || '(anonymous)'
  if (url === '') return name
  const path = url.startsWith('file:') ? relative(ROOT, fileURLToPath(url)) : url
  return `${name} ${path.replace(`node_modules${sep}`, '')}:${lineNumber + 1}`
}

/** `src`, a package, a module of Node's, or V8 itself. */
function roomOf({ functionName, url }: Frame): string {
  if (url === '') return functionName.startsWith('(') ? functionName : 'native (system calls, SQLite, buffers, parsers)'
  if (!url.startsWith('file:')) return 'Node'
  const [first, second, third] = relative(ROOT, fileURLToPath(url)).split(sep)
  if (first !== 'node_modules') return first!
  return second!.startsWith('@') ? `${second}/${third}` : second!
}
