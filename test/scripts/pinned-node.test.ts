import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, cpSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { chooseNode, findPinnedNode, oldNodeMessage } from '../../scripts/pinned-node.js'
import { makeFolder } from '../helpers/folder.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const OLD_NODE = 'data:text/javascript,Object.defineProperty(process.versions,"node",{value:"20.1.0"})'

describe('choosing the Node to run with', () => {
  const pinned = { path: '/app/node', version: '24.21.0' }

  it('takes the pinned one, whatever started us', () => {
    expect(chooseNode({ pinned, current: { path: '/usr/bin/node', version: '20.20.2' } })).toBe('/app/node')
    expect(chooseNode({ pinned, current: { path: '/usr/bin/node', version: '26.0.0' } })).toBe('/app/node')
  })

  it('takes the one that started us when there is no pinned one and it is new enough', () => {
    expect(chooseNode({ pinned: null, current: { path: '/usr/bin/node', version: '24.0.0' } })).toBe('/usr/bin/node')
  })

  it('takes none that is too old', () => {
    expect(chooseNode({ pinned: null, current: { path: '/usr/bin/node', version: '22.21.0' } })).toBeNull()
  })

  it('finds the pinned one by its package, without starting it', () => {
    const root = makeFolder({
      'node_modules/node/package.json': '{ "version": "24.21.0" }',
      'node_modules/node/bin/node': 'not a program',
    })
    const path = join(root, 'node_modules', 'node', 'bin', 'node')
    expect(findPinnedNode(root)).toBeNull()
    chmodSync(path, 0o755)
    expect(findPinnedNode(root)).toEqual({ path, version: '24.21.0' })
  })
})

describe('on an older Node', () => {
  const oneLine = `${oldNodeMessage('20.1.0')}\n`

  it('says what to do in one line', () => {
    expect(oldNodeMessage('20.1.0')).toMatch(
      /^LLM Proxy needs Node 24 or newer, and this is Node 20\.1\.0: [^\n]*npm start/,
    )
  })

  it.each([
    ['node scripts/run.js start', 'scripts/run.js', 'start'],
    ['node bin/llm-proxy.js', 'bin/llm-proxy.js', '--help'],
    ['node src/require-node.ts, the first import of every entry', 'src/require-node.ts', ''],
  ])('%s prints that line and exits with 1', (_name, script, argument) => {
    const root = makeFolder({ 'package-lock.json': '', 'node_modules/.package-lock.json': '' })
    for (const part of ['scripts', 'bin', 'package.json', 'src/require-node.ts']) {
      cpSync(join(ROOT, part), join(root, part), { recursive: true })
    }
    const result = spawnSync(process.execPath, ['--import', OLD_NODE, join(root, script), argument], {
      encoding: 'utf8',
    })
    expect([result.status, result.stdout, result.stderr]).toEqual([1, '', oneLine])
  })
})

describe('the launchers', () => {
  it('say how to install when nothing is installed', () => {
    const root = makeFolder()
    for (const part of ['scripts', 'bin', 'package.json'])
      cpSync(join(ROOT, part), join(root, part), { recursive: true })
    const result = spawnSync(process.execPath, [join(root, 'bin/llm-proxy.js')], { encoding: 'utf8' })
    expect(result.status).toBe(1)
    expect(result.stderr).toMatch(/^LLM Proxy is not installed yet: run "npm ci"[^\n]*\n$/)
  })

  it('name the commands when they get an unknown one', () => {
    const result = spawnSync(process.execPath, [join(ROOT, 'scripts/run.js'), 'constructor'], { encoding: 'utf8' })
    expect([result.status, result.stderr]).toEqual([
      1,
      'Usage: node scripts/run.js start|dev|bench|coverage|test [arguments]\n',
    ])
  })

  it('become the program: its process, its environment, its exit code', async () => {
    const launcher = launch(
      'handOver(process.execPath, ["-e", "console.log(process.pid, process.env.A); process.exit(7)"], { A: "b" })',
    )
    const [output] = (await once(launcher.stdout, 'data')) as [Buffer]
    expect(await once(launcher, 'close')).toEqual([7, null])
    expect(output.toString()).toBe(`${launcher.pid} b\n`)
  })

  it('where they have to stay, pass on signals and end as the program ends', async () => {
    const program = 'process.on("SIGTERM", () => process.exit(9)); setInterval(() => {}, 1000); console.log("up")'
    const launcher = launch(
      `runToEnd(process.execPath, ["-e", ${JSON.stringify(program)}], { stdio: "inherit" }).then(exitLike)`,
    )
    await once(launcher.stdout, 'data')
    launcher.kill('SIGTERM')
    expect(await once(launcher, 'close')).toEqual([9, null])
  })

  it('die of the signal that their program died of', async () => {
    const program = 'process.kill(process.pid, "SIGKILL")'
    const launcher = launch(
      `runToEnd(process.execPath, ["-e", ${JSON.stringify(program)}], { stdio: "inherit" }).then(exitLike)`,
    )
    expect(await once(launcher, 'close')).toEqual([null, 'SIGKILL'])
  })
})

function launch(code: string) {
  const module = JSON.stringify(new URL('../../scripts/pinned-node.js', import.meta.url))
  const script = `import { exitLike, handOver, runToEnd } from ${module}\nawait ${code}`
  return spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
}
