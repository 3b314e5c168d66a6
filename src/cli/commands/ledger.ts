import type { Command } from 'commander'
import type { Drift } from '../../store/store.ts'
import { CliError } from '../failure.ts'
import type { Io } from '../io.ts'
import { loadConfiguration, openLocalStore } from '../local.ts'
import { printJson, printTable, say } from '../output.ts'
import { addReconcileCommand } from './reconcile.ts'
import { exampleText } from './shared.ts'

type Options = { json?: boolean; repair?: boolean }

export function addLedgerCommands(program: Command, io: Io): void {
  const ledger = program.command('ledger').description('the ledger in DATA_DIR')
  addReconcileCommand(ledger, io)
  ledger
    .command('verify')
    .description('check that rows, sums and request counts agree; exit 1 when they do not')
    .option('--repair', 'build what is wrong anew from the rows; stop the gateway first')
    .option('--json', 'print JSON')
    .addHelpText('after', exampleText('llm-proxy ledger verify', 'llm-proxy ledger verify --repair'))
    .action((_options, command: Command) => verify(io, command.optsWithGlobals()))
}

async function verify(io: Io, { json, repair }: Options): Promise<void> {
  const { config } = await loadConfiguration(io)
  const store = await openLocalStore(config)
  try {
    const found = await store.ledger.verify()
    const broken = [...new Set(found.flatMap(({ month }) => month ?? []))]
    const failed = repair && found.length > 0 ? await store.ledger.repair(broken) : []
    const repaired = repair ? broken.filter((month) => !failed.some((one) => one.month === month)) : []
    const left = repair && found.length > 0 ? await store.ledger.verify() : found
    if (json) printJson(io, { drift: left, repaired, failed })
    else report(io, { drift: left, repaired, failed, canRepair: !repair })
    if (left.length > 0) throw new CliError(`The ledger does not add up in ${left.length} places.`)
  } finally {
    await store.close()
  }
}

type Report = { drift: Drift[]; repaired: string[]; failed: { month: string; reason: string }[]; canRepair: boolean }

function report(io: Io, { drift, repaired, failed, canRepair }: Report): void {
  if (repaired.length > 0) say(io, `Built anew from its rows: ${repaired.join(', ')}`)
  for (const { month, reason } of failed) say(io, `Not mended: ${month}. ${reason}`)
  if (drift.length === 0) return say(io, 'The ledger adds up.')
  printTable(
    io,
    ['MONTH', 'TABLE', 'OF', 'FIELD', 'BY THE ROWS', 'FOUND'],
    drift.map(({ month, table, key, field, expected, found }) => [month, table, key, field, expected, found]),
  )
  if (canRepair) say(io, 'Stop the gateway, then: llm-proxy ledger verify --repair')
}
