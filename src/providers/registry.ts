import { anthropic } from './anthropic.ts'
import { azureOpenai } from './azure-openai.ts'
import { deepseek } from './deepseek.ts'
import { fireworks } from './fireworks.ts'
import { gemini } from './gemini.ts'
import { groq } from './groq.ts'
import { mistral } from './mistral.ts'
import { ollama } from './ollama.ts'
import { openai } from './openai.ts'
import { openrouter } from './openrouter.ts'
import type { Provider } from './provider.ts'
import { together } from './together.ts'
import { vllm } from './vllm.ts'
import { xai } from './xai.ts'
import { zai } from './zai.ts'

/** A new provider is one file and one entry here. Where several have a model of the same name, the first one gets it. */
const REGISTRY = [
  openai,
  anthropic,
  gemini,
  mistral,
  xai,
  deepseek,
  zai,
  groq,
  together,
  fireworks,
  azureOpenai,
  openrouter,
  ollama,
  vllm,
] as const

export type ProviderName = (typeof REGISTRY)[number]['name']

export const PROVIDERS: readonly Provider[] = REGISTRY

export const PROVIDER_NAMES: readonly ProviderName[] = REGISTRY.map(({ name }) => name)
