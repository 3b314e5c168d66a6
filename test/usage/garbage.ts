import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')

/** What is not reachable any more is gone when it returns. */
export const collectGarbage = runInNewContext('gc') as () => void
