/** What genai-prices calls the providers of this gateway. A provider that is not here has no list prices. */
const LISTED_AS = {
  openai: 'openai',
  anthropic: 'anthropic',
  gemini: 'google',
  mistral: 'mistral',
  openrouter: 'openrouter',
  zai: 'zai',
  groq: 'groq',
  deepseek: 'deepseek',
  xai: 'x-ai',
  together: 'together',
  fireworks: 'fireworks',
  'azure-openai': 'azure',
} as const

/** The providers that have list prices. */
export const LISTED_PROVIDERS: readonly string[] = Object.keys(LISTED_AS)

/** Null: no list prices. */
export const listedAs = (provider: string): string | null =>
  Object.hasOwn(LISTED_AS, provider) ? LISTED_AS[provider as keyof typeof LISTED_AS] : null

/** It runs in the gateway itself and costs nothing. */
export const FREE_PROVIDER = 'demo'
