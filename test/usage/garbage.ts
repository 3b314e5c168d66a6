import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { eventually } from '../helpers/http.ts'

setFlagsFromString('--expose-gc')

const collectGarbage = runInNewContext('gc') as () => void

const used = () => process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed

/**
 * Bytes that the process still holds after `work`, beyond those before it; `work` gives back what has to stay alive. Rejects when
 * it is `most` or more. V8 frees buffers in a thread of its own, so it is asked until it is done.
 */
export async function keepsLessThan(most: number, work: () => unknown): Promise<void> {
  collectGarbage()
  const before = used()
  const alive = [work()]
  await eventually(() => {
    collectGarbage()
    return used() - before < most
  }, `less than ${most} bytes to be kept`)
  alive.length = 0
}
