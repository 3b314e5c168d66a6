import type { Command } from 'commander'
import { withAdmin } from '../client.ts'
import type { Io } from '../io.ts'
import { printJson, printTable, say } from '../output.ts'
import { addPlaceOptions, exampleText, type OutputOptions } from './shared.ts'

type Options = OutputOptions & { from: string; to: string; model?: string; dryRun?: boolean }

/** Below `prices`. */
export function addRepriceCommand(prices: Command, io: Io): void {
  addPlaceOptions(
    prices
      .command('reprice')
      .description('price past requests anew, after a price was mended; running budgets follow with --url only'),
  )
    .requiredOption('--from <time>', 'requests from this time or day on, as 2026-11-01')
    .requiredOption('--to <time>', 'and before this one')
    .option('--model <name>', 'of this model alone, as asked or as served; * stands for any characters')
    .option('--dry-run', 'only say what would change')
    .addHelpText(
      'after',
      exampleText(
        'llm-proxy prices reprice --from 2026-11-01 --to 2026-12-01 --dry-run',
        'llm-proxy prices reprice --from 2026-11-01 --to 2026-12-01 --model gpt-4o* --url http://127.0.0.1:8080',
      ),
    )
    .action((_options, command: Command) => reprice(io, command.optsWithGlobals()))
}

async function reprice(io: Io, { from, to, model, dryRun, ...options }: Options): Promise<void> {
  const fields = { from, to, dry_run: dryRun === true, ...(model !== undefined && { model }) }
  const result = await withAdmin(io, options, (admin) => admin.reprice(fields))
  if (options.json) return printJson(io, result)
  const { requests, changed_requests: changed, unpriced_requests: unpriced } = result
  if (changed > 0) {
    printTable(
      io,
      ['PROVIDER', 'MODEL', 'REQUESTS', 'USD BEFORE', 'USD AFTER'],
      result.models.map((one) => [
        one.provider,
        one.model,
        String(one.changed_requests),
        one.cost_usd_before,
        one.cost_usd_after,
      ]),
    )
  }
  const verb = dryRun ? 'would cost' : 'cost'
  say(
    io,
    `${changed} of ${requests} requests ${verb} something else: ${result.cost_usd_before} USD before, ${result.cost_usd_after} USD after.`,
  )
  if (unpriced > 0) say(io, `${unpriced} have no price now and stay as they are.`)
}
