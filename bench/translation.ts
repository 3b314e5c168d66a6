import { join } from 'node:path'
import { inspectable } from './garbage.ts'
import { createTokens } from './gateway-token.ts'
import { type Phase, type Sample, type Subject, startLoad } from './load-client.ts'
import { spread } from './measure.ts'
import { FULL, measureIdleStreams, QUICK } from './phases.ts'
import { freePort, type Workshop } from './processes.ts'
import { columns, spreadText } from './report.ts'
import { CHUNKS } from './requests.ts'

/** A client of OpenAI's; the first one's requests pass as they are. */
const WAYS = {
  'chat to chat': 'gpt-4o-mini',
  'chat to Anthropic': 'claude-sonnet-4-5',
  'chat to Gemini': 'gemini-2.5-flash',
}
type Way = keyof typeof WAYS
const PASSED: Way = 'chat to chat'
const GOALS = { request: 60, event: 6, streamKb: 60 }

/** What translation adds on the data path: CPU of a request with its answer, and of an event; memory of a silent stream. */
export async function benchTranslation(workshop: Workshop, quick: boolean) {
  const plan = quick ? QUICK : FULL
  const { url: upstream } = await workshop.startServer('upstream.ts')
  const dataDir = join(workshop.folder, 'translation')
  const options = {
    ANTHROPIC_API_KEY: 'bench-provider-key-0000000001',
    ANTHROPIC_BASE_URL: `${upstream}/v1`,
    GEMINI_API_KEY: 'bench-provider-key-0000000002',
    GEMINI_BASE_URL: `${upstream}/v1beta`,
  }
  const start = async (nodeFlags: string[] = []) => workshop.startGateway({ dataDir, upstream, options, nodeFlags })
  const gateway = await start()
  const { limited: token } = await createTokens(dataDir, ['*'])
  const subject: Subject = { ...gateway, name: 'gateway', token }
  const load = startLoad(workshop)
  const cases = (Object.keys(WAYS) as Way[]).map((way) => ({
    way,
    json: toPhase(way, plan.json),
    sse: toPhase(way, plan.sse),
    samples: { json: [] as Sample[], sse: [] as Sample[] },
  }))
  for (const { json, sse } of cases) {
    await load.warmUp(subject, json, plan.warmUpRequests)
    await load.warmUp(subject, sse, plan.warmUpRequests / CHUNKS)
  }
  for (let round = 0; round < plan.rounds; round++) {
    for (const { json, sse, samples } of cases) {
      samples.json.push(await load.measure(subject, json))
      samples.sse.push(await load.measure(subject, sse))
    }
  }
  await gateway.stop()

  const memory: Partial<Record<Way, number>> = {}
  for (const way of Object.keys(WAYS) as Way[]) {
    const port = await freePort()
    const fresh = await start(inspectable(port))
    const ask = { kind: 'idle' as const, model: WAYS[way] }
    const [json, sse] = [toPhase(way, plan.json), toPhase(way, plan.sse)]
    memory[way] = (
      await measureIdleStreams(load, { ...fresh, name: way, token }, port, { ...plan, json, sse }, ask)
    ).rss
    await fresh.stop()
  }

  const micros = (samples: Sample[], per: number) =>
    samples.map(({ cpuMicros, requests }) => cpuMicros! / requests / per)
  const passed = cases.find(({ way }) => way === PASSED)!.samples
  const rows = cases.map(({ way, samples }) => {
    const added = (kind: 'json' | 'sse', per: number) =>
      spread(micros(samples[kind], per).map((value, round) => value - micros(passed[kind], per)[round]!))
    return {
      way,
      request: spread(micros(samples.json, 1)),
      event: spread(micros(samples.sse, CHUNKS)),
      addedToRequest: way === PASSED ? null : added('json', 1),
      addedToEvent: way === PASSED ? null : added('sse', CHUNKS),
      streamKb: memory[way]! / 1024,
    }
  })
  const table = [
    ['', 'CPU µs/request', 'added', 'CPU µs/event', 'added', 'KB/silent stream'],
    ...rows.map(({ way, request, event, addedToRequest, addedToEvent, streamKb }) => [
      way,
      spreadText(request, 0),
      spreadText(addedToRequest, 0),
      spreadText(event, 1),
      spreadText(addedToEvent, 1),
      streamKb.toFixed(0),
    ]),
    ['goal', '', `at most ${GOALS.request}`, '', `at most ${GOALS.event}`, `at most ${GOALS.streamKb}`],
  ]
  return {
    text: columns(table).join('\n'),
    data: { at: new Date().toISOString(), rounds: plan.rounds, rows, goals: GOALS },
  }
}

const toPhase = (way: Way, phase: Phase): Phase => ({ ...phase, ask: { ...phase.ask, model: WAYS[way] } })
