import type { Command } from 'commander'
import { type Route, withAdmin } from '../client.ts'
import { CliError } from '../failure.ts'
import type { Io } from '../io.ts'
import { printJson, printRecord, printTable, say } from '../output.ts'
import { addPlaceOptions, exampleText, type OutputOptions } from './shared.ts'

export function addRouteCommands(program: Command, io: Io): void {
  const routes = program.command('routes').description('routes: where requests for a model may go')

  addPlaceOptions(routes.command('list').description('list routes: those of the configuration file, then the others'))
    .addHelpText('after', exampleText('llm-proxy routes list', 'llm-proxy routes list --json'))
    .action((_options, command: Command) => list(io, command.optsWithGlobals()))

  addPlaceOptions(routes.command('show <pattern>').description('show a route, by its pattern or id'))
    .addHelpText('after', exampleText('llm-proxy routes show gpt-4', 'llm-proxy routes show "gpt-*"'))
    .action((pattern: string, _options, command: Command) => show(io, pattern, command.optsWithGlobals()))
}

async function list(io: Io, options: OutputOptions): Promise<void> {
  const data = await withAdmin(io, options, (admin) => admin.listRoutes())
  if (options.json) return printJson(io, { data, has_more: false, next_cursor: null })
  if (data.length === 0)
    return say(io, 'No routes: each request goes to the one provider that its model names. docs/routing.md says more.')
  printTable(
    io,
    ['PATTERN', 'STRATEGY', 'TARGETS', 'ORIGIN', 'ID'],
    data.map((route) => [
      route.pattern,
      route.strategy,
      route.targets.map((target) => targetText(target, route.strategy)).join(', '),
      originText(route),
      route.id,
    ]),
  )
}

async function show(io: Io, wanted: string, options: OutputOptions): Promise<void> {
  const all = await withAdmin(io, options, (admin) => admin.listRoutes())
  // Of two of one pattern the one in force stands first.
  const route = all.find(({ pattern, id }) => pattern === wanted || id === wanted)
  if (!route) throw new CliError(`There is no route with this pattern or id: "llm-proxy routes list" shows all.`)
  if (options.json) return printJson(io, route)
  printRecord(io, [
    ['pattern', route.pattern],
    ['id', route.id],
    ['origin', originText(route)],
    ['strategy', route.strategy],
    ...route.targets.map((target, index): [string, string] => [
      `target ${index + 1}`,
      wholeText(target, route.strategy),
    ]),
    ['timeouts', timeoutsText(route.timeouts)],
    ['retries', route.max_retries],
    ['recovery', route.recovery],
    ['routes around refusals', route.routes_around_refusals ? 'yes' : 'no'],
  ])
}

type Target = Route['targets'][number]

const originText = ({ origin, in_force }: Route) => (in_force ? origin : `${origin} (not in force: the file has one)`)

const targetText = ({ provider, model, weight }: Target, strategy: string) => {
  const name = model === null ? provider : `${provider}:${model}`
  return strategy === 'weighted' || weight !== 1 ? `${name} (${weight})` : name
}

const wholeText = (target: Target, strategy: string) =>
  [targetText(target, strategy), timeoutsText(target.timeouts)].filter(Boolean).join(', ')

/** `first token 3000 ms, total 9000 ms` */
function timeoutsText(timeouts: Route['timeouts']): string | null {
  if (timeouts === null) return null
  return Object.entries(timeouts)
    .flatMap(([name, ms]) => (ms === null ? [] : `${name.replace(/_ms$/, '').replaceAll('_', ' ')} ${ms} ms`))
    .join(', ')
}
