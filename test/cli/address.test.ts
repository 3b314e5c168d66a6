import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { MANAGEMENT_TOKEN } from '../helpers/gateway.ts'
import { sendJson, startUpstream, type Upstream } from '../helpers/upstream.ts'
import { given, givenGateway } from './given.ts'

let other: Upstream
beforeAll(async () => {
  other = await startUpstream()
})
afterAll(() => other.close())

const withToken = { env: { MANAGEMENT_TOKEN } }

describe('--url', () => {
  it('finds the token of a loopback gateway in its data folder', async () => {
    const { cli, dataDir, gateway } = await givenGateway()
    expect(await cli(`project list --url ${gateway.url}`)).toMatchObject({
      code: 2,
      err: expect.stringContaining('A management token is needed'),
    })
    writeFileSync(join(dataDir, 'management-token'), `${MANAGEMENT_TOKEN}\n`)
    expect((await cli(`project list --url ${gateway.url}/v1`)).code).toBe(0)
  })

  it('sends the token of this folder to no other machine', async () => {
    const { cli } = given({ files: { 'management-token': `${MANAGEMENT_TOKEN}\n` } })
    expect(await cli('project list --url http://gateway.invalid')).toMatchObject({
      code: 2,
      err: expect.stringContaining('A management token is needed for http://gateway.invalid'),
    })
  })

  it('prefers --management-token over the environment, and tells a wrong one', async () => {
    const { cli, gateway } = await givenGateway()
    const wrong = { env: { MANAGEMENT_TOKEN: 'not-the-token-of-this-gateway' } }
    const line = `project list --url ${gateway.url}`
    expect(await cli(line, wrong)).toEqual({
      code: 1,
      out: '',
      err: `error: The gateway at ${gateway.url} refuses this management token: set MANAGEMENT_TOKEN, or say --management-token.\n`,
    })
    expect((await cli(`${line} --management-token ${MANAGEMENT_TOKEN}`, wrong)).code).toBe(0)
  })

  it('leaves the database in DATA_DIR alone', async () => {
    const { cli, gateway } = await givenGateway({}, 'address')
    const elsewhere = given()
    expect((await elsewhere.cli(`project create a --url ${gateway.url}`, withToken)).code).toBe(0)
    expect((await cli('project get a')).code).toBe(0)
    expect(await elsewhere.cli('project list')).toMatchObject({
      code: 1,
      err: expect.stringContaining('There is no database'),
    })
  })

  it('says that no gateway answers', async () => {
    expect(await given().cli('token list --url http://127.0.0.1:3', withToken)).toEqual({
      code: 1,
      out: '',
      err: 'error: No gateway answers at http://127.0.0.1:3: the connection was refused. Start it ("llm-proxy server"), or leave out --url to work on its database.\n',
    })
  })

  it.each([
    ['a web page', 200, 'text/html', '<h1>Hello</h1>'],
    ['other JSON', 200, 'application/json', '{"data":"none"}'],
    ['a foreign error', 404, 'application/json', '{"error":{"code":"nope","message":"\u001b[31mno"}}'],
  ])('knows %s from a gateway', async (_name, status, type, body) => {
    other.script((_req, res) => void res.writeHead(status, { 'content-type': type }).end(body))
    const url = new URL(other.url).origin
    expect(await given().cli(`project list --url ${url}`, withToken)).toMatchObject({
      code: 1,
      err: `error: What answers at ${url} is not the management API of an LLM Proxy: look at --url.\n`,
    })
  })

  it('follows no redirect with the token', async () => {
    other.script((_req, res) => sendJson(res, 301, {}, { location: 'https://elsewhere.invalid/manage' }))
    const url = new URL(other.url).origin
    expect(await given().cli(`project list --url ${url}`, withToken)).toMatchObject({
      code: 1,
      err: `error: ${url} redirects to https://elsewhere.invalid/manage: say that address with --url.\n`,
    })
  })
})
