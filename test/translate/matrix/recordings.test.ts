import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { fixturesFolder, NO_FIXTURES } from '../../helpers/fixtures.ts'
import { startTestGateway, type TestGateway } from '../../helpers/gateway.ts'
import { startUpstream, type Upstream } from '../../helpers/upstream.ts'
import type { Client } from './client.ts'
import { anthropic } from './clients/anthropic.ts'
import { genai } from './clients/genai.ts'
import { openaiChat } from './clients/openai-chat.ts'
import { openaiResponses } from './clients/openai-responses.ts'
import { type Recording, recordings } from './recordings.ts'

let upstream: Upstream
let gateway: TestGateway
let token: string
beforeAll(async () => {
  upstream = await startUpstream()
  const key = { apiKey: 'provider-key-0123456789', baseUrl: upstream.url }
  gateway = await startTestGateway({
    config: { providers: { anthropic: key, gemini: key, mistral: key, zai: key } },
  })
  token = (await gateway.token()).secret
})
afterAll(async () => {
  await gateway.stop()
  await upstream.close()
})

/** Those who speak another dialect. */
const CLIENTS: readonly Client[] = [openaiChat, openaiResponses, anthropic, genai]
const SPOKEN: Record<Recording['provider'], Client['dialect']> = {
  anthropic: 'anthropic-messages',
  gemini: 'gemini',
  mistral: 'openai-chat',
  zai: 'openai-chat',
}

describe.each(CLIENTS)('$name shows what was recorded, and the books count it:', (client) => {
  if (fixturesFolder === null) return it.skip(NO_FIXTURES, () => {})

  it.each(recordings().filter(({ provider }) => SPOKEN[provider] !== client.dialect))(
    '$provider, $name',
    async ({ provider, contentType, bytes, said }) => {
      upstream.script((_req, res) => void res.writeHead(200, { 'content-type': contentType }).end(bytes))
      const speaker = client.connect({ url: gateway.url, token })
      const ask = { model: `${provider}:some-model`, messages: [{ role: 'user' as const, text: 'Hi' }] }
      const [shown] = await speaker.converse(ask, contentType === 'application/json' ? 'whole' : 'streamed')
      expect(shown).toMatchObject({
        text: said.text,
        calls: said.calls,
        ...(said.usage && { usage: said.usage }),
      })
      const { data } = await gateway.ctx.store.ledger.list({}, { limit: 1 })
      expect(data).toMatchObject([
        {
          status: 200,
          error: null,
          ...(said.usage && {
            usage: { inputTokens: said.usage.input, outputTokens: said.usage.output, source: 'reported' },
          }),
        },
      ])
    },
  )
})
