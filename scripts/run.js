/*
 * What `npm start`, `npm test`, `npm run dev` and `npm run bench` call: installs what is missing, then runs the command on
 * the pinned Node. It runs before anything is installed, so: plain JavaScript, nothing but Node 20's own modules.
 */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureInstalled, InstallFailed } from './install.js'
import {
  chooseNode,
  currentNode,
  exitLike,
  findPinnedNode,
  handOver,
  oldNodeMessage,
  programEnvironment,
  runToEnd,
} from './pinned-node.js'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const [command, ...args] = process.argv.slice(2)

const COMMANDS = {
  start: (node) => runProgram(node, [join(root, 'src/main.ts'), ...args]),
  dev: (node) => runProgram(node, ['--watch', '--watch-preserve-output', join(root, 'src/main.ts'), ...args]),
  bench: (node) => runProgram(node, [join(root, 'bench/run.ts'), ...args]),
  // Half as much again as the tests alone: hence apart from them.
  coverage: (node) => runStep(node, { ...JEST, args: ['--coverage', ...args] }),
  test: (node) => (args.length === 0 ? runChecks(node) : runStep(node, { ...JEST, args: [...JEST.args, ...args] })),
}

const JEST_FLAGS = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning']
const JEST = { name: 'Tests (jest)', flags: JEST_FLAGS, script: 'jest/bin/jest.js', args: [] }
const CHECKS = [
  {
    name: 'Style and lint (biome)',
    script: '@biomejs/biome/bin/biome',
    args: ['check', '--error-on-warnings'],
    hint: '"npm run format" mends most of it',
  },
  { name: 'Types (tsc)', script: 'typescript/bin/tsc', args: ['--noEmit'] },
  JEST,
]

await main().catch((error) => {
  if (!(error instanceof InstallFailed)) console.error(error.message)
  process.exit(1)
})

async function main() {
  const run = Object.hasOwn(COMMANDS, command ?? '') ? COMMANDS[command] : null
  if (run === null) throw new Error(`Usage: node scripts/run.js ${Object.keys(COMMANDS).join('|')} [arguments]`)
  await ensureInstalled(root)
  const node = chooseNode({ pinned: findPinnedNode(root), current: currentNode() })
  if (node === null) throw new Error(oldNodeMessage(process.versions.node))
  await run(node)
}

function runProgram(node, nodeArgs) {
  return handOver(node, nodeArgs, programEnvironment(root, process.env))
}

async function runChecks(node) {
  for (const check of CHECKS) await runStep(node, check)
}

/** One step of `npm test`; ends the process where it fails. */
async function runStep(node, { name, flags = [], script, args: stepArgs, hint }) {
  const path = join(root, 'node_modules', script)
  if (!existsSync(path)) throw new Error(`${name}: ${script} is not installed; run "npm ci --include=dev".`)
  console.log(`\n▸ ${name}`)
  const result = await runToEnd(node, [...flags, path, ...stepArgs], { cwd: root, stdio: 'inherit' })
  if (result.code === 0) return
  console.error(`\n${name}: failed${hint === undefined ? '' : `; ${hint}`}.`)
  exitLike(result)
}
