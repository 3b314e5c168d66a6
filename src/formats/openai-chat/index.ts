import type { Dialect } from '../dialect.ts'
import { buildError, parseError } from '../openai-error.ts'
import { buildAnswer } from './build-answer.ts'
import { buildRequest } from './build-request.ts'
import { createStreamBuilder } from './build-stream.ts'
import { parseAnswer } from './parse-answer.ts'
import { parseRequest } from './parse-request.ts'
import { createStreamParser } from './parse-stream.ts'

/** `POST /v1/chat/completions`, as OpenAI has it and most others copy it. */
export const openaiChat: Dialect = {
  name: 'openai-chat',
  fieldNames: {
    tools: 'tools',
    toolChoice: 'tool_choice',
    parallelToolCalls: 'parallel_tool_calls',
    maxTokens: 'max_tokens',
    temperature: 'temperature',
    topP: 'top_p',
    topK: 'top_k',
    stop: 'stop',
    seed: 'seed',
    candidates: 'n',
    presencePenalty: 'presence_penalty',
    frequencyPenalty: 'frequency_penalty',
    logprobs: 'logprobs',
    logitBias: 'logit_bias',
    format: 'response_format',
    reasoning: 'reasoning_effort',
    user: 'user',
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
