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
const KEEPS = { REQUEST_LOGGING: 'true', RESPONSE_LOGGING: 'true', BODY_LOG_DAYS: '1' }

/**
 * What keeping bodies costs: the same gateway without and with it, round by round. CPU is of the whole process: with it, the thread
 * that masks, compresses and writes is part of that. How many were kept depends on what that thread gets of the machine.
 */
export async function benchBodies(workshop: Workshop, quick: boolean) {
  const rounds = quick ? 3 : 10
  const { url: upstream } = await workshop.startServer('upstream.ts')
  const start = async (name: string, options: Record<string, string>): Promise<Subject> => {
    const dataDir = join(workshop.folder, name)
    const gateway = await workshop.startGateway({ dataDir, upstream, options })
    return { ...gateway, name, token: (await createTokens(dataDir)).limited }
  }
  const subjects = [await start('off', {}), await start('kept', KEEPS)]
  const load = startLoad(workshop)

  const cases: Case[] = KINDS.flatMap(([kind, name, connections]) =>
    subjects.map((subject) => ({
      label: `${name}, bodies ${subject.name}`,
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
