/*
 * Which Node runs this program, and how the launchers hand over to it. The program is written for the Node that is pinned
 * in package.json (the npm package `node`); this file itself has to run on every Node from 20 on.
 */
import { spawn } from 'node:child_process'
import { accessSync, constants, readFileSync, realpathSync } from 'node:fs'
import { join } from 'node:path'

export const NEEDED_MAJOR = 24
/** Signals that end a program or tell it to reload, passed on to whom they are meant for. */
const FORWARDED_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP']

/** The Node to run with: the pinned one, else this one if it is new enough, else null. */
export function chooseNode({ pinned, current }) {
  if (pinned !== null && isNewEnough(pinned.version)) return pinned.path
  return isNewEnough(current.version) ? current.path : null
}

/** The pinned Node as it is installed, or null. Reads its version from its package: starting it to ask takes 30 ms. */
export function findPinnedNode(root) {
  const folder = join(root, 'node_modules', 'node')
  const path = join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  try {
    accessSync(path, constants.X_OK)
    return { path, version: JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version }
  } catch {
    return null
  }
}

export function currentNode() {
  return { path: process.execPath, version: process.versions.node }
}

export function isNewEnough(version) {
  return Number.parseInt(version, 10) >= NEEDED_MAJOR
}

/** One line for who starts us on an older Node. */
export function oldNodeMessage(version) {
  return `LLM Proxy needs Node ${NEEDED_MAJOR} or newer, and this is Node ${version}: run it with "npm start", which brings its own, or install Node ${NEEDED_MAJOR}.`
}

/** The environment of the program: what Node compiles is kept for the next start. */
export function programEnvironment(root, env) {
  return { NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'compile'), ...env }
}

/** Becomes `node …args`: in place where that is possible, so that no launcher stays in memory or between the signals. Does not return. */
export async function handOver(node, args, env) {
  // What already runs is sure to run again; a failing execve would abort the process.
  const alreadyRunning = realpathSync(node) === realpathSync(process.execPath)
  if (alreadyRunning && process.platform !== 'win32' && typeof process.execve === 'function') {
    process.execve(node, [node, ...args], env)
  }
  exitLike(await runToEnd(node, args, { env, stdio: 'inherit' }))
}

/**
 * Runs a program to its end, passing on the signals that we get.
 * @returns `{ code, signal, output }`; `output` is what it printed, with `stdio: 'pipe'` alone
 */
export function runToEnd(file, args, options) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, options)
    const forward = (signal) => {
      // A terminal sends Ctrl-C to the child as well: a second one would look like impatience.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
    }
    for (const signal of FORWARDED_SIGNALS) process.on(signal, forward)
    const chunks = []
    child.stdout?.on('data', (chunk) => chunks.push(chunk))
    child.stderr?.on('data', (chunk) => chunks.push(chunk))
    const settle = (finish) => {
      for (const signal of FORWARDED_SIGNALS) process.off(signal, forward)
      finish()
    }
    child.once('error', (error) => settle(() => reject(error)))
    child.once('close', (code, signal) =>
      settle(() => resolve({ code, signal, output: Buffer.concat(chunks).toString() })),
    )
  })
}

/** Ends this process the way another one ended. */
export function exitLike({ code, signal }) {
  if (signal !== null) process.kill(process.pid, signal)
  process.exit(code ?? 1)
}
