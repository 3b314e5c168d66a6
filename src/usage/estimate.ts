import { Worker } from 'node:worker_threads'
import type { Usage } from '../store/store.ts'
import { NO_USAGE } from './read-usage.ts'

export type EstimateRequest = { id: number; requestBody: Uint8Array; generated: string }
export type EstimateReply = { id: number; inputTokens: number; outputTokens: number }

export type Estimator = {
  /** Token counts of a request body (JSON) and the text generated for it, for answers whose provider reported nothing. */
  estimate(requestBody: Buffer, generated: string): Promise<Usage>
  /** Starts the worker in advance, when an estimate is likely: its first second is then not the client's. */
  warm(): void
  close(): Promise<void>
}

/** Nobody waits longer for an estimate; four characters are about one token then (OpenAI's own rule of thumb). */
const PATIENCE_MS = 2_000
const MAX_WAITING = 1_000

/** Counts with gpt-tokenizer in a worker thread, started when the first estimate is asked for: it costs memory and a second. */
export function createEstimator(onWorkerFailure: (error: unknown) => void): Estimator {
  let worker: Worker | null = null
  let nextId = 0
  const waiting = new Map<number, (reply: EstimateReply | null) => void>()

  const giveUp = (error: unknown) => {
    worker = null
    for (const settle of waiting.values()) settle(null)
    waiting.clear()
    onWorkerFailure(error)
  }

  const start = (): Worker => {
    const started = new Worker(new URL('./estimate-worker.ts', import.meta.url), { name: 'estimate' })
    started.on('message', (reply: EstimateReply) => {
      waiting.get(reply.id)?.(reply)
      waiting.delete(reply.id)
    })
    started.on('error', giveUp)
    started.unref()
    return started
  }

  return {
    async estimate(requestBody, generated) {
      const rough = roughly(requestBody, generated)
      if (waiting.size >= MAX_WAITING) return rough
      worker ??= start()
      const id = nextId++
      const { promise, resolve } = Promise.withResolvers<EstimateReply | null>()
      waiting.set(id, resolve)
      const timer = setTimeout(() => {
        waiting.delete(id)
        resolve(null)
      }, PATIENCE_MS)
      worker.postMessage({ id, requestBody, generated } satisfies EstimateRequest)
      const reply = await promise
      clearTimeout(timer)
      return reply === null ? rough : { ...rough, inputTokens: reply.inputTokens, outputTokens: reply.outputTokens }
    },
    warm() {
      worker ??= start()
    },
    async close() {
      await worker?.terminate()
    },
  }
}

const roughly = (requestBody: Buffer, generated: string): Usage => ({
  ...NO_USAGE,
  inputTokens: Math.ceil(requestBody.length / 4),
  outputTokens: Math.ceil(generated.length / 4),
  source: 'estimated',
})
