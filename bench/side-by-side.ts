import { join } from 'node:path'
import { createTokens } from './gateway-token.ts'
import { type Phase, type Sample, type Subject, startLoad } from './load-client.ts'
import { spread } from './measure.ts'
import type { Workshop } from './processes.ts'
import { columns, spreadText } from './report.ts'
import type { Kind } from './requests.ts'

type Case = { label: string; subject: Subject; phase: Phase; samples: Sample[] }

const KINDS: [Kind, string, number][] = [
  ['json', 'JSON, 1 KB', 32],
  ['json-20k', 'JSON, 20 KB', 32],
  ['sse', 'SSE, 100 events', 48],
]

/** The same gateway with different options, by name, round by round. CPU is of the whole process, with all its threads. */
export async function sideBySide(
  workshop: Workshop,
  quick: boolean,
  optionsOf: Record<string, (upstream: string) => Record<string, string>>,
) {
  const rounds = quick ? 3 : 10
  const { url: upstream } = await workshop.startServer('upstream.ts')
  const subjects: Subject[] = []
  for (const [name, options] of Object.entries(optionsOf)) {
    const dataDir = join(workshop.folder, name.replaceAll(/\W/g, '-'))
    const gateway = await workshop.startGateway({ dataDir, upstream, options: options(upstream) })
    subjects.push({ ...gateway, name, token: (await createTokens(dataDir)).limited })
  }
  const load = startLoad(workshop)

  const cases: Case[] = KINDS.flatMap(([kind, name, connections]) =>
    subjects.map((subject) => ({
      label: `${name}, ${subject.name}`,
      subject,
      phase: { ask: { kind }, connections, warmMs: 100, ms: kind === 'sse' ? 50 : 700 },
      samples: [],
    })),
  )
  for (const { subject, phase } of cases) await load.warmUp(subject, phase, phase.ask.kind === 'sse' ? 200 : 8_000)
  for (let round = 0; round < rounds; round++) {
    for (const { subject, phase, samples } of cases) samples.push(await load.measure(subject, phase))
  }

  const rows = cases.map(({ label, samples }) => ({
    label,
    cpuMicrosPerRequest: spread(samples.map(({ cpuMicros, requests }) => cpuMicros! / requests)),
    requestsPerSecond: spread(samples.map(({ requests, ms }) => (requests / ms) * 1000)).median,
    p50Ms: spread(samples.map(({ p50 }) => p50)).median,
  }))
  const table = [
    ['gateway, everything on', 'CPU µs/answer', 'answers/s', 'p50 ms'],
    ...rows.map(({ label, cpuMicrosPerRequest, requestsPerSecond, p50Ms }) => [
      label,
      spreadText(cpuMicrosPerRequest, 0),
      requestsPerSecond.toFixed(0),
      p50Ms.toFixed(2),
    ]),
  ]
  return { text: columns(table).join('\n'), data: { at: new Date().toISOString(), rounds, rows } }
}
