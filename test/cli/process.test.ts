import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from '@jest/globals'
import { makeFolder } from '../helpers/folder.ts'

const LAUNCHER = join(import.meta.dirname, '../../bin/llm-proxy.js')
const children: ChildProcess[] = []
afterAll(() => {
  for (const child of children) child.kill('SIGKILL')
})

/** The real program in a folder of its own. */
function start(args: string[], cwd = makeFolder(), env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [LAUNCHER, ...args], {
    cwd,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.push(child)
  const printed = { out: '', err: '' }
  child.stdout.on('data', (piece: Buffer) => (printed.out += piece))
  child.stderr.on('data', (piece: Buffer) => (printed.err += piece))
  return { child, printed, ended: once(child, 'close').then(([code]) => ({ code: code as number, ...printed })) }
}

describe('bin/llm-proxy.js', () => {
  it('runs a command to its end, with its exit code', async () => {
    const folder = makeFolder()
    const { code, out } = await start(['token', 'generate', '--quiet'], folder).ended
    expect({ code, out }).toEqual({ code: 0, out: expect.stringMatching(/^sk-[\w-]{43}\n$/) })
    expect(await start(['token', 'get', 'tok_none'], folder).ended).toEqual({
      code: 1,
      out: '',
      err: 'error: There is no such token.\n',
    })
    expect((await start(['token', 'frobnicate'], folder).ended).code).toBe(2)
  })

  it('ends without a complaint when its reader has seen enough', async () => {
    const { child, ended } = start(['--help'])
    child.stdout!.destroy()
    expect(await ended).toMatchObject({ code: 0, err: '' })
  })

  it('starts the gateway with "server", which ends on SIGTERM', async () => {
    const { child, printed, ended } = start(['server'], makeFolder(), { PORT: '0' })
    while (!printed.out.includes('"url"')) await Promise.race([once(child.stdout!, 'data'), ended])
    const [, url] = /"url":"([^"]+)"/.exec(printed.out)!
    expect((await fetch(`${url}/health`)).status).toBe(200)
    child.kill('SIGTERM')
    expect((await ended).code).toBe(0)
  })

  it('ends with 1 when the gateway cannot start', async () => {
    const { code, err } = await start(['server'], makeFolder(), { PORT: 'high' }).ended
    expect(code).toBe(1)
    expect(err).toContain('PORT: ')
    expect(err).not.toContain('    at ')
  })
})
