import type { ProviderConfig } from '../config/config.ts'
import { likeAnthropic } from './anthropic.ts'
import { likeGemini } from './gemini.ts'
import { likeOpenAi, type Provider } from './provider.ts'

/** What a provider of an operator's own may be like. */
const KINDS = {
  openai: { ...likeOpenAi, baseUrl: null },
  anthropic: likeAnthropic,
  gemini: likeGemini,
} satisfies Record<NonNullable<ProviderConfig['kind']>, Omit<Provider, 'name'>>

/** A provider that stands in the configuration alone; null when what stands there is none. */
export function customProvider(name: string, { kind, streamOptions }: ProviderConfig): Provider | null {
  if (kind === undefined) return null
  const like: Omit<Provider, 'name'> = KINDS[kind]
  return {
    ...like,
    name,
    // Its address is the operator's to say.
    baseUrl: null,
    takesStreamOptions: streamOptions ?? like.takesStreamOptions,
    needsNoKey: true,
  }
}
