import type { Command } from 'commander'
import type { Io } from '../io.ts'
import { loadConfiguration } from '../local.ts'
import { printJson, printTable, say } from '../output.ts'
import { exampleText } from './shared.ts'

type Options = { json?: boolean }

export function addMigrateCommands(program: Command, io: Io): void {
  const migrate = program.command('migrate').description('the schema of the database in DATA_DIR')
  const json = ['--json', 'print JSON'] as const

  migrate
    .command('status')
    .description('which migrations are applied, and which wait')
    .option(...json)
    .addHelpText('after', exampleText('llm-proxy migrate status'))
    .action((_options, command: Command) => showStatus(io, command.optsWithGlobals()))

  migrate
    .command('up')
    .description('apply those that wait, after a backup (the gateway does this at its start)')
    .option(...json)
    .addHelpText('after', exampleText('llm-proxy migrate up'))
    .action((_options, command: Command) => migrateUp(io, command.optsWithGlobals()))

  migrate
    .command('version')
    .description('print the version of the schema')
    .option(...json)
    .addHelpText('after', exampleText('llm-proxy migrate version'))
    .action((_options, command: Command) => showVersion(io, command.optsWithGlobals()))
}

async function showStatus(io: Io, { json }: Options): Promise<void> {
  const status = await readStatus(io)
  if (json) return printJson(io, status)
  const { location, version, latest, migrations, unknown } = status
  say(
    io,
    `${location}: ${version === 0 ? 'no database yet' : `schema ${version}`}, this version of LLM Proxy has ${latest}`,
  )
  printTable(
    io,
    ['MIGRATION', 'STATE'],
    migrations.map(({ name, applied }) => [name, applied ? 'applied' : 'waits']),
  )
  if (unknown > 0) say(io, `A newer version of LLM Proxy has applied ${unknown} more: use that version.`)
  else if (version < latest) say(io, 'Apply what waits: stop the gateway, then llm-proxy migrate up')
}

async function migrateUp(io: Io, { json }: Options): Promise<void> {
  const { config } = await loadConfiguration(io)
  const { migrateUp: apply } = await import('../../store/open.ts')
  const result = await apply({ dataDir: config.dataDir })
  if (json) return printJson(io, result)
  if (result.applied.length === 0) return say(io, `Nothing to do: the schema is at ${result.to}.`)
  if (result.backup !== null) say(io, `Backup: ${result.backup}`)
  say(io, `Applied ${result.applied.join(', ')}: the schema went from ${result.from} to ${result.to}.`)
}

async function showVersion(io: Io, { json }: Options): Promise<void> {
  const { version, latest } = await readStatus(io)
  if (json) return printJson(io, { version, latest })
  say(io, `${version}`)
}

async function readStatus(io: Io) {
  const { config } = await loadConfiguration(io)
  const { migrationStatus } = await import('../../store/open.ts')
  return migrationStatus({ dataDir: config.dataDir })
}
