import * as parse from './parsers.ts'
import type { Option } from './schema.ts'

/** The providers that have options of their own, `<PROVIDER>_API_KEY` and `<PROVIDER>_BASE_URL`. */
export const PROVIDER_NAMES = ['openai', 'anthropic', 'gemini', 'mistral', 'openrouter', 'zai'] as const
export type ProviderName = (typeof PROVIDER_NAMES)[number]

type ProviderOptions = Record<`${Uppercase<ProviderName>}_${'API_KEY' | 'BASE_URL'}`, Option<string, null>>

/** The two options of each provider. */
export function providerOptions(): ProviderOptions {
  const rows = PROVIDER_NAMES.flatMap((name) => [
    [`${name.toUpperCase()}_API_KEY`, apiKeyOption(name)],
    [`${name.toUpperCase()}_BASE_URL`, baseUrlOption(name)],
  ])
  return Object.fromEntries(rows) as ProviderOptions
}

function apiKeyOption(provider: ProviderName): Option<string, null> {
  return {
    group: 'providers',
    yaml: `providers.${provider}.api_key`,
    ...(provider === 'anthropic' && { aliases: ['CLAUDE_API_KEY'] }),
    parse: parse.token,
    default: null,
    secret: true,
    description: `Key of \`${provider}\` for every project that has none of its own.`,
  }
}

function baseUrlOption(provider: ProviderName): Option<string, null> {
  return {
    group: 'providers',
    yaml: `providers.${provider}.base_url`,
    parse: parse.baseUrl,
    default: null,
    defaultText: "the provider's public address",
    unquotable: true,
    description: `Address of \`${provider}\`, with its version path (OpenAI's is \`https://api.openai.com/v1\`).`,
  }
}
