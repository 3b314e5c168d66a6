import type { Config } from '../config/config.ts'
import { anthropic } from './anthropic.ts'
import { demo } from './demo.ts'
import { gemini } from './gemini.ts'
import { mistral } from './mistral.ts'
import { openai } from './openai.ts'
import { openrouter } from './openrouter.ts'
import type { Provider } from './provider.ts'
import { zai } from './zai.ts'

/** The registry: a new provider is one file and one entry here. */
const PROVIDERS: Provider[] = [openai, anthropic, gemini, mistral, openrouter, zai]

export const PROVIDER_NAMES = PROVIDERS.map(({ name }) => name)

/** A provider as this gateway is configured to reach it. */
export type ConfiguredProvider = Provider & {
  baseUrl: string
  origin: string
  /** What replaces `/v1` of the caller's path: `/v1`, `/api/v1`, `` … */
  basePath: string
  /** The operator's own key, used by projects that have none. Null: none. */
  sharedKey: string | null
}

export type Providers = {
  get(name: string): ConfiguredProvider | null
  list(): ConfiguredProvider[]
}

/** `demoUrl`: where the built-in demo provider listens, null while it is off. */
export function createProviders(config: Pick<Config, 'providers'>, demoUrl: () => string | null): Providers {
  const configured = new Map(
    PROVIDERS.flatMap((provider) => {
      const own = config.providers[provider.name]
      const baseUrl = own?.baseUrl ?? provider.baseUrl
      return baseUrl === null ? [] : [[provider.name, configure(provider, baseUrl, own?.apiKey ?? null)] as const]
    }),
  )
  const withDemo = () => {
    const url = demoUrl()
    return url === null ? null : configure(demo, url, 'demo')
  }
  return {
    get: (name) => (name === demo.name ? withDemo() : (configured.get(name) ?? null)),
    list: () => {
      const demoProvider = withDemo()
      return demoProvider ? [...configured.values(), demoProvider] : [...configured.values()]
    },
  }
}

function configure(provider: Provider, baseUrl: string, sharedKey: string | null): ConfiguredProvider {
  const url = new URL(baseUrl)
  return { ...provider, baseUrl, origin: url.origin, basePath: url.pathname.replace(/\/+$/, ''), sharedKey }
}
