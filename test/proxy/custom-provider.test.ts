import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { loadConfig } from '../../src/config/load.ts'
import { makeFolder } from '../helpers/folder.ts'
import { MANAGEMENT_TOKEN, startTestGateway, type TestGateway } from '../helpers/gateway.ts'
import { ask, chat } from '../helpers/http.ts'
import { startUpstream, streamChat, type Upstream } from '../helpers/upstream.ts'

/** The example of the page that tells how to do it. */
const [, EXAMPLE] = /```yaml\n(.*?)```/s.exec(
  readFileSync(join(import.meta.dirname, '../../docs/providers.md'), 'utf8'),
)!

let upstream: Upstream
let gateway: TestGateway

async function start(yaml: string, env: Record<string, string>): Promise<void> {
  const cwd = makeFolder({ 'llm-proxy.yaml': yaml })
  const { config, warnings } = loadConfig({ env, cwd })
  expect(warnings).toEqual([])
  const { providers, defaultProvider, prices, demo } = config
  gateway = await startTestGateway({ config: { providers, defaultProvider, prices, demo } })
}
const seen = () => {
  const { url, headers, body } = upstream.seen.at(-1)!
  return { url, headers, body: JSON.parse(body.toString()) as Record<string, unknown> }
}

beforeEach(async () => {
  upstream = await startUpstream()
})
afterEach(async () => {
  await gateway.stop()
  await upstream.close()
})

describe('a provider of the operator’s own, as docs/providers.md has it', () => {
  beforeEach(() => start(EXAMPLE!, { MY_LLM_URL: upstream.url, MY_LLM_KEY: 'sk-of-my-llm-0123456789' }))

  it('serves what is asked of it, with its key and its headers, and has its price', async () => {
    const { secret } = await gateway.token()
    const answer = await chat(gateway.baseUrl, secret, { model: 'my-llm:some/model' }, { 'X-Team': 'mine' })
    expect([answer.status, answer.header('x-llm-proxy-provider')]).toEqual([200, 'my-llm'])
    expect(seen()).toMatchObject({
      url: '/v1/chat/completions',
      headers: { authorization: 'Bearer sk-of-my-llm-0123456789', 'x-team': 'search' },
      body: { model: 'some/model' },
    })
    expect(await gateway.rows()).toMatchObject([{ provider: 'my-llm', costNanoUsd: 0n, priceSource: 'config' }])
    expect(gateway.logs()).not.toContain('sk-of-my-llm')
  })

  it('is the default one', async () => {
    const { secret } = await gateway.token()
    const answer = await chat(gateway.baseUrl, secret, { model: 'whatever' })
    expect(answer.header('x-llm-proxy-provider')).toBe('my-llm')
  })

  it('can have keys of projects, and shows in the status', async () => {
    const headers = { authorization: `Bearer ${MANAGEMENT_TOKEN}`, 'content-type': 'application/json' }
    const body = JSON.stringify({ name: 'p', provider_keys: [{ provider: 'my-llm', key: 'sk-of-the-project-01234' }] })
    expect((await ask(`${gateway.url}/manage/projects`, { method: 'POST', headers, body })).status).toBe(201)
    const status = JSON.parse((await ask(`${gateway.url}/manage/status`, { headers })).body.toString())
    expect(status.providers.slice(-3)).toEqual([
      { name: 'my-llm', base_url: upstream.url, has_shared_key: true, needs_key: true },
      { name: 'zai-anthropic', base_url: 'https://api.z.ai/api/anthropic/v1', has_shared_key: false, needs_key: false },
      { name: 'legacy', base_url: 'http://10.0.0.9/v1', has_shared_key: false, needs_key: false },
    ])
  })

  it('does not take the name of another', async () => {
    const { secret } = await gateway.token()
    const answer = await chat(gateway.baseUrl, secret, { model: 'openai:gpt-4o' })
    expect([answer.status, upstream.seen.length]).toEqual([404, 0])
  })
})

describe('a provider that needs no key', () => {
  it('is sent none, and nothing of the client’s', async () => {
    await start('', { OLLAMA_BASE_URL: upstream.url })
    const { secret } = await gateway.token()
    upstream.script(streamChat(['Hello', '!']))
    const answer = await chat(gateway.baseUrl, secret, { model: 'ollama:qwen3:8b', stream: true })
    expect([answer.status, answer.ended]).toEqual([200, 'clean'])
    const { headers, body } = seen()
    expect([headers.authorization, headers['x-api-key'], body.model]).toEqual([undefined, undefined, 'qwen3:8b'])
    // Without a key there is nothing to mask, in headers or elsewhere.
    expect(answer.headers.join()).not.toContain('redacted')
    expect(gateway.logs()).not.toContain('no provider key')
    expect(await gateway.rows()).toMatchObject([{ provider: 'ollama', usage: { inputTokens: 9, source: 'reported' } }])
  })

  it('answers names of no provider where there is none but it, and the demo is off', async () => {
    await start('default_provider: vllm', { VLLM_BASE_URL: upstream.url })
    const { secret } = await gateway.token()
    for (const model of ['Qwen/Qwen3-8B', 'qwen3:8b', 'mistral/7b', 'demo'])
      expect((await chat(gateway.baseUrl, secret, { model })).header('x-llm-proxy-provider')).toBe('vllm')
  })

  it('is ready to serve', async () => {
    await start('', { OLLAMA_BASE_URL: upstream.url })
    const ready = JSON.parse((await ask(`${gateway.url}/ready`)).body.toString())
    expect(ready.checks.provider).toBe('ok')
  })
})
