import type { Json } from '../../formats/dialect.ts'
import { DIALECTS } from '../../formats/dialects.ts'
import { buildEmbedAnswer, buildEmbeddings, parseEmbedContents, parseVectors } from '../../formats/gemini/embeddings.ts'
import { readUsage, usageOf } from '../../usage/read-usage.ts'
import { modelCall } from '../endpoints.ts'
import type { Exchange } from '../exchange.ts'
import type { Target } from '../plan.ts'
import { noteDropped, notTranslatable, type Translation } from './translation.ts'

/**
 * Embeddings that a client of Gemini wants of a provider that has them as OpenAI does. Null for all other requests. Throws
 * `invalid_request`, and `unsupported_parameter` as `translate` does, or where the provider has none.
 */
export function translateEmbeddings(
  exchange: Exchange,
  target: Target,
  value: Json | null,
  strict: boolean,
): Translation | null {
  const { path } = exchange
  const { provider, model } = target
  const call = path.mount === null ? modelCall(path.api) : null
  if (call === null || !ACTIONS.has(call.action) || provider.speaks.some(({ dialect }) => dialect === 'gemini'))
    return null
  const place = provider.speaks.some(({ dialect }) => dialect === 'openai-chat')
    ? provider.pathOf('/embeddings', model)
    : null
  if (place === null || value === null) throw notTranslatable(exchange, target)
  const asked = parseEmbedContents(value)
  const to = DIALECTS['openai-chat']!
  noteDropped(exchange, target, to, asked.unknown, strict)
  return {
    from: DIALECTS.gemini!,
    to,
    speech: { dialect: to.name, path: () => place },
    body: Buffer.from(JSON.stringify(buildEmbeddings(model ?? call.model, asked))),
    retell: (answer) => ({
      text: JSON.stringify(buildEmbedAnswer(parseVectors(answer), asked)),
      isStream: false,
      observed: {
        usage: readUsage(usageOf(answer)),
        servedModel: typeof answer.model === 'string' ? answer.model : null,
        tools: null,
        text: () => '',
      },
    }),
    tell: null,
    createStreamBuilder: null,
    seal: (event) => event,
  }
}

const ACTIONS = new Set(['embedContent', 'batchEmbedContents'])
