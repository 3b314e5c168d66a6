import { Command, Option } from 'commander'
import { redact } from '../redact.ts'
import { VERSION } from '../version.ts'
import { addAdminCommands } from './commands/admin.ts'
import { addChatCommand } from './commands/chat.ts'
import { addConfigCommands } from './commands/config.ts'
import { addDoctorCommand } from './commands/doctor.ts'
import { addExplainCommand } from './commands/explain.ts'
import { addLedgerCommands } from './commands/ledger.ts'
import { addMigrateCommands } from './commands/migrate.ts'
import { addPriceCommands } from './commands/prices.ts'
import { addProjectCommands } from './commands/project.ts'
import { addProviderKeyCommands } from './commands/provider-key.ts'
import { addRotateCommand } from './commands/rotate-encryption-key.ts'
import { addRouteCommands } from './commands/routes.ts'
import { addServerCommand } from './commands/server.ts'
import { addTokenCommands } from './commands/token.ts'
import { explain, usageError } from './failure.ts'
import type { Io } from './io.ts'
import { printable } from './text.ts'

/** Runs a command line (without the program's own name); how to exit: 0 done, 1 failed, 2 called wrongly. Never rejects. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  try {
    await createProgram(io).parseAsync(argv, { from: 'user' })
    return 0
  } catch (error) {
    const { text, exitCode } = explain(error)
    if (text !== null) io.stderr.write(`error: ${printable(text)}\n`)
    return exitCode
  }
}

/** All commands. Each loads what it needs when it runs: `--help` opens no database. */
function createProgram(io: Io): Command {
  const program = new Command('llm-proxy')
    .description('An OpenAI-compatible LLM gateway: its server, and the tools to run it.')
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help of a command')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
      outputError: (text, write) => write(redact(withoutValues(text))),
    })
    .addHelpText('after', EPILOGUE)
  addServerCommand(program)
  addChatCommand(program, io)
  addProjectCommands(program, io)
  addTokenCommands(program, io)
  addProviderKeyCommands(program, io)
  addRouteCommands(program, io)
  addAdminCommands(program, io)
  addExplainCommand(program, io)
  addPriceCommands(program, io)
  addConfigCommands(program, io)
  addDoctorCommand(program, io)
  addLedgerCommands(program, io)
  addMigrateCommands(program, io)
  addRotateCommand(program, io)
  acceptInFront(program)
  return program
}

/** `llm-proxy --json token list` is as good as `llm-proxy token list --json`. */
function acceptInFront(program: Command): void {
  for (const flags of ['--json', '--quiet', '--url <address>', '--management-token <token>']) {
    program.addOption(new Option(flags).hideHelp())
  }
  program.hook('preAction', (_program, command) => {
    const own = new Set(command.options.map((option) => option.attributeName()))
    const foreign = program.options.find(
      (option) => !own.has(option.attributeName()) && program.getOptionValue(option.attributeName()) !== undefined,
    )
    if (foreign) throw usageError(`"${pathOf(command)}" has no option ${foreign.long}.`)
  })
}

const pathOf = (command: Command): string => (command.parent ? `${pathOf(command.parent)} ` : '') + command.name()

/** What was typed may hold a key that went to the wrong place: it is not repeated where commander would. */
const withoutValues = (text: string) =>
  text.replace(/(but got \d+): .*\.$/ms, '$1.').replace(/(unknown option '--?[\w-]+)=[^']*'/s, "$1'")

const EPILOGUE = `
Without --url (or LLM_PROXY_URL) projects, tokens and provider keys are changed in the database in DATA_DIR. A gateway that runs
on it heeds the change with its next request. Exit codes: 0 done, 1 failed, 2 called wrongly.

Examples:
  llm-proxy server
  llm-proxy project create --name search --provider-key openai=-
  llm-proxy token generate --project search --duration 30d --rpm 60
  llm-proxy chat "Say hello" --token sk-…
  llm-proxy doctor`
