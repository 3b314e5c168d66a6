import { PROVIDER_NAMES } from './registry.ts'

/** `azure-openai` → `AZURE_OPENAI`: how the environment spells a provider's name. */
export const prefixOf = <Name extends string>(provider: Name) =>
  provider.toUpperCase().replaceAll('-', '_') as Prefix<Name>

export type Prefix<Name extends string> = Name extends `${infer Head}-${infer Tail}`
  ? `${Uppercase<Head>}_${Prefix<Tail>}`
  : Uppercase<Name>

/** Where an operator says it: the variable of a built-in provider, the YAML key of another. */
export const settingOf = (provider: string, setting: 'api_key' | 'base_url'): string =>
  (PROVIDER_NAMES as readonly string[]).includes(provider)
    ? `${prefixOf(provider)}_${setting.toUpperCase()}`
    : `providers.${provider}.${setting}`
