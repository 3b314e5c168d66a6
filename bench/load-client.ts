import type { Order, Ran, Report } from './load.ts'
import { mainThreadMicros, vitals } from './measure.ts'
import type { Workshop } from './processes.ts'
import type { Ask } from './requests.ts'

/** One relay as the bench sees it: `pid` is null where no relay stands between the load and the provider. */
export type Subject = { name: string; pid: number | null; url: string; token: string }
/** `pauseMs`: so long each connection rests between two requests. */
export type Phase = { ask: Omit<Ask, 'token'>; connections: number; warmMs: number; ms: number; pauseMs?: number }
/** CPU of the relay: all of it, and that of its first thread. */
export type Sample = Ran & { cpuMicros: number | null; mainMicros: number | null }

const WARM_UP_AT_MOST_MS = 8_000

export type LoadClient = ReturnType<typeof startLoad>

/** The load generator. */
export function startLoad(workshop: Workshop) {
  const child = workshop.startScript('load.ts')
  const order = (what: Order): Promise<Ran | undefined> =>
    new Promise((resolve, reject) => {
      child.once('message', ({ ran, error }: Report) => (error ? reject(new Error(error)) : resolve(ran)))
      child.send(what)
    })
  const open = (subject: Subject, ask: Omit<Ask, 'token'>, connections: number) =>
    order({ type: 'open', url: subject.url, ask: { ...ask, token: subject.token }, connections })
  const close = () => order({ type: 'close' })

  return {
    pid: child.pid!,

    /** Load for a while on connections that stand already. The CPU is that of the relay's process, from idle to idle. */
    async measure(subject: Subject, { ask, connections, warmMs, ms, pauseMs }: Phase): Promise<Sample> {
      await open(subject, ask, connections)
      if (warmMs > 0) await order({ type: 'run', ms: warmMs, pauseMs })
      const before = subject.pid === null ? null : vitals(subject.pid)
      const mainBefore = subject.pid === null ? null : mainThreadMicros(subject.pid)
      const ran = (await order({ type: 'run', ms, pauseMs }))!
      const cpuMicros = before && vitals(subject.pid!).cpuMicros - before.cpuMicros
      const mainMicros = mainBefore && mainThreadMicros(subject.pid!)! - mainBefore
      await close()
      return { ...ran, cpuMicros, mainMicros }
    },

    /** Load until so many answers are here: V8 compiles what has run often, however long that took. */
    async warmUp(subject: Subject, { ask, connections }: Phase, requests: number): Promise<void> {
      await open(subject, ask, connections)
      await order({ type: 'run', ms: WARM_UP_AT_MOST_MS, requests })
      await close()
    },

    /** Opens so many more streams, each with its first event received, and keeps them until `release`. */
    async hold(subject: Subject, ask: Phase['ask'], streams: number): Promise<void> {
      await open(subject, ask, streams)
      await order({ type: 'hold' })
    },
    release: close,
  }
}
