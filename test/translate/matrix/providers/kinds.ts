import type { DialectName } from '../../../../src/formats/dialect.ts'
import type { Speech } from '../provider.ts'
import { anthropicSpeech, CACHE_WRITE } from './anthropic.ts'
import { geminiSpeech } from './gemini.ts'
import { glmSpeech } from './glm.ts'
import { mistralSpeech } from './mistral.ts'
import { openaiSpeech } from './openai.ts'

/** A provider of the matrix, and what is to be known of it. */
export type Kind = {
  name: 'openai' | 'anthropic' | 'gemini' | 'mistral' | 'zai'
  title: string
  speech: Speech
  /** The dialect that requests are translated into. */
  dialect: DialectName
  /** Dialects whose requests pass untouched. */
  speaks: readonly DialectName[]
  /** Of usual requests, and of those that ask for thoughts; as the provider knows them. */
  model: string
  thinkers: readonly string[]
  showsThoughts: boolean
  countsThoughts: boolean
  cacheWrite: number
  /** How an answer ends that it declines: by that reason, or with words alone, which some SDKs take for one. */
  declines: RegExp
  declinesInWords: boolean
  /** In a header, as SDKs look for it. */
  tellsRetryAfter: boolean
}

export const KINDS: readonly Kind[] = [
  {
    name: 'openai',
    title: 'OpenAI',
    speech: openaiSpeech,
    dialect: 'openai-chat',
    speaks: ['openai-chat', 'openai-responses'],
    model: 'gpt-4o',
    thinkers: ['gpt-5-mini'],
    showsThoughts: false,
    countsThoughts: true,
    cacheWrite: 0,
    declines: /stop|filter/,
    declinesInWords: true,
    tellsRetryAfter: true,
  },
  {
    name: 'anthropic',
    title: 'Anthropic',
    speech: anthropicSpeech,
    dialect: 'anthropic-messages',
    speaks: ['anthropic-messages'],
    model: 'claude-sonnet-4-6',
    thinkers: ['claude-sonnet-4-6', 'claude-opus-4-8', 'claude-haiku-4-5'],
    showsThoughts: true,
    countsThoughts: true,
    cacheWrite: CACHE_WRITE,
    declines: /filter/,
    declinesInWords: true,
    tellsRetryAfter: true,
  },
  {
    name: 'gemini',
    title: 'Google',
    speech: geminiSpeech,
    dialect: 'gemini',
    speaks: ['gemini'],
    model: 'gemini-3-flash-preview',
    thinkers: ['gemini-3-flash-preview', 'gemini-2.5-flash'],
    showsThoughts: true,
    countsThoughts: true,
    cacheWrite: 0,
    declines: /filter/,
    declinesInWords: false,
    tellsRetryAfter: false,
  },
  {
    name: 'mistral',
    title: 'Mistral',
    speech: mistralSpeech,
    dialect: 'openai-chat',
    speaks: ['openai-chat'],
    model: 'mistral-small-latest',
    thinkers: ['mistral-small-latest'],
    showsThoughts: true,
    countsThoughts: false,
    cacheWrite: 0,
    declines: /stop|filter/,
    declinesInWords: true,
    tellsRetryAfter: true,
  },
  {
    name: 'zai',
    title: 'Z.ai',
    speech: glmSpeech,
    dialect: 'openai-chat',
    speaks: ['openai-chat'],
    model: 'glm-4.6',
    thinkers: ['glm-4.6'],
    showsThoughts: true,
    countsThoughts: true,
    cacheWrite: 0,
    declines: /filter/,
    declinesInWords: true,
    tellsRetryAfter: true,
  },
]
