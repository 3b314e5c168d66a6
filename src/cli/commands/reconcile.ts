import { createReadStream } from 'node:fs'
import { resolve } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { PROVIDER_NAMES } from '../../providers/index.ts'
import type { Export } from '../../usage/reconcile/export.ts'
import { type Admin, type AdminOptions, withAdmin } from '../client.ts'
import { CliError, usageError } from '../failure.ts'
import type { Io } from '../io.ts'
import { printJson, say } from '../output.ts'
import type { Report } from '../reconcile-report.ts'
import { addAddressOptions, exampleText } from './shared.ts'

type Options = AdminOptions & { provider: string; file: string; tolerance: number; all?: boolean; json?: boolean }

export function addReconcileCommand(ledger: Command, io: Io): void {
  addAddressOptions(
    ledger
      .command('reconcile')
      .description(
        "compare the ledger with a provider's own usage or cost export, by day and model; exit 1 when they differ",
      )
      .requiredOption('--provider <name>', `whose export it is: ${PROVIDER_NAMES.join(', ')}`)
      .requiredOption('--file <path>', 'the export: JSON of OpenAI or Anthropic, or CSV')
      .option('--tolerance <percent>', "how far apart two figures may be, in percent of the provider's", percent, 0.5)
      .option('--all', 'print what agrees, too')
      .option('--json', 'print JSON'),
  )
    .addHelpText(
      'after',
      exampleText(
        'llm-proxy ledger reconcile --provider openai --file usage.json',
        'llm-proxy ledger reconcile --provider anthropic --file costs.csv --tolerance 2 --all',
      ),
    )
    .action((_options, command: Command) => reconcile(io, command.optsWithGlobals()))
}

async function reconcile(io: Io, { provider, file, tolerance, all = false, json, ...options }: Options): Promise<void> {
  if (!(PROVIDER_NAMES as readonly string[]).includes(provider)) {
    throw usageError(`There is no provider "${provider}": --provider takes ${PROVIDER_NAMES.join(', ')}.`)
  }
  const exports = await readExports(io, file)
  requireOwn(exports, provider, file)
  const { presentReport, printReport } = await import('../reconcile-report.ts')
  const reports = await withAdmin(io, options, (admin) => compareAll(admin, exports, provider, tolerance, io.now()))
  if (json) {
    const exports = reports.map((report) => presentReport(report, all))
    printJson(io, { provider, tolerance_percent: tolerance, exports })
  } else {
    for (const [i, report] of reports.entries()) {
      if (i > 0) say(io)
      printReport(io, report, all)
    }
  }
  const count = reports.reduce((sum, { drifts }) => sum + drifts.size, 0)
  if (count === 0) return
  const figures = count === 1 ? 'One figure differs' : `${count} figures differ`
  throw new CliError(`${figures} from the export of ${provider} by more than ${tolerance} %.`)
}

function requireOwn(exports: Export[], provider: string, file: string): void {
  const foreign = exports.find((one) => one.provider !== null && one.provider !== provider)
  if (!foreign) return
  throw usageError(
    `${file} is ${foreign.format} (${foreign.provider}), and --provider says ${provider}: say the one whose export it is.`,
  )
}

async function compareAll(admin: Admin, exports: Export[], provider: string, tolerance: number, now: number) {
  const { compare } = await import('../../usage/reconcile/compare.ts')
  const { LEDGER_GROUPS, toLedgerSums } = await import('../../usage/reconcile/ledger-sums.ts')
  const { toReport } = await import('../reconcile-report.ts')
  const reports: Report[] = []
  for (const one of exports) {
    const rows = await admin.usage({ groupBy: LEDGER_GROUPS, provider, from: one.from, to: one.to })
    reports.push(toReport(one, compare(one, rows.map(toLedgerSums), provider), tolerance, now))
  }
  return reports
}

const MAX_MB = 64

/** Throws `CliError`. */
async function readExports(io: Io, file: string): Promise<Export[]> {
  const { readExport } = await import('../../usage/reconcile/read-export.ts')
  const { ExportError } = await import('../../usage/reconcile/export.ts')
  const bytes = await readBytes(resolve(io.cwd, file), file)
  try {
    return readExport(bytes)
  } catch (error) {
    if (error instanceof ExportError) throw new CliError(`${file}: ${error.message}`, undefined, { cause: error })
    throw error
  }
}

async function readBytes(path: string, file: string): Promise<Buffer> {
  const pieces: Buffer[] = []
  let bytes = 0
  try {
    for await (const piece of createReadStream(path) as AsyncIterable<Buffer>) {
      pieces.push(piece)
      bytes += piece.length
      if (bytes <= MAX_MB * 1024 * 1024) continue
      throw new CliError(
        `${file} is larger than ${MAX_MB} MB: export fewer days, or days instead of hours, and compare one after the other.`,
      )
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EISDIR')
      throw new CliError(`${file} is a folder: say the file in it.`)
    throw error
  }
  return Buffer.concat(pieces)
}

function percent(text: string): number {
  if (!/^\d{1,3}(?:\.\d{1,6})?$/.test(text))
    throw new InvalidArgumentError('It must be a percentage, such as 0, 0.5 or 10.')
  return Number(text)
}
