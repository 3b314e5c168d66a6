import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { environment, spawnGateway, spawnProgram, startChildGateway } from '../helpers/child.ts'
import { makeFolder } from '../helpers/folder.ts'
import { ask, chat } from '../helpers/http.ts'

const GENERATED = { MANAGEMENT_TOKEN: undefined }
const CONTROL_C = '\x03'
const ROOT = join(import.meta.dirname, '..', '..')

describe('a start that cannot succeed', () => {
  it('because the port is in use says so in one line', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const gateway = spawnGateway({ env: { PORT: String(port) } })
    expect(await gateway.exited).toEqual({ code: 1, signal: null })
    expect(gateway.stderr()).toMatch(new RegExp(`^Port ${port} on 127\\.0\\.0\\.1 is in use\\.[^\\n]+\\n$`))
    server.close()
  })

  it('because of its configuration names everything that is wrong at once, and no secret', async () => {
    const gateway = spawnGateway({
      env: {
        PORT: '99999',
        MAX_BODY_MB: 'many',
        LOG_LEVEL: 'loud',
        ENCRYPTION_KEY: 'too-short-but-secret',
        OPENAI_API_KEY: 'sk secret with spaces',
        OPENAI_BASE_URL: 'https://user:secret-password@example.com',
        DISABLE_AUTH: 'true',
        HOST: '0.0.0.0',
      },
    })
    expect(await gateway.exited).toEqual({ code: 1, signal: null })
    for (const name of [
      'PORT',
      'MAX_BODY_MB',
      'LOG_LEVEL',
      'ENCRYPTION_KEY',
      'OPENAI_API_KEY',
      'OPENAI_BASE_URL',
      'DISABLE_AUTH',
    ]) {
      expect(gateway.stderr()).toContain(name)
    }
    expect(gateway.stderr()).not.toMatch(/secret/)
    expect(gateway.stderr()).not.toMatch(/\bat .*\.ts:\d/)
    expect(gateway.stdout()).toBe('')
  })

  it.each([
    ['a secret file that is missing', { OPENAI_API_KEY_FILE: '/nowhere/at/all' }, /OPENAI_API_KEY_FILE: cannot read/],
    ['an address that is not ours', { HOST: '192.0.2.1' }, /192\.0\.2\.1 is no address of this machine/],
  ])('because of %s says so without a stack trace', async (_what, env, text) => {
    const gateway = spawnGateway({ env })
    expect(await gateway.exited).toEqual({ code: 1, signal: null })
    expect(gateway.stderr()).toMatch(text)
    expect(gateway.stderr()).not.toMatch(/\n\s+at /)
  })

  it('because the database is damaged says so, and leaves the file as it is', async () => {
    const dataDir = makeFolder({ 'llm-proxy.db': 'not a database. '.repeat(1000) })
    const gateway = spawnGateway({ dataDir })
    expect(await gateway.exited).toEqual({ code: 1, signal: null })
    expect(gateway.stderr()).toMatch(/llm-proxy\.db is damaged/)
    expect(readFileSync(join(dataDir, 'llm-proxy.db'), 'utf8')).toBe('not a database. '.repeat(1000))
  })
})

