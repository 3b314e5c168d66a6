import type { Command } from 'commander'
import type { Check } from '../doctor/check.ts'
import { CliError } from '../failure.ts'
import type { Io } from '../io.ts'
import { printJson, printTable, say, styled } from '../output.ts'
import { exampleText } from './shared.ts'

export function addDoctorCommand(program: Command, io: Io): void {
  program
    .command('doctor')
    .description('look at all that a gateway started here needs, and say what to do')
    .option('--json', 'print JSON')
    .addHelpText('after', exampleText('llm-proxy doctor', 'llm-proxy doctor --json'))
    .action((_options, command: Command) => runDoctor(io, command.optsWithGlobals()))
}

async function runDoctor(io: Io, { json }: { json?: boolean }): Promise<void> {
  const { examine } = await import('../doctor/examine.ts')
  const checks = await examine(io)
  const failed = checks.filter(({ status }) => status === 'failure').length
  if (json) printJson(io, { ok: failed === 0, checks })
  else printChecks(io, checks)
  if (failed > 0) throw new CliError(`${failed} ${failed === 1 ? 'check' : 'checks'} failed.`)
  const warnings = checks.filter(({ status }) => status === 'warning').length
  if (!json) say(io, `\nNothing is broken${warnings > 0 ? `; ${warnings} to look at` : ''}.`)
}

function printChecks(io: Io, checks: Check[]): void {
  printTable(
    io,
    ['', 'CHECK', 'RESULT'],
    checks.map(({ name, status, detail, advice }) => [
      MARKS[status](io),
      name,
      advice === null ? detail : `${detail}\n→ ${advice}`,
    ]),
  )
}

const MARKS: Record<Check['status'], (io: Io) => string> = {
  ok: (io) => styled(io, 'green', '✓'),
  warning: (io) => styled(io, 'yellow', '!'),
  failure: (io) => styled(io, 'red', '✗'),
  skipped: (io) => styled(io, 'dim', '–'),
}
