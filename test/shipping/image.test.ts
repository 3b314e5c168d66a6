import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, describe, expect, it } from '@jest/globals'
import { OPTION_NAMES } from '../../src/config/schema.ts'
import { makeFolder } from '../helpers/folder.ts'
import { commandOf, copiesOf, environmentOf, ROOT, readStages, textsOf } from './dockerfile.ts'

const stages = readStages()
const image = stages.at(-1)!
const copied = copiesOf(image).filter(({ from }) => from === null)

describe('the container image', () => {
  it('is the slim Node that the program is written for', () => {
    expect(stages.map((stage) => stage[0]!.text)).toEqual(['node:24-slim AS dependencies', 'node:24-slim'])
  })

  it('has production dependencies alone, as the lockfile says, and runs no install scripts', () => {
    const [install] = textsOf(stages[0]!, 'RUN')
    for (const word of ['npm ci', '--omit=dev', '--omit=optional', '--ignore-scripts']) expect(install).toContain(word)
    expect(textsOf(image, 'RUN').join()).not.toContain('npm')
  })

  it('copies what exists, and what the build is given', () => {
    const ignore = readFileSync(join(ROOT, '.dockerignore'), 'utf8').split('\n')
    const given = ignore.filter((line) => line.startsWith('!')).map((line) => line.slice(1))
    expect(ignore.filter((line) => line !== '' && !/^[#!]/.test(line))).toEqual(['*'])
    for (const { sources } of [...copiesOf(stages[0]!), ...copied]) {
      for (const source of sources) {
        expect(existsSync(join(ROOT, source))).toBe(true)
        expect(given).toContain(source.split('/')[0])
      }
    }
  })

  it('has every folder that the program reads, once there is something in it', () => {
    const folders = ['migrations', 'src', 'views', 'web'].filter(
      (folder) => existsSync(join(ROOT, folder)) && readdirSync(join(ROOT, folder)).length > 0,
    )
    expect(copied.flatMap(({ sources }) => sources)).toEqual(expect.arrayContaining(folders))
  })

  it('is given no secret', () => {
    const secret = /KEY|TOKEN|SECRET|PASSWORD/
    for (const stage of stages) {
      for (const name of ['ENV', 'ARG']) expect(textsOf(stage, name).filter((text) => secret.test(text))).toEqual([])
    }
  })

  it('sets options that exist, listens on every address and keeps its data in the volume', () => {
    const { NODE_ENV, ...options } = environmentOf(image)
    expect(NODE_ENV).toBe('production')
    expect(OPTION_NAMES).toEqual(expect.arrayContaining(Object.keys(options)))
    expect(options).toMatchObject({ HOST: '0.0.0.0', DATA_DIR: '/data' })
    expect(textsOf(image, 'VOLUME')).toEqual(['/data'])
    expect(textsOf(image, 'EXPOSE')).toEqual([options.PORT])
  })

  it('runs without root, as the owner of the volume', () => {
    const names = image.map(({ name }) => name)
    expect(textsOf(image, 'USER')).toEqual(['1000:1000'])
    expect(textsOf(image, 'RUN')).toEqual(['install -d -m 0700 -o 1000 -g 1000 /data'])
    // What is done to a folder after VOLUME is lost.
    expect(names.indexOf('RUN')).toBeLessThan(names.indexOf('VOLUME'))
    expect(names.indexOf('USER')).toBeLessThan(names.indexOf('CMD'))
  })
})

describe('the files of the image', () => {
  let gateway: ChildProcess | undefined
  afterEach(() => void gateway?.kill('SIGKILL'))

  it('are enough to start, to be found healthy, and to stop on SIGTERM', async () => {
    const app = layOut()
    const options = { ...environmentOf(image), HOST: '127.0.0.1', PORT: '0', DATA_DIR: join(app, 'data') }

    const [, ...args] = commandOf(textsOf(image, 'CMD')[0]!)
    gateway = spawn(process.execPath, args, { cwd: app, env: options, stdio: ['ignore', 'pipe', 'inherit'] })
    const port = await portOf(gateway)

    const [, ...healthArgs] = commandOf(textsOf(image, 'HEALTHCHECK')[0]!)
    const check = (PORT: string) => promisify(execFile)(process.execPath, healthArgs, { env: { PORT } })
    await expect(check(port)).resolves.toBeDefined()

    expect(textsOf(image, 'STOPSIGNAL')).toEqual(['SIGTERM'])
    gateway.kill('SIGTERM')
    expect(await once(gateway, 'exit')).toEqual([0, null])
    await expect(check(port)).rejects.toMatchObject({ code: 1 })
  })

  it('have the command line', async () => {
    const app = layOut()
    const env = { ...environmentOf(image), DATA_DIR: join(app, 'data') }
    const cli = (...args: string[]) =>
      promisify(execFile)(process.execPath, ['bin/llm-proxy.js', ...args], { cwd: app, env })
    expect((await cli('token', 'create', '--quiet')).stdout).toMatch(/^sk-[\w-]{43}\n$/)
  })
})

/** A folder as `/app` is in the image. */
function layOut(): string {
  const app = makeFolder()
  for (const { sources, target } of copied) {
    for (const source of sources) copyInto(app, source, target)
  }
  symlinkSync(join(ROOT, 'node_modules'), join(app, 'node_modules'))
  return app
}

/** As COPY does: a folder's content, or a file under its own name. */
function copyInto(app: string, source: string, target: string): void {
  const from = join(ROOT, source)
  const isFolder = statSync(from).isDirectory()
  cpSync(from, isFolder ? join(app, target) : join(app, target, basename(source)), { recursive: true })
}

async function portOf(gateway: ChildProcess): Promise<string> {
  let said = ''
  for await (const piece of gateway.stdout!) {
    said += piece
    const port = /"url":"http:\/\/127\.0\.0\.1:(\d+)"/.exec(said)?.[1]
    if (port) {
      gateway.stdout!.resume()
      return port
    }
  }
  throw new Error(`The gateway did not start: ${said}`)
}
