import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { type Explanation, withAdmin } from '../client.ts'
import { CliError } from '../failure.ts'
import type { Io } from '../io.ts'
import { printJson, printRecord, printTable, say } from '../output.ts'
import { addPlaceOptions, exampleText, type OutputOptions } from './shared.ts'

type Options = OutputOptions & {
  token?: string
  project?: string
  model?: string
  request?: string
  endpoint?: string
  header: string[]
}

const collectHeader = (header: string, before: string[]) => [...before, header]

export function addExplainCommand(program: Command, io: Io): void {
  addPlaceOptions(
    program
      .command('explain')
      .description('tell where a request would go, and what it may cost, without sending it')
      .option('--token <id>', 'whose request it would be')
      .option('--project <id>', 'the same, for any token of a project')
      .option('--model <name>', 'the model, when that is all that matters')
      .option('--request <file>', 'the whole body as JSON, in a file; - reads standard input')
      .option('--endpoint <path>', 'the path', '/v1/chat/completions')
      .option('--header <name:value>', 'a header of it; may be given several times', collectHeader, []),
  )
    .addHelpText(
      'after',
      exampleText(
        'llm-proxy explain --url http://127.0.0.1:8080 --token tok_V1StGXR8_Z5jdHi6B-myT --model gpt-4',
        'llm-proxy explain --url http://127.0.0.1:8080 --token tok_V1StGXR8_Z5jdHi6B-myT --model gpt-4 --json',
      ),
    )
    .action((_options, command: Command) => explain(io, command.optsWithGlobals()))
}

async function explain(io: Io, options: Options): Promise<void> {
  if ((options.token === undefined) === (options.project === undefined))
    throw new CliError('Say whose request it would be: --token <id> or --project <id>.')
  const fields = {
    ...(options.token !== undefined ? { token_id: options.token } : { project_id: options.project }),
    endpoint: options.endpoint,
    headers: Object.fromEntries(options.header.map(toHeader)),
    request: readRequest(options),
  }
  const told = await withAdmin(io, options, (admin) => admin.explain(fields))
  if (options.json) return printJson(io, told)
  print(io, told)
}

function toHeader(header: string): [string, string] {
  const colon = header.indexOf(':')
  if (colon < 1) throw new CliError(`A header is name:value, not ${JSON.stringify(header)}.`)
  return [header.slice(0, colon).trim(), header.slice(colon + 1).trim()]
}

function readRequest({ request, model }: Options): Record<string, unknown> {
  if (request === undefined) {
    if (model === undefined) throw new CliError('Say what would be asked for: --model <name> or --request <file>.')
    return { model, messages: [{ role: 'user', content: 'Hello' }] }
  }
  try {
    const value: unknown = JSON.parse(readFileSync(request === '-' ? 0 : request, 'utf8'))
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return { ...value, ...(model !== undefined && { model }) }
  } catch (cause) {
    throw new CliError(`${request} cannot be read as JSON: ${(cause as Error).message}`)
  }
  throw new CliError(`${request} must hold a JSON object.`)
}

function print(io: Io, told: Explanation): void {
  printRecord(io, [
    ['model', told.model],
    ['rule', told.rule],
    ['route', told.route],
    ['strategy', told.strategy],
    ['retries', told.max_retries],
    ['recovery', told.recovery],
  ])
  if (told.error)
    return say(io, `\nIt would be refused with ${told.error.status} ${told.error.code}: ${told.error.message}`)
  say(io, '')
  printTable(
    io,
    ['STEP', 'PROVIDER', 'MODEL', 'KEY', 'COST AT MOST', 'DROPPED', 'REMARKS'],
    told.stops.map((stop) => [
      String(stop.step),
      stop.provider,
      stop.model,
      stop.key_id,
      stop.highest_cost_usd === null ? 'unpriced' : `$${stop.highest_cost_usd}`,
      stop.dropped.join(', '),
      remarksOn(stop),
    ]),
  )
}

function remarksOn(stop: Explanation['stops'][number]): string {
  if (stop.error) return `cannot be asked: ${stop.error.message}`
  const remarks = [
    stop.translated ? `translated to ${stop.dialect}` : null,
    stop.takes_requests ? null : 'breaker open',
    stop.key_rests_until === null ? null : `key rests until ${stop.key_rests_until}`,
  ]
  return remarks.filter((remark) => remark !== null).join('; ')
}
