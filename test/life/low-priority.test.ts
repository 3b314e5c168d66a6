import { getPriority } from 'node:os'
import { Worker } from 'node:worker_threads'
import { expect, it } from '@jest/globals'

const MODULE = new URL('../../src/low-priority.ts', import.meta.url).href
const CODE = `
  const { parentPort } = require('node:worker_threads')
  const { readlinkSync } = require('node:fs')
  const { getPriority } = require('node:os')
  import(${JSON.stringify(MODULE)}).then(({ goLast }) => {
    goLast()
    parentPort.postMessage(getPriority(Number(readlinkSync('/proc/thread-self').split('/').at(-1))))
  })
`

const onLinux = process.platform === 'linux' ? it : it.skip
onLinux(
  'a thread that lets others go first has a lower priority than the one that serves requests (Linux)',
  async () => {
    const before = getPriority()
    const worker = new Worker(CODE, { eval: true })
    const priority = await new Promise<number>((resolve, reject) =>
      worker.once('message', resolve).once('error', reject),
    )
    await worker.terminate()
    expect(priority).toBeGreaterThan(before)
    expect(getPriority()).toBe(before)
  },
)
