import { type ChildProcess, fork, type StdioOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const here = import.meta.dirname
const GATEWAY = join(here, '../src/main.ts')
const START_MS = 15_000
const POLL_MS = 2

/** A server under test. */
export type Running = { pid: number; url: string; stop(signal?: NodeJS.Signals): Promise<void> }
/** `options`: of the gateway's configuration, as the environment has them. */
export type GatewayOptions = {
  dataDir: string
  upstream: string
  nodeFlags?: string[]
  options?: Record<string, string>
}

/** Everything that this run starts or writes; `close` ends all of it, by process id. Also when the run is interrupted. */
export type Workshop = ReturnType<typeof openWorkshop>

export function openWorkshop() {
  const folder = mkdtempSync(join(tmpdir(), 'llm-proxy-bench-'))
  // Nothing of the caller's own configuration: a bench is the same everywhere.
  const env = { PATH: process.env.PATH, HOME: folder, NODE_COMPILE_CACHE: join(folder, 'compile-cache') }
  const children = new Set<ChildProcess>()
  const close = () => {
    for (const child of children) child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
  process.once('exit', close)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

  const keep = (child: ChildProcess) => {
    children.add(child)
    child.once('exit', () => children.delete(child))
    return child
  }
  const toRunning = (child: ChildProcess, url: string): Running => ({
    pid: child.pid!,
    url,
    async stop(signal = 'SIGKILL') {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill(signal)
      await ended
    },
  })
  const startScript = (script: string, args: string[] = [], execArgv: string[] = []) =>
    keep(fork(join(here, script), args, { env, execArgv, stdio: ['ignore', 'ignore', errorsOf(execArgv), 'ipc'] }))

  return {
    folder,
    close,
    startScript,

    /** A script of this folder that says where it listens: `relays/bare.ts`, `upstream.ts`. */
    async startServer(script: string, args: string[] = [], nodeFlags: string[] = []): Promise<Running> {
      const child = startScript(script, args, nodeFlags)
      const [{ url }] = (await once(child, 'message', { signal: AbortSignal.timeout(START_MS) })) as [{ url: string }]
      return toRunning(child, url)
    },

    /** The gateway as `npm start` runs it, its log in a file. `readyMs`: from the start of the process to its `ready` line. */
    async startGateway({
      dataDir,
      upstream,
      nodeFlags = [],
      options = {},
    }: GatewayOptions): Promise<Running & { readyMs: number }> {
      const logPath = join(folder, `gateway-${children.size}-${Date.now()}.log`)
      const log = openSync(logPath, 'a')
      const stdio: StdioOptions = ['ignore', log, errorsOf(nodeFlags)]
      const started = performance.now()
      const child = keep(
        spawn(process.execPath, [...nodeFlags, GATEWAY], {
          cwd: folder,
          stdio,
          env: {
            ...env,
            PORT: '0',
            DATA_DIR: dataDir,
            LOG_FORMAT: 'json',
            OPENAI_API_KEY: 'bench-provider-key-0000000000',
            OPENAI_BASE_URL: `${upstream}/v1`,
            MAX_CONCURRENT_REQUESTS: '10000',
            ...options,
          },
        }),
      )
      closeSync(log)
      for (;;) {
        const readyMs = performance.now() - started
        const text = readFileSync(logPath, 'utf8')
        const url = /"message":"ready".*?"url":"([^"]+)"|"url":"([^"]+)".*?"message":"ready"/.exec(text)
        if (url) return { ...toRunning(child, url[1] ?? url[2]!), readyMs }
        if (child.exitCode !== null || readyMs > START_MS) throw new Error(`The gateway did not start. ${text}`)
        await delay(POLL_MS)
      }
    },

    /** nginx as one process, null where it is not installed. */
    async startNginx(upstream: string): Promise<Running | null> {
      const port = await freePort()
      const config = join(folder, 'nginx.conf')
      writeFileSync(config, nginxConfig(folder, port, new URL(upstream).host))
      const path = [env.PATH, '/usr/sbin', '/usr/local/sbin'].join(delimiter)
      const child = keep(spawn('nginx', ['-c', config, '-p', folder], { env: { PATH: path }, stdio: 'ignore' }))
      const failed = once(child, 'error').then(() => true)
      if (await Promise.race([failed, once(child, 'spawn').then(() => false)])) return null
      const url = `http://127.0.0.1:${port}`
      for (let tries = 0; tries < 200 && child.exitCode === null; tries++) {
        if (await fetch(url).then(Boolean, () => false)) return toRunning(child, url)
        await delay(10)
      }
      return null
    },
  }
}

/** Node's inspector talks on stderr. */
const errorsOf = (nodeFlags: string[]) =>
  nodeFlags.some((flag) => flag.startsWith('--inspect')) ? 'ignore' : 'inherit'

/** Free just now, on the loopback. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

const nginxConfig = (folder: string, port: number, upstream: string) => `
daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log /dev/null;
events { worker_connections 16384; }
http {
  access_log off;
  client_body_temp_path ${folder}/nginx-body;
  proxy_temp_path ${folder}/nginx-proxy;
  fastcgi_temp_path ${folder}/nginx-fastcgi;
  uwsgi_temp_path ${folder}/nginx-uwsgi;
  scgi_temp_path ${folder}/nginx-scgi;
  keepalive_requests 100000000;
  upstream provider { server ${upstream}; keepalive 256; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location = / { return 204; }
    location / {
      proxy_pass http://provider;
      proxy_http_version 1.1;
      proxy_set_header connection "";
      proxy_buffering off;
    }
  }
}
`
