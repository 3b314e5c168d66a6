import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll } from '@jest/globals'
import { makeFolder } from './folder.ts'
import { MANAGEMENT_TOKEN, PROVIDER_KEY } from './gateway.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const START_MS = 15_000

export type Exit = { code: number | null; signal: NodeJS.Signals | null }

/** The program in a process of its own. */
export type Child = {
  pid: number
  stdout(): string
  stderr(): string
  exited: Promise<Exit>
  kill(signal: NodeJS.Signals): void
  /** To its standard input. */
  types(text: string): void
  /** Resolves with the match once standard output has it; rejects when the process ends first, or after fifteen seconds. */
  says(pattern: RegExp): Promise<RegExpExecArray>
}

export type ChildGateway = Child & {
  url: string
  baseUrl: string
  dataDir: string
  /** A call of the management API; throws unless it succeeds. */
  manage<T>(method: string, path: string, body?: object): Promise<T>
  /** A proxy token of the project `default`. */
  token(fields?: object): Promise<{ id: string; secret: string }>
}

type Options = {
  /** Base URL of the one provider. */
  upstream?: string
  dataDir?: string
  /** On top of a small environment of our own; `undefined` takes a variable out. */
  env?: Record<string, string | undefined>
  nodeArgs?: string[]
}

const running = new Set<ChildProcess>()
afterAll(() => {
  for (const child of running) child.kill('SIGKILL')
})

/** The gateway as a process of its own, ready. */
export async function startChildGateway(options: Options = {}): Promise<ChildGateway> {
  const dataDir = options.dataDir ?? makeFolder()
  const child = spawnGateway({ ...options, dataDir })
  const url = (await child.says(/"url":"(http[^"]+)".*\n/))[1]!

  const manage = async <T>(method: string, path: string, body?: object): Promise<T> => {
    const answer = await fetch(`${url}/manage${path}`, {
      method,
      headers: { authorization: `Bearer ${MANAGEMENT_TOKEN}` },
      body: body ? JSON.stringify(body) : null,
    })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`)
    return JSON.parse(text) as T
  }

  return {
    ...child,
    url,
    baseUrl: `${url}/v1`,
    dataDir,
    manage,
    async token(fields = {}) {
      const { data } = await manage<{ data: { id: string; name: string }[] }>('GET', '/projects')
      const project = data.find(({ name }) => name === 'default')!
      const made = await manage<{ id: string; token: string }>('POST', '/tokens', { project_id: project.id, ...fields })
      return { id: made.id, secret: made.token }
    },
  }
}

/** Starts the gateway without waiting for it: for starts that fail, or end otherwise. */
export function spawnGateway({ upstream, dataDir = makeFolder(), env = {}, nodeArgs = [] }: Options = {}): Child {
  return spawnProgram(process.execPath, [...nodeArgs, join(ROOT, 'src/main.ts')], environment(dataDir, upstream, env))
}

/** Any program, in an empty folder of its own, ended with the tests at the latest. */
export function spawnProgram(file: string, args: string[], env: Record<string, string>): Child {
  const child = spawn(file, args, { cwd: makeFolder(), env, stdio: ['pipe', 'pipe', 'pipe'] })
  running.add(child)
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (piece) => (stdout += piece))
  child.stderr.on('data', (piece) => (stderr += piece))
  const exited = new Promise<Exit>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      running.delete(child)
      resolve({ code, signal })
    })
  })
  return {
    pid: child.pid!,
    stdout: () => stdout,
    stderr: () => stderr,
    exited,
    kill: (signal) => void child.kill(signal),
    types: (text) => void child.stdin.write(text),
    says: (pattern) =>
      new Promise((resolve, reject) => {
        const fail = (what: string) => reject(new Error(`${what} without saying ${pattern}: ${stdout}\n${stderr}`))
        const timer = setTimeout(() => fail(`${START_MS} ms passed`), START_MS)
        const look = () => {
          const match = pattern.exec(stdout)
          if (!match) return
          clearTimeout(timer)
          child.stdout.off('data', look)
          resolve(match)
        }
        child.stdout.on('data', look)
        void exited.then(({ code }) => {
          clearTimeout(timer)
          fail(`It ended with ${code}`)
        }, reject)
        look()
      }),
  }
}

/** What a child gateway finds in its environment: nothing of ours but where programs are. */
export function environment(
  dataDir: string,
  upstream: string | undefined,
  own: Record<string, string | undefined> = {},
): Record<string, string> {
  const all = {
    PATH: process.env.PATH,
    NODE_COMPILE_CACHE: join(ROOT, 'node_modules', '.cache', 'compile'),
    PORT: '0',
    DATA_DIR: dataDir,
    MANAGEMENT_TOKEN,
    MAX_RETRIES: '0',
    ...(upstream && { OPENAI_BASE_URL: upstream, OPENAI_API_KEY: PROVIDER_KEY }),
    ...own,
  }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as Record<string, string>
}

/** Whether this system tells how much memory a process has. */
export const hasProcFs = existsSync('/proc/self/status')

/** Memory of a process in bytes, now and at its highest. */
export function memoryOf(pid: number): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const bytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)![1]) * 1024
  return { now: bytes('VmRSS'), peak: bytes('VmHWM') }
}
