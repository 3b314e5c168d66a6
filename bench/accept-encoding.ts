import { join } from 'node:path'
import { createTokens } from './gateway-token.ts'
import { type Phase, type Sample, startLoad } from './load-client.ts'
import { spread } from './measure.ts'
import type { Workshop } from './processes.ts'
import { columns, spreadText } from './report.ts'
import type { Kind } from './requests.ts'

type Case = { label: string; phase: Phase; samples: Sample[] }

const KINDS: [Kind, string, number][] = [
  ['json', 'JSON, 1 KB', 32],
  ['json-20k', 'JSON, 20 KB', 32],
  ['sse', 'SSE, 100 events', 48],
]

/**
 * Metered answers have to be read. The gateway asks the provider for `identity`; the other way is to let the provider compress
 * and to decode here. Both ways with the real gateway: the provider that compresses unasked gives the second figure.
 */
export async function benchEncoding(workshop: Workshop, quick: boolean) {
  const rounds = quick ? 3 : 10
  const { url: upstream } = await workshop.startServer('upstream.ts')
  const dataDir = join(workshop.folder, 'data')
  const gateway = await workshop.startGateway({ dataDir, upstream })
  const subject = { ...gateway, name: 'gateway', token: (await createTokens(dataDir)).limited }
  const load = startLoad(workshop)

  const cases: Case[] = KINDS.flatMap(([kind, name, connections]) =>
    [false, true].map((gzip) => ({
      label: `${name}, ${gzip ? 'gzip, decoded' : 'identity'}`,
      phase: { ask: { kind, gzip }, connections, warmMs: 100, ms: kind === 'sse' ? 50 : 700 },
      samples: [],
    })),
  )
  for (const { phase } of cases) await load.warmUp(subject, phase, phase.ask.kind === 'sse' ? 200 : 8_000)
  for (let round = 0; round < rounds; round++) {
    for (const { phase, samples } of cases) samples.push(await load.measure(subject, phase))
  }

  const rows = cases.map(({ label, samples }) => ({
    label,
    cpuMicrosPerRequest: spread(samples.map(({ cpuMicros, requests }) => cpuMicros! / requests)),
    requestsPerSecond: spread(samples.map(({ requests, ms }) => (requests / ms) * 1000)).median,
  }))
  const table = [
    ['gateway, everything on', 'CPU µs/answer', 'answers/s'],
    ...rows.map(({ label, cpuMicrosPerRequest, requestsPerSecond }) => [
      label,
      spreadText(cpuMicrosPerRequest, 0),
      requestsPerSecond.toFixed(0),
    ]),
  ]
  return { text: columns(table).join('\n'), data: { at: new Date().toISOString(), rounds, rows } }
}
