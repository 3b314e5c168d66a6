/*
 * The first import of every entry: on an older Node one line instead of whatever would break first. (Below 22.18 Node does
 * not even read TypeScript; scripts/run.js and bin/llm-proxy.js catch that.)
 */
import { isNewEnough, oldNodeMessage } from '../scripts/pinned-node.js'

if (!isNewEnough(process.versions.node)) {
  process.stderr.write(`${oldNodeMessage(process.versions.node)}\n`)
  process.exit(1)
}
