#!/usr/bin/env node
/* The `llm-proxy` command on any Node from 20 on: hands over to src/cli/main.ts on the pinned Node. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  chooseNode,
  currentNode,
  findPinnedNode,
  handOver,
  oldNodeMessage,
  programEnvironment,
} from '../scripts/pinned-node.js'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const node = chooseNode({ pinned: findPinnedNode(root), current: currentNode() })

if (!existsSync(join(root, 'node_modules'))) {
  fail(`LLM Proxy is not installed yet: run "npm ci" (or "npm start", which does it) in ${root} first.`)
}
if (node === null) fail(oldNodeMessage(process.versions.node))
await handOver(node, [join(root, 'src/cli/main.ts'), ...process.argv.slice(2)], programEnvironment(root, process.env))

function fail(line) {
  console.error(line)
  process.exit(1)
}
