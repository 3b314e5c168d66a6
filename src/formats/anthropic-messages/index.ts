import type { Dialect } from '../dialect.ts'
import { buildAnswer } from './build-answer.ts'
import { buildRequest } from './build-request.ts'
import { createStreamBuilder } from './build-stream.ts'
import { buildError, parseError } from './error.ts'
import { parseAnswer } from './parse-answer.ts'
import { parseRequest } from './parse-request.ts'
import { createStreamParser } from './parse-stream.ts'

/** `POST /v1/messages`, as Anthropic has it. */
export const anthropicMessages: Dialect = {
  name: 'anthropic-messages',
  fieldNames: {
    tools: 'tools',
    toolChoice: 'tool_choice',
    parallelToolCalls: 'tool_choice.disable_parallel_tool_use',
    maxTokens: 'max_tokens',
    temperature: 'temperature',
    topP: 'top_p',
    topK: 'top_k',
    stop: 'stop_sequences',
    seed: 'seed',
    candidates: 'n',
    presencePenalty: 'presence_penalty',
    frequencyPenalty: 'frequency_penalty',
    logprobs: 'logprobs',
    logitBias: 'logit_bias',
    format: 'output_config.format',
    reasoning: 'thinking',
    user: 'metadata.user_id',
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
