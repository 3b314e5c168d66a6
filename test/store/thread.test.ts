import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, describe, expect, it } from '@jest/globals'
import { createThread, type Thread } from '../../src/store/sqlite/thread.ts'
import { expectError } from './contract.ts'
import { folder } from './temporary.ts'

type Calls = {
  add(a: number, b: number): number
  starts(): number
  fail(kind: string): never
  throwOutside(): null
  exit(): null
  hang(): null
}

const THREAD = join(import.meta.dirname, '../../src/store/sqlite/thread.ts')
const STORE = join(import.meta.dirname, '../../src/store/store.ts')
const SCRIPT = `
import { workerData } from 'node:worker_threads'
import { serve } from ${JSON.stringify(pathToFileURL(THREAD).href)}
import { StoreError } from ${JSON.stringify(pathToFileURL(STORE).href)}
serve({
  add: (a, b) => a + b,
  starts: () => workerData,
  fail: (kind) => { throw kind === 'odd' ? new TypeError('odd') : new StoreError(kind, 'said by the thread') },
  throwOutside: () => { queueMicrotask(() => { throw new Error('outside') }); return null },
  exit: () => process.exit(3),
  hang: () => { for (;;); },
}, 'some place')
`

let thread: Thread<Calls>
afterEach(() => thread.close())

function start({ limitMs = 20_000, maxWaiting = 10 } = {}): Thread<Calls> {
  const script = join(folder(), 'script.mjs')
  writeFileSync(script, SCRIPT)
  let starts = 0
  thread = createThread<Calls>({
    script: pathToFileURL(script),
    name: 'tester',
    workerData: () => ++starts,
    limitMs,
    maxWaiting,
  })
  return thread
}

describe('a thread of the store', () => {
  it('answers each call with its own, in their order', async () => {
    start()
    const answers = await Promise.all(Array.from({ length: 10 }, (_, i) => thread.ask('add', [i, 1])))
    expect(answers).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    expect(await thread.ask('starts', [])).toBe(1)
  })

  it('says what went wrong in the words of the store, and goes on', async () => {
    start()
    await expectError(thread.ask('fail', ['full']), 'full', /^said by the thread$/)
    await expectError(thread.ask('fail', ['odd']), 'unavailable', /^odd$/)
    expect(await thread.ask('starts', [])).toBe(1)
  })

  it.each(['exit', 'hang'] as const)(
    'that ends or hangs (%s) fails the one call, and the next has a new one',
    async (call) => {
      start({ limitMs: call === 'hang' ? 3_000 : 20_000 })
      const failing = thread.ask(call, [])
      const next = thread.ask('starts', [])
      await expectError(failing, 'unavailable', /tester/)
      expect(await next).toBe(2)
    },
  )

  it('that throws where nobody listens is replaced', async () => {
    start()
    await thread.ask('throwOutside', []).catch(() => {})
    const starts = await thread.ask('starts', []).catch(() => thread.ask('starts', []))
    expect(starts).toBe(2)
  })

  it('lets only so many wait', async () => {
    start({ maxWaiting: 2 })
    const [running, ...waiting] = [1, 2, 3].map((n) => thread.ask('add', [n, n]))
    await expectError(thread.ask('add', [4, 4]), 'busy', /tester/)
    expect(await Promise.all([running, ...waiting])).toEqual([2, 4, 6])
  })

  it('that is closed answers nobody any more', async () => {
    start()
    const calls = [thread.ask('hang', []), thread.ask('add', [1, 1])].map((call) =>
      expectError(call, 'unavailable', /closed/),
    )
    await thread.close()
    await Promise.all(calls)
    await expectError(thread.ask('add', [1, 1]), 'unavailable')
  })
})
