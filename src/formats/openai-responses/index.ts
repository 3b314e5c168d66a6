import type { Dialect } from '../dialect.ts'
import { buildError, parseError } from '../openai-error.ts'
import { buildAnswer } from './build-answer.ts'
import { buildRequest } from './build-request.ts'
import { createStreamBuilder } from './build-stream.ts'
import { parseAnswer } from './parse-answer.ts'
import { parseRequest } from './parse-request.ts'
import { createStreamParser } from './parse-stream.ts'

/** `POST /v1/responses`, as OpenAI has it, without what it keeps between requests and the tools that it runs itself. */
export const openaiResponses: Dialect = {
  name: 'openai-responses',
  fieldNames: {
    tools: 'tools',
    toolChoice: 'tool_choice',
    parallelToolCalls: 'parallel_tool_calls',
    maxTokens: 'max_output_tokens',
    temperature: 'temperature',
    topP: 'top_p',
    topK: 'top_k',
    stop: 'stop',
    seed: 'seed',
    candidates: 'n',
    presencePenalty: 'presence_penalty',
    frequencyPenalty: 'frequency_penalty',
    logprobs: 'top_logprobs',
    logitBias: 'logit_bias',
    format: 'text.format',
    reasoning: 'reasoning',
    user: 'safety_identifier',
    metadata: 'metadata',
    serviceTier: 'service_tier',
  },
  parseRequest,
  buildRequest,
  parseAnswer,
  buildAnswer,
  createStreamParser,
  createStreamBuilder,
  parseError,
  buildError,
}
