import { writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { loadConfig } from '../../src/config/load.ts'
import { OPTION_NAMES } from '../../src/config/schema.ts'
import { describeSettings } from '../../src/config/settings.ts'
import { makeFolder } from '../helpers/folder.ts'
import { startConsole, type TestConsole, type Visitor } from './helpers.ts'

const SECRETS = {
  OPENAI_API_KEY: 'sk-planted-openai-key-000000000000',
  MANAGEMENT_TOKEN: 'planted-management-token-0123456789',
  PROXY_API_KEYS: 'planted-static-key-0123456789',
  ALERT_WEBHOOK_SECRET: 'planted-webhook-secret-0123456789',
}

describe('an option', () => {
  const folder = makeFolder()
  const load = (env: Record<string, string>) => loadConfig({ env, cwd: folder })
  const given = (env: Record<string, string> = {}, later?: Record<string, string>) => {
    const atStart = load(env)
    const all = describeSettings(atStart, later ? load(later) : atStart)
    return (name: string) => all.find((one) => one.name === name)!
  }

  it('says where its value comes from: environment, .env, file, a file of its own, or nobody', () => {
    writeFileSync(join(folder, '.env'), 'LOG_LEVEL=debug\n')
    writeFileSync(join(folder, 'llm-proxy.yaml'), 'timeouts: { connect_ms: 1234 }\n')
    writeFileSync(join(folder, 'key.txt'), SECRETS.OPENAI_API_KEY)
    const of = given({ PORT: '9000', OPENAI_API_KEY_FILE: 'key.txt' })
    expect(of('PORT')).toMatchObject({ value: '9000', origin: 'environment', source: 'environment: PORT' })
    expect(of('OPENAI_API_KEY')).toMatchObject({ source: 'environment: OPENAI_API_KEY_FILE', isSet: true })
    expect(of('LOG_LEVEL')).toMatchObject({ value: 'debug', origin: '.env', source: '.env: LOG_LEVEL' })
    expect(of('TIMEOUT_CONNECT_MS')).toMatchObject({
      value: '1234',
      unit: 'ms',
      origin: 'file',
      source: 'llm-proxy.yaml: timeouts.connect_ms',
    })
    expect(of('ENCRYPTION_KEY')).toMatchObject({ value: null, isSet: true, origin: 'generated' })
    expect(of('ENCRYPTION_KEY').source).toBe('file encryption-key in DATA_DIR')
    expect(of('HOST')).toMatchObject({ value: '127.0.0.1', origin: 'default', source: '' })
  })

  it('that is secret shows no character of it', () => {
    const of = given(SECRETS)
    for (const name of Object.keys(SECRETS))
      expect(of(name)).toMatchObject({ value: null, isSet: true, isSecret: true })
    expect(of('ANTHROPIC_API_KEY')).toMatchObject({ value: null, isSet: false, isSecret: true })
  })

  it('that is an address shows neither what lets one in nor the path of a webhook', () => {
    const of = given({
      ALERT_WEBHOOK_URL: 'https://hooks.example.com/services/T0/planted',
      OPENAI_BASE_URL: 'https://llm.example.com/v1',
    })
    expect(of('ALERT_WEBHOOK_URL').value).toBe('https://hooks.example.com/…')
    expect(of('OPENAI_BASE_URL').value).toBe('https://llm.example.com/v1')
  })

  it('that was changed is in force where a reload takes it over, and waits for a restart elsewhere', () => {
    const of = given({ HTTP_TIMEOUT: '10', PORT: '1' }, { HTTP_TIMEOUT: '20', PORT: '2' })
    expect(of('HTTP_TIMEOUT')).toMatchObject({ value: '20', live: true, change: 'in_force' })
    expect(of('PORT')).toMatchObject({ value: '1', live: false, change: 'waits' })
    expect(of('HOST').change).toBeNull()
  })
})

describe('the page of settings', () => {
  let house: TestConsole
  let owner: Visitor
  beforeAll(async () => {
    house = await startConsole()
    owner = await house.as('owner')
  })
  afterAll(() => house.stop())

  it('shows every option with its value and origin, and finds one by name, YAML key or a word of its text', async () => {
    const { html } = await owner.get('/admin/settings')
    const options = (text: string) =>
      [...text.matchAll(/<th scope="row"><code>([A-Z0-9_]+)<\/code>/g)].map(([, name]) => name)
    expect(options(html).sort()).toEqual(OPTION_NAMES.toSorted())
    for (const query of ['max_body', 'MAX_BODY_MB', 'largest json body'])
      expect(options((await owner.get(`/admin/settings?q=${encodeURIComponent(query)}`)).html)).toContain('MAX_BODY_MB')
    expect((await owner.get('/admin/settings?q=nothing+of+the+kind')).html).toContain('No such option')
    const csv = (await owner.get('/admin/settings?format=csv&q=PORT')).html
    expect(csv).toContain('PORT,Server,8080,default,restart,')
  })

  it('reads the file again where one may, tells what is new, and says who did it', async () => {
    writeFileSync(join(house.dataDir, 'llm-proxy.yaml'), 'alerts: { spend_factor: 7 }\nport: 1\n')
    const answer = await owner.post('/admin/settings/reload')
    expect(answer).toMatchObject({ status: 303, location: '/admin/settings' })
    const { html } = await owner.get('/admin/settings')
    expect(html).toContain('In force now: ALERT_SPEND_FACTOR. Waiting for a restart: LLM_PROXY_CONFIG, PORT.')
    expect(html).toMatch(/waiting for a restart: LLM_PROXY_CONFIG, PORT/)
    const changed = (await owner.get('/admin/settings?show=changed')).html
    expect(changed).toMatch(/ALERT_SPEND_FACTOR[\s\S]*<code>7<\/code>/)
    const [row] = (await house.ctx.store.audit.list({ action: 'config.reload' }, { limit: 1 })).data
    expect(row).toMatchObject({ actor: `admin:${owner.user.name}`, outcome: 'success' })
  })

  it('keeps what was in force when the file has problems, and shows them', async () => {
    writeFileSync(join(house.dataDir, 'llm-proxy.yaml'), 'alerts: { spend_factor: "<b>" }\n')
    const answer = await owner.post('/admin/settings/reload')
    expect(answer.status).toBe(400)
    expect(answer.html).toContain('stays in force')
    expect(answer.html).toContain('&lt;b&gt;')
    expect(answer.html).not.toContain('<b>')
    expect((await owner.get('/admin/settings')).html).toContain('alerts.spend_factor')
  })

  it('is read by a viewer, who is offered nothing to do', async () => {
    const viewer = await house.as('viewer')
    const { status, html } = await viewer.get('/admin/settings')
    expect(status).toBe(200)
    expect(html).not.toContain('Read it again')
    expect(html).not.toContain('/admin/settings/users')
    expect((await viewer.post('/admin/settings/reload')).status).toBe(403)
    expect((await viewer.get('/admin/settings/users')).status).toBe(403)
    expect((await viewer.get('/admin/settings/sessions')).status).toBe(403)
  })

  it('of data says how large it is, what is kept how long, and that it can be written', async () => {
    const { html } = await owner.get('/admin/settings/data')
    expect(html).toContain('writable')
    expect(html).toContain('llm-proxy.db')
    expect(html).toContain('REQUEST_LOG_DAYS')
    expect((await owner.get('/admin/settings/data?format=csv')).html).toMatch(
      /^file,size_bytes\r\nllm-proxy.db,\d+\r\n/,
    )
  })
})

describe('alerts', () => {
  let house: TestConsole
  let hook: Server
  let heard: { body: string; signature: string | undefined }[]
  let answer: number

  beforeEach(async () => {
    heard = []
    answer = 204
    hook = createServer((req, res) => {
      let body = ''
      req.on('data', (piece) => {
        body += piece
      })
      req.on('end', () => {
        heard.push({ body, signature: req.headers['x-llm-proxy-signature'] as string | undefined })
        res.writeHead(answer).end()
      })
    })
    await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve))
  })
  afterEach(async () => {
    await house.stop()
    hook.closeAllConnections()
    await new Promise((resolve) => hook.close(resolve))
  })

  const { alerts } = loadConfig({ env: {}, cwd: makeFolder() }).config
  const start = async () => {
    const url = `http://127.0.0.1:${(hook.address() as AddressInfo).port}/services/planted-path`
    const webhook = { url, secret: SECRETS.ALERT_WEBHOOK_SECRET, format: 'json' as const }
    house = await startConsole({ config: { alerts: { ...alerts, webhook } } })
    return house.as('admin')
  }
  const tested = async () => (await house.ctx.store.audit.list({ action: 'alert.test' }, { limit: 5 })).data

  it('are tried with one click: the webhook hears of it, signed, and the page says what came back', async () => {
    const admin = await start()
    const { status, html } = await admin.post('/admin/settings/alerts/test')
    expect(status).toBe(200)
    expect(html).toMatch(/The webhook took the test: it answered 204 after \d/)
    expect(JSON.parse(heard[0]!.body)).toMatchObject({
      type: 'test',
      text: `This is a test of the alerts of LLM Proxy, sent by admin:${admin.user.name}. Nothing is wrong.`,
    })
    expect(heard[0]!.signature).toMatch(/^t=\d+,v1=[0-9a-f]{64}$/)
    expect(await tested()).toMatchObject([
      { actor: `admin:${admin.user.name}`, after: { delivered: true, status: 204, failure: null } },
    ])
  })

  it.each([
    [500, 'The webhook answered 500.'],
    [403, 'Look whether its address is still valid.'],
  ])('say why a test did not arrive, and do not try it again: %i', async (status, expected) => {
    const admin = await start()
    answer = status
    const { html } = await admin.post('/admin/settings/alerts/test')
    expect(html).toContain('The test did not arrive')
    expect(html).toContain(expected)
    expect(await house.ctx.store.alerts.list({ limit: 5 })).toMatchObject({ data: [] })
    expect(await tested()).toMatchObject([{ after: { delivered: false, status } }])
  })

  it('say so when nobody is there', async () => {
    const admin = await start()
    hook.closeAllConnections()
    await new Promise((resolve) => hook.close(resolve))
    const { html } = await admin.post('/admin/settings/alerts/test')
    expect(html).toContain('Look whether this machine may reach it.')
    hook = createServer()
    await new Promise<void>((resolve) => hook.listen(0, resolve))
  })

  it('show the host of the webhook alone, what was told, and how its delivery does', async () => {
    const admin = await start()
    await house.ctx.store.alerts.add(
      {
        id: 'alr_1',
        key: 'k',
        kind: 'budget_threshold',
        at: Date.now(),
        text: 'The token <script>alert(1)</script> has used 80 %.',
        data: { token_id: 'tok_<b>' },
        sendAt: null,
        attempts: 9,
        deliveredAt: null,
        lastError: '<img src=x>',
      },
      (await house.ctx.store.audit.list({}, { limit: 1 })).data.map((row) => ({ ...row, id: 'aud_alert' }))[0]!,
    )
    const { html } = await admin.get('/admin/settings/alerts')
    expect(html).toContain(`127.0.0.1:${(hook.address() as AddressInfo).port}`)
    expect(html).not.toContain('planted')
    expect(html).toContain('given up')
    expect(html).toContain('&lt;img src=x&gt;')
    expect(html).toContain('/admin/tokens/tok_%3Cb%3E')
    expect(html).not.toContain('<script>alert')
    expect((await admin.get('/admin/settings/alerts?format=csv')).html).toContain('alr_1')
  })

  it('say what to set where there is no webhook', async () => {
    house = await startConsole()
    const admin = await house.as('admin')
    expect((await admin.get('/admin/settings/alerts')).html).toContain('ALERT_WEBHOOK_URL')
    const answered = await admin.post('/admin/settings/alerts/test')
    expect(answered.status).toBe(409)
    expect(answered.html).toContain('No webhook is configured: set ALERT_WEBHOOK_URL.')
  })
})
