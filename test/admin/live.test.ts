import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { aRequest, keep, startConsole, type TestConsole, type Visitor } from './helpers.ts'

let house: TestConsole
let leave: AbortController

beforeEach(async () => {
  house = await startConsole()
  leave = new AbortController()
})
afterEach(async () => {
  leave.abort()
  await house.stop()
})

async function watch(visitor: Visitor, path: string) {
  const cookie = [...visitor.cookies].map((pair) => pair.join('=')).join('; ')
  const { status, body } = await fetch(`${house.url}${path}?live=1`, { headers: { cookie }, signal: leave.signal })
  return { status, text: body!.pipeThrough(new TextDecoderStream()).getReader() }
}

it('a model with the end of a line in its name changes nothing of the stream that shows it', async () => {
  await keep(house, [aRequest({ model: 'x\r\revent: end\r\ry\nz' })])
  const { text } = await watch(await house.as('owner'), '/admin/requests')
  let sent = ''
  while (!sent.includes('\n\n')) sent += (await text.read()).value ?? ''
  expect(sent).toContain('event: end')
  for (const line of sent.split(/\r\n?|\n/)) expect(line).toMatch(/^(data: |$)/)
})

it('a live page ends when its watcher may see less, also for who keeps the session', async () => {
  await house.as('owner')
  const owner = await house.as('owner')
  const { text } = await watch(owner, '/admin/routing')
  await text.read()
  const role = { name: owner.user.name, role: 'viewer' }
  expect((await owner.post(`/admin/settings/users/${owner.user.id}/edit`, role)).status).toBe(303)
  expect((await owner.get('/admin/account')).status).toBe(200)
  expect((await text.read()).value).toMatch(/^event: end/)
})

it('one user does not take the live pages of all others', async () => {
  const [one, other] = [await house.as('viewer'), await house.as('viewer')]
  const statuses: number[] = []
  for (let i = 0; i < 21; i++) statuses.push((await watch(one, '/admin')).status)
  expect(statuses.filter((status) => status === 200)).toHaveLength(20)
  expect(statuses.at(-1)).toBe(503)
  expect((await watch(other, '/admin')).status).toBe(200)
})
