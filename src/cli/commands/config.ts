import type { Command } from 'commander'
import type { Config } from '../../config/config.ts'
import { ConfigError } from '../../config/config-error.ts'
import { CliError } from '../failure.ts'
import type { Io } from '../io.ts'
import { loadConfiguration } from '../local.ts'
import { printJson, printTable, say } from '../output.ts'
import { exampleText } from './shared.ts'

export function addConfigCommands(program: Command, io: Io): void {
  program
    .command('config')
    .description('the configuration of a gateway started here')
    .command('check')
    .description('read it as the gateway would, and print each value with its origin')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      exampleText('llm-proxy config check', 'LLM_PROXY_CONFIG=prod.yaml llm-proxy config check --json'),
    )
    .action((_options, command: Command) => checkConfig(io, command.optsWithGlobals()))
}

async function checkConfig(io: Io, { json }: { json?: boolean }): Promise<void> {
  const { config, origins, shown, warnings } = await loadConfiguration(io).catch((error) => {
    if (json && error instanceof ConfigError) {
      printJson(io, { ok: false, problems: error.problems })
      throw new CliError(`The configuration has problems: ${error.problems.length}.`)
    }
    throw error
  })
  const { OPTION_NAMES, optionOf } = await import('../../config/schema.ts')
  if (json) {
    const values = OPTION_NAMES.map((name) => ({ name, value: shown[name], origin: origins[name] }))
    const custom = structures(config).map(([name, value]) => ({ name, value, origin: 'file' }))
    return printJson(io, { ok: true, config_file: config.configFile, values: [...values, ...custom], warnings })
  }
  printTable(
    io,
    ['OPTION', 'VALUE', 'ORIGIN'],
    [
      ...OPTION_NAMES.map((name) => {
        const { defaultText, unit } = optionOf(name)
        const isSet = shown[name] !== '(none)'
        const value = isSet && unit ? `${shown[name]} ${unit}` : shown[name]
        return [name, isSet ? value : (defaultText?.replaceAll('`', '') ?? '(none)'), ORIGINS[origins[name]]]
      }),
      ...structures(config).map(([name, value]) => [name, value, ORIGINS.file]),
    ],
  )
  for (const warning of warnings) say(io, `! ${warning}`)
  say(io, `\nThe configuration is fine${config.configFile ? ` (with ${config.configFile})` : ''}.`)
}

/** What stands in the file alone, and is no option. */
const structures = (config: Config): [name: string, value: string][] => [
  ...customProviders(config),
  ...config.routing.routes.map(({ pattern, strategy, targets }): [string, string] => [
    `routes.${pattern}`,
    `${strategy}: ${targets.map(({ provider, model }) => (model === null ? provider : `${provider}:${model}`)).join(', ')}`,
  ]),
  ...config.routing.rules.map(({ name, route, provider, model }, index): [string, string] => [
    `rules[${index}]`,
    `${name}: ${route ?? (model === null ? provider : `${provider}:${model}`)}`,
  ]),
]

/** Those that are not built in stand in the file alone, and are no options. */
const customProviders = ({ providers }: Config): [name: string, value: string][] =>
  Object.entries(providers).flatMap(([name, { kind, baseUrl, apiKey }]) =>
    kind ? [[`providers.${name}`, `${kind} at ${baseUrl}, ${apiKey === null ? 'without a key' : 'with a key'}`]] : [],
  )

const ORIGINS = { env: 'environment', file: 'file', default: 'default' }
