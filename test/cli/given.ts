import { PassThrough, Readable, Writable } from 'node:stream'
import { afterAll } from '@jest/globals'
import { run } from '../../src/cli/program.ts'
import { makeFolder } from '../helpers/folder.ts'
import { ENCRYPTION_KEY, MANAGEMENT_TOKEN, startTestGateway, type TestGateway } from '../helpers/gateway.ts'
import { eventually } from '../helpers/http.ts'

export type Ran = { code: number; out: string; err: string }
type Env = Record<string, string>
type With = { env?: Env; stdin?: string; now?: () => number }

/** Nothing answers there, whatever runs on this machine. (Not 1 or 9: `fetch` asks no such port.) */
export const CLOSED_PORT = '3'

/** The command line in a folder of its own. A line is split at spaces; a list is taken as it is. */
export function given({ files, env: base = {} }: { files?: Record<string, string>; env?: Env } = {}) {
  const cwd = makeFolder(files)
  const env: Env = { PORT: CLOSED_PORT, DATA_DIR: cwd, ...base }

  const cli = async (line: string | string[], { env: more, stdin, now = Date.now }: With = {}): Promise<Ran> => {
    const [stdout, stderr] = [new Sink(), new Sink()]
    const input = Readable.from(stdin === undefined ? [] : [stdin])
    const code = await run(split(line), { env: { ...env, ...more }, cwd, stdin: input, stdout, stderr, now })
    return { code, out: stdout.text, err: stderr.text }
  }

  /** What a command that must not fail prints. */
  const print = async (line: string | string[], options?: With): Promise<string> => {
    const { code, out, err } = await cli(line, options)
    if (code !== 0) throw new Error(`${line}: exit ${code}: ${err}`)
    return out.trimEnd()
  }

  return {
    dataDir: cwd,
    env,
    cli,
    print,
    json: async <T = Json>(line: string | string[], options?: With): Promise<T> =>
      JSON.parse(await print(Array.isArray(line) ? [...line, '--json'] : `${line} --json`, options)) as T,
    /** A command with a person before it. */
    terminal(line: string | string[], { env: more }: With = {}) {
      const stdin = Object.assign(new PassThrough(), { isTTY: true })
      const [stdout, stderr] = [Object.assign(new Sink(), { isTTY: true }), new Sink()]
      const ended = run(split(line), {
        env: { ...env, NO_COLOR: '1', ...more },
        cwd,
        stdin,
        stdout,
        stderr,
        now: Date.now,
      })
      return {
        ended,
        types: (text: string) => stdin.write(text),
        screen: () => stdout.text,
        errors: () => stderr.text,
        /** Resolves once the text has come (on either output) behind what was seen before. */
        sees: (text: string) =>
          eventually(() => (stdout.text + stderr.text).includes(text), `${text} in: ${stdout.text + stderr.text}`),
      }
    },
  }
}

/** What JSON output has: the fields that tests go on with. */
export type Json = Record<string, unknown> & { id: string; token: string; data: Json[]; next_cursor: string | null }

const gateways: TestGateway[] = []
afterAll(async () => {
  for (const gateway of gateways) await gateway.stop()
})

/** A running gateway, and the command line in its data folder: working on its database, or through its address. */
export async function givenGateway(
  {
    files,
    ...options
  }: Omit<NonNullable<Parameters<typeof startTestGateway>[0]>, 'dataDir'> & { files?: Record<string, string> } = {},
  through: 'database' | 'address' = 'database',
) {
  const made = given({ ...(files && { files }), env: { ENCRYPTION_KEY: ENCRYPTION_KEY.toString('base64') } })
  const gateway = await startTestGateway({ ...options, dataDir: made.dataDir })
  gateways.push(gateway)
  const { port } = new URL(gateway.url)
  Object.assign(made.env, { PORT: port })
  if (through === 'address') Object.assign(made.env, { LLM_PROXY_URL: gateway.url, MANAGEMENT_TOKEN })
  return { ...made, gateway }
}

class Sink extends Writable {
  text = ''
  override _write(piece: Buffer, _encoding: string, done: () => void): void {
    this.text += piece.toString('utf8')
    done()
  }
}

const split = (line: string | string[]) => (Array.isArray(line) ? line : line.split(' '))
