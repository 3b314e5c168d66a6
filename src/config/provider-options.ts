import { PROVIDER_NAMES, type ProviderName } from '../providers/registry.ts'
import { type Prefix, prefixOf } from '../providers/setting-names.ts'
import * as parse from './parsers.ts'
import type { Option } from './schema.ts'

export { PROVIDER_NAMES, type ProviderName }

type ProviderOptions = Record<`${Prefix<ProviderName>}_${'API_KEY' | 'BASE_URL'}`, Option<string, null>> &
  Record<`${Prefix<ProviderName>}_MAX_CONCURRENT`, Option<number, null>>

/** Names by which other programs know the same. */
const KEY_ALIASES: Partial<Record<ProviderName, string[]>> = {
  anthropic: ['CLAUDE_API_KEY'],
  together: ['TOGETHERAI_API_KEY', 'TOGETHER_AI_API_KEY'],
  fireworks: ['FIREWORKS_AI_API_KEY'],
  'azure-openai': ['AZURE_API_KEY'],
}
const URL_ALIASES: Partial<Record<ProviderName, string[]>> = { 'azure-openai': ['AZURE_OPENAI_ENDPOINT'] }

/** Where they are is not known to all. */
const ADDRESSES: Partial<Record<ProviderName, string>> = {
  'azure-openai':
    'Address of your Azure resource: `https://<resource>.openai.azure.com`. Without it there is no such provider.',
  ollama:
    'Address of your Ollama, as `http://127.0.0.1:11434/v1`. Without it there is no such provider; with it no key is needed.',
  vllm: 'Address of your vLLM, as `http://127.0.0.1:8000/v1`. Without it there is no such provider; with it no key is needed.',
}

/** The options of each provider. */
export function providerOptions(): ProviderOptions {
  const rows = PROVIDER_NAMES.flatMap((name) => [
    [`${prefixOf(name)}_API_KEY`, apiKeyOption(name)],
    [`${prefixOf(name)}_BASE_URL`, baseUrlOption(name)],
    [`${prefixOf(name)}_MAX_CONCURRENT`, maxConcurrentOption(name)],
  ])
  return Object.fromEntries(rows) as ProviderOptions
}

/** What Azure wants to be told besides. */
export const azureOptions = {
  AZURE_OPENAI_API_VERSION: {
    group: 'providers',
    yaml: 'providers.azure-openai.api_version',
    aliases: ['OPENAI_API_VERSION'],
    parse: parse.apiVersion,
    default: null,
    description:
      "Azure's `api-version`. Unset: its API `v1`, which needs none; a date (`2024-10-21`): the older one, with the deployment in the path.",
  } satisfies Option<string, null>,
  AZURE_OPENAI_DEPLOYMENTS: {
    group: 'providers',
    yaml: 'providers.azure-openai.deployments',
    parse: parse.names,
    default: [],
    description:
      'Names of your deployments, for lists of models and for requests that name no provider. Azure does not tell them.',
  } satisfies Option<string[], string[]>,
}

function apiKeyOption(provider: ProviderName): Option<string, null> {
  const aliases = KEY_ALIASES[provider]
  return {
    group: 'providers',
    yaml: `providers.${provider}.api_key`,
    ...(aliases && { aliases }),
    parse: parse.token,
    default: null,
    secret: true,
    description: `Key of \`${provider}\` for every project that has none of its own.`,
  }
}

const maxConcurrentOption = (provider: ProviderName): Option<number, null> => ({
  group: 'providers',
  yaml: `providers.${provider}.max_concurrent`,
  parse: parse.integer(1, 100_000),
  default: null,
  description: `Requests that \`${provider}\` is sent at once; more wait their turn.`,
})

function baseUrlOption(provider: ProviderName): Option<string, null> {
  const aliases = URL_ALIASES[provider]
  const address = ADDRESSES[provider]
  return {
    group: 'providers',
    yaml: `providers.${provider}.base_url`,
    ...(aliases && { aliases }),
    parse: parse.baseUrl,
    default: null,
    ...(address === undefined && { defaultText: "the provider's public address" }),
    unquotable: true,
    description:
      address ?? `Address of \`${provider}\`, with its version path (OpenAI's is \`https://api.openai.com/v1\`).`,
  }
}