describe('a first start', () => {
  it('without a terminal shows no secret, and keeps it where only its owner can read it', async () => {
    const gateway = await startChildGateway({ env: GENERATED })
    const path = join(gateway.dataDir, 'management-token')
    const token = readFileSync(path, 'utf8').trim()
    const key = readFileSync(join(gateway.dataDir, 'encryption-key'), 'utf8').trim()
    const asked = await ask(`${gateway.url}/manage/projects`, { headers: { authorization: `Bearer ${token}` } })
    expect(asked.status).toBe(200)
    const setup = readFileSync(join(gateway.dataDir, 'admin-setup-code'), 'utf8').trim()
    gateway.kill('SIGTERM')
    await gateway.exited
    expect(gateway.stdout()).toMatch(
      /there is no admin user yet: make one with .{0,2}llm-proxy admin create.*admin-setup-code/,
    )
    for (const secret of [token, key, setup, 'Bearer ', 'sk-']) {
      expect(gateway.stdout()).not.toContain(secret)
      expect(gateway.stderr()).not.toContain(secret)
    }
    for (const file of ['management-token', 'encryption-key', 'admin-setup-code', 'llm-proxy.db']) {
      expect([file, (statSync(join(gateway.dataDir, file)).mode & 0o777).toString(8)]).toEqual([file, '600'])
    }
  })

  it('of two processes at once in one folder ends with both ready, of one mind about secrets and tokens', async () => {
    const dataDir = makeFolder()
    const both = await Promise.all([
      startChildGateway({ dataDir, env: GENERATED }),
      startChildGateway({ dataDir, env: GENERATED }),
    ])
    const management = readFileSync(join(dataDir, 'management-token'), 'utf8').trim()
    const headers = { authorization: `Bearer ${management}` }
    const [first, second] = both
    const projects = async (url: string) =>
      (JSON.parse((await ask(`${url}/manage/projects`, { headers })).body.toString()) as { data: { id: string }[] })
        .data
    expect(await projects(first!.url)).toHaveLength(1)
    expect(await projects(second!.url)).toEqual(await projects(first!.url))
    const [project] = await projects(first!.url)
    const made = await ask(`${first!.url}/manage/tokens`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ project_id: project!.id }),
    })
    const { token } = JSON.parse(made.body.toString()) as { token: string }
    for (const { baseUrl, url } of both) {
      expect((await ask(`${url}/ready`)).status).toBe(200)
      expect((await chat(baseUrl, token, { model: 'demo' })).status).toBe(200)
    }
    for (const gateway of both) gateway.kill('SIGTERM')
    expect(await Promise.all(both.map(({ exited }) => exited))).toMatchObject([{ code: 0 }, { code: 0 }])
  })
})

describe('at a terminal', () => {
  const missing = ['/usr/bin/script', '/usr/bin/curl'].filter((path) => !existsSync(path))
  const itAtTerminal = missing.length === 0 ? it : it.skip
  const where = missing.length === 0 ? '' : ` (skipped: no ${missing.join(', ')})`

  itAtTerminal(
    `a first start prints a curl that works, Control-C ends it cleanly, and a second start shows no token${where}`,
    async () => {
      const dataDir = makeFolder()
      const atTerminal = () =>
        spawnProgram(
          '/usr/bin/script',
          ['-qec', `exec '${process.execPath}' '${join(ROOT, 'src/main.ts')}'`, '/dev/null'],
          environment(dataDir, undefined, { ...GENERATED, TERM: 'dumb' }),
        )
      const first = atTerminal()
      const command = (await first.says(/curl http[\s\S]*?'\{[^']*\}'/))[0].replaceAll('\r', '')
      const script = join(makeFolder(), 'try.sh')
      writeFileSync(script, `${command} --silent --show-error --max-time 5\n`)
      const curl = spawnProgram('/bin/sh', [script], { PATH: process.env.PATH! })
      expect(await curl.exited).toEqual({ code: 0, signal: null })
      expect(JSON.parse(curl.stdout())).toMatchObject({ choices: [{ message: { content: 'Hello!' } }] })
      const management = readFileSync(join(dataDir, 'management-token'), 'utf8').trim()
      expect(first.stdout()).not.toContain(management)
      const setup = readFileSync(join(dataDir, 'admin-setup-code'), 'utf8').trim()
      expect(first.stdout()).toContain(`/admin/setup?code=${setup}`)
      first.types(CONTROL_C)
      expect((await first.exited).code).toBe(0)

      const second = atTerminal()
      const [, url] = await second.says(/LLM Proxy is ready at (http\S+)\/v1/)
      expect((await ask(`${url}/ready`)).status).toBe(200)
      expect(second.stdout()).not.toMatch(/sk-|curl/)
      second.types(CONTROL_C)
      expect((await second.exited).code).toBe(0)
    },
  )
})
