import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from '@jest/globals'
import { startChildGateway } from '../helpers/child.ts'
import { makeFolder } from '../helpers/folder.ts'
import { chat, eventually } from '../helpers/http.ts'
import { startUpstream } from '../helpers/upstream.ts'

const route = (name: string) => `routes: { ${name}: { targets: [ { provider: openai } ] } }\n`

async function given(env: Record<string, string> = {}) {
  const upstream = await startUpstream()
  const dataDir = makeFolder()
  const path = join(dataDir, 'llm-proxy.yaml')
  writeFileSync(path, route('one'))
  const gateway = await startChildGateway({ upstream: upstream.url, dataDir, env: { LLM_PROXY_CONFIG: path, ...env } })
  return {
    gateway,
    upstream,
    write: (yaml: string) => writeFileSync(path, yaml),
    async patterns() {
      const { data } = await gateway.manage<{ data: { pattern: string }[] }>('GET', '/routes')
      return data.map(({ pattern }) => pattern)
    },
  }
}

it('a change of the file is taken over by itself; a bad one changes nothing and is told', async () => {
  const { gateway, write, patterns, upstream } = await given()
  expect(await patterns()).toEqual(['one'])
  write(route('two'))
  await gateway.says(/the configuration was read again","why":"the file changed","changed":\["routes"\]/)
  expect(await patterns()).toEqual(['two'])
  write('routes: [')
  await gateway.says(/the configuration has problems/)
  expect(await patterns()).toEqual(['two'])
  write(`${route('three')}max_body_mb: 3\n`)
  await gateway.says(/"changed":\["routes"\],"needs_restart":\["MAX_BODY_MB"\]/)
  expect(await patterns()).toEqual(['three'])
  await upstream.close()
})

it('SIGHUP has it read again, and requests under full load do not notice', async () => {
  const { gateway, upstream, write, patterns } = await given()
  const { secret } = await gateway.token()
  let going = true
  const statuses: number[] = []
  const clients = Array.from({ length: 8 }, async () => {
    while (going) statuses.push((await chat(gateway.baseUrl, secret)).status)
  })
  for (let i = 0; i < 10; i++) {
    write(route(`r${i}`))
    gateway.kill('SIGHUP')
    await eventually(async () => (await patterns())[0] === `r${i}`, `r${i}`)
  }
  going = false
  await Promise.all(clients)
  expect(statuses.length).toBeGreaterThan(10)
  expect(new Set(statuses)).toEqual(new Set([200]))
  expect(gateway.stdout()).toContain('"why":"SIGHUP"')
  await upstream.close()
})
