import { workerData } from 'node:worker_threads'
import { goLast } from '../../../low-priority.ts'
import type { Renderer } from '../../store.ts'
import { serve } from '../thread.ts'
import { createQueries, type Queries } from './queries.ts'

/** `path`: the main file. */
export type QueryWorkerData = { folder: string; path: string }
export type QueryCalls = {
  ask(name: keyof Queries, args: unknown[]): unknown
  /** What was read as text: a module makes it, here. */
  render(renderer: Renderer, name: keyof Queries, args: unknown[]): Promise<Uint8Array<ArrayBuffer>>
}

goLast()
const { folder, path } = workerData as QueryWorkerData
const queries = createQueries(folder, path)
const ask = (name: keyof Queries, args: unknown[]) => (queries[name] as (...args: unknown[]) => unknown)(...args)

serve<QueryCalls>(
  {
    ask,
    async render({ module, input }, name, args) {
      const { default: toText } = (await import(module)) as { default(value: unknown, input: unknown): string }
      return new TextEncoder().encode(toText(ask(name, args), input))
    },
  },
  folder,
)
