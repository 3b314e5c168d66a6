import type { AppContext } from '../context.ts'
import type { DialectName } from '../formats/dialect.ts'
import { answerJson } from './answer-json.ts'
import { modelCall } from './endpoints.ts'
import type { HttpExchange } from './exchange.ts'
import type { Target } from './plan.ts'
import type { SettleParts } from './settle.ts'

/** Who asks how many tokens a request has, and how each of them is told. */
type Count = { dialect: DialectName; present(tokens: number): object }

const MESSAGES: Count = { dialect: 'anthropic-messages', present: (input_tokens) => ({ input_tokens }) }
const RESPONSES: Count = {
  dialect: 'openai-responses',
  present: (input_tokens) => ({ object: 'response.input_tokens', input_tokens }),
}
const GEMINI: Count = { dialect: 'gemini', present: (totalTokens) => ({ totalTokens }) }

function countOf({ method, path }: HttpExchange): Count | null {
  if (method !== 'POST' || path.mount !== null) return null
  if (path.api === '/v1/messages/count_tokens') return MESSAGES
  if (path.api === '/v1/responses/input_tokens') return RESPONSES
  return modelCall(path.api)?.action === 'countTokens' ? GEMINI : null
}

/**
 * Counts the tokens of a request here, for a model whose provider is not asked in this dialect; the count is an estimate, and says
 * so in a header. False: the provider is to be asked.
 */
export async function answerCount(
  parts: SettleParts & Pick<AppContext, 'estimator'>,
  exchange: HttpExchange,
  { provider }: Target,
): Promise<boolean> {
  const count = countOf(exchange)
  if (count === null || provider.speaks.some(({ dialect }) => dialect === count.dialect)) return false
  const bytes = exchange.body.kind === 'json' ? exchange.body.bytes : Buffer.alloc(0)
  const { inputTokens } = await parts.estimator.estimate(bytes, '')
  const more = ['x-llm-proxy-estimated', 'true']
  answerJson(parts, exchange, count.present(inputTokens), { answered: true, more })
  return true
}
