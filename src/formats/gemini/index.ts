import type { Dialect } from '../dialect.ts'
import { buildAnswer } from './build-answer.ts'
import { buildRequest } from './build-request.ts'
import { createStreamBuilder } from './build-stream.ts'
import { buildError, parseError } from './error.ts'
import { parseAnswer } from './parse-answer.ts'
import { parseRequest } from './parse-request.ts'
import { createStreamParser } from './parse-stream.ts'

/** `POST …/models/{model}:generateContent` and `:streamGenerateContent`, as Gemini has it. */
export const gemini: Dialect = {
  name: 'gemini',
  fieldNames: {
    tools: 'tools',
    toolChoice: 'toolConfig.functionCallingConfig',
    parallelToolCalls: 'parallelToolCalls',
    maxTokens: 'generationConfig.maxOutputTokens',
    temperature: 'generationConfig.temperature',
    topP: 'generationConfig.topP',
    topK: 'generationConfig.topK',
    stop: 'generationConfig.stopSequences',
    seed: 'generationConfig.seed',
    candidates: 'generationConfig.candidateCount',
    presencePenalty: 'generationConfig.presencePenalty',
    frequencyPenalty: 'generationConfig.frequencyPenalty',
    logprobs: 'generationConfig.responseLogprobs',
    logitBias: 'logitBias',
    format: 'generationConfig.responseMimeType',
    reasoning: 'generationConfig.thinkingConfig',
    user: 'user',
    metadata: 'labels',
    serviceTier: 'serviceTier',
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
