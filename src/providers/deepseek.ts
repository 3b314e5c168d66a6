import { speaksMessages } from './anthropic.ts'
import { likeOpenAi, type Provider, speaksChat } from './provider.ts'

/**
 * Sources: api-docs.deepseek.com/api/create-chat-completion (`response_format` is text or json_object), guides/anthropic_api,
 * guides/thinking_mode. It limits
 * nobody by number, and tells of no limits.
 */
export const deepseek = {
  ...likeOpenAi,
  name: 'deepseek',
  baseUrl: 'https://api.deepseek.com',
  speaks: [speaksChat, { ...speaksMessages, path: () => '/anthropic/v1/messages' }],
  rateLimits: null,
  facts: { takesSchema: false, takesThinking: true, reasons: 'adaptive', efforts: ['low', 'high', 'max'] },
  // Its other address, with `/v1` behind it, is for OpenAI's dialect alone, and nobody knows what stands at still others.
  adapt: ({ baseUrl }) => (baseUrl === null || isRoot(baseUrl) ? {} : { speaks: [speaksChat] }),
} as const satisfies Provider

const isRoot = (url: string) => new URL(url).pathname === '/'
