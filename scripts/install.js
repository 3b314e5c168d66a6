/* Brings node_modules in line with package-lock.json, when it is not. Plain JavaScript for every Node from 20 on. */
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { exitLike, findPinnedNode, runToEnd } from './pinned-node.js'

const POLL_MS = 200
const PATIENCE_MS = 600_000
/** Between making the lock and writing our number into it there is a moment. */
const UNSIGNED_LOCK_MS = 5000

/** Installs when needed; two at once take turns, and the second finds the work done. Ends the process when it fails. */
export async function ensureInstalled(root) {
  if (isFresh(readInstallState(root))) return
  await withLock(join(root, '.install-lock'), async () => {
    if (!isFresh(readInstallState(root))) await install(root)
  })
}

/**
 * Whether node_modules matches the lockfile: by the hash that we noted when we installed, or because npm itself
 * (`npm ci`, `npm install` by hand: it writes node_modules/.package-lock.json last) has been there since.
 */
export function isFresh({ lockHash, lockMtimeMs, stampHash, stampMtimeMs, npmMtimeMs }) {
  if (npmMtimeMs === null) return false
  if (stampHash === lockHash) return true
  return npmMtimeMs >= lockMtimeMs && (stampMtimeMs === null || npmMtimeMs > stampMtimeMs)
}

export function readInstallState(root) {
  const lockfile = join(root, 'package-lock.json')
  return {
    lockHash: hashOf(lockfile),
    lockMtimeMs: mtimeOf(lockfile),
    stampHash: readOrNull(stampOf(root)),
    stampMtimeMs: mtimeOf(stampOf(root)),
    npmMtimeMs: mtimeOf(join(root, 'node_modules', '.package-lock.json')),
  }
}

/** How to start npm: the one that started us, on the Node that it runs on; else what PATH has. */
export function npmCommand(env) {
  const { npm_execpath: npm, npm_node_execpath: node } = env
  if (npm && node && /npm-cli\.c?js$/.test(npm)) return { file: node, args: [npm], shell: false }
  return { file: 'npm', args: [], shell: process.platform === 'win32' }
}

/** npm must not run on the Node that it is about to replace. */
export function installEnvironment(root, env) {
  const own = join(root, 'node_modules', '.bin')
  const name = Object.keys(env).find((key) => key.toUpperCase() === 'PATH') ?? 'PATH'
  const folders = (env[name] ?? '').split(delimiter).filter((folder) => folder !== own)
  return { ...env, [name]: folders.join(delimiter) }
}

/** Runs `work` while no other process holds `lock` (a folder with its holder's process id). */
export async function withLock(lock, work, { say = console.error, patienceMs = PATIENCE_MS } = {}) {
  const deadline = Date.now() + patienceMs
  let told = false
  while (!tryLock(lock)) {
    const holder = holderOf(lock)
    if (holder === 'gone') {
      removeStale(lock)
      continue
    }
    if (Date.now() > deadline) throw new Error(`Another installation holds ${lock}; remove it if none is running.`)
    if (!told) say('Another installation is under way; waiting for it …')
    told = true
    await wait(POLL_MS)
  }
  try {
    return await work()
  } finally {
    rmSync(lock, { recursive: true, force: true })
  }
}

async function install(root) {
  const startedAt = Date.now()
  process.stderr.write('Installing dependencies (first run, about a minute) …')
  const { file, args, shell } = npmCommand(process.env)
  const flags = ['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error']
  const options = { cwd: root, env: installEnvironment(root, process.env), stdio: ['ignore', 'pipe', 'pipe'], shell }
  const result = await runToEnd(file, [...args, ...flags], options).catch((error) => ({ code: 1, output: `${error}` }))
  if (result.signal) exitLike(result)
  if (result.code !== 0) {
    console.error(` failed.\n\n${result.output.trim()}\n`)
    console.error(
      'Check that the npm registry can be reached and the disk has 1 GB of room, then try "npm ci" by hand.',
    )
    process.exitCode = 1
    throw new InstallFailed()
  }
  await dropBrokenNode(root)
  writeFileSync(stampOf(root), hashOf(join(root, 'package-lock.json')))
  console.error(` done in ${Math.round((Date.now() - startedAt) / 1000)} s.`)
}

/** Installing failed, and that has been said. */
export class InstallFailed extends Error {}

/** A pinned Node that does not run here (musl, an old glibc) would also be the `node` of every npm script. */
async function dropBrokenNode(root) {
  const pinned = findPinnedNode(root)
  if (pinned === null) return
  const result = await runToEnd(pinned.path, ['--version'], { stdio: 'pipe' }).catch(() => ({ code: 1 }))
  if (result.code === 0) return
  rmSync(join(root, 'node_modules', '.bin', 'node'), { force: true })
  rmSync(pinned.path, { force: true })
}

function tryLock(lock) {
  try {
    mkdirSync(lock)
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  }
  writeFileSync(join(lock, 'pid'), String(process.pid))
  return true
}

function holderOf(lock) {
  const pid = Number(readOrNull(join(lock, 'pid')))
  if (pid === 0) {
    const madeAt = mtimeOf(lock)
    return madeAt !== null && Date.now() - madeAt > UNSIGNED_LOCK_MS ? 'gone' : 'alive'
  }
  try {
    process.kill(pid, 0)
    return 'alive'
  } catch (error) {
    return error.code === 'ESRCH' ? 'gone' : 'alive'
  }
}

/** Of several who see that the holder is gone, renaming lets one alone remove the lock. */
function removeStale(lock) {
  const aside = `${lock}.${process.pid}`
  try {
    renameSync(lock, aside)
  } catch {
    return
  }
  rmSync(aside, { recursive: true, force: true })
}

function stampOf(root) {
  return join(root, 'node_modules', '.llm-proxy-install')
}

function hashOf(path) {
  return createHash('sha256').update(readFileSync(path)).digest('hex')
}

function readOrNull(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}

function mtimeOf(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? null
}
