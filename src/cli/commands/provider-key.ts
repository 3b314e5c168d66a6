import type { Command } from 'commander'
import { type Admin, collect, type Project, withAdmin } from '../client.ts'
import { CliError, usageError } from '../failure.ts'
import { parseProviderKeys } from '../fields.ts'
import type { Io } from '../io.ts'
import { printJson, printTable, say, shortTime } from '../output.ts'
import { addPlaceOptions, exampleText, type OutputOptions } from './shared.ts'

type OfProject = OutputOptions & { project?: string }
type AddOptions = OutputOptions & { project: string; weight?: string }

export function addProviderKeyCommands(program: Command, io: Io): void {
  const providerKey = program.command('provider-key').description('keys of providers that belong to a project')

  addPlaceOptions(
    providerKey.command('add <provider=key>').description('give a project a key; <provider>=- reads it from stdin'),
  )
    .requiredOption('--project <id|name>', 'whose it is')
    .option('--weight <n>', 'its share of the requests among several keys of one provider (1)')
    .option('--quiet', 'print the id alone')
    .addHelpText(
      'after',
      exampleText(
        'llm-proxy provider-key add openai=- --project search < key.txt',
        'llm-proxy provider-key add anthropic=- --project search   # asks, and shows nothing of it',
      ),
    )
    .action((text: string, _options, command: Command) => addKey(io, text, command.optsWithGlobals()))

  addPlaceOptions(providerKey.command('list').description('list provider keys'))
    .option('--project <id|name>', 'those of one project')
    .addHelpText('after', exampleText('llm-proxy provider-key list'))
    .action((_options, command: Command) => listKeys(io, command.optsWithGlobals()))

  addPlaceOptions(providerKey.command('delete <id>').description('delete a provider key'))
    .option('--project <id|name>', 'whose it is; looked for when left out')
    .addHelpText('after', exampleText('llm-proxy provider-key delete key_V1StGXR8_Z5jdHi6B-myT'))
    .action((id: string, _options, command: Command) => deleteKey(io, id, command.optsWithGlobals()))
}

async function addKey(io: Io, text: string, options: AddOptions): Promise<void> {
  const weight = options.weight === undefined ? undefined : Number(options.weight)
  if (Number.isNaN(weight)) throw usageError('--weight must be a number.')
  const [key] = await parseProviderKeys(io, [text])
  const made = await withAdmin(io, options, async (admin) => {
    const { id } = await admin.findProject(options.project)
    return admin.addProviderKey(id, { ...key, ...(weight !== undefined && { weight }) })
  })
  if (options.quiet) return say(io, made.id)
  if (options.json) return printJson(io, made)
  say(io, `Added the ${made.provider} key ${made.last4 ? `…${made.last4} ` : ''}(${made.id}).`)
}

async function listKeys(io: Io, options: OfProject): Promise<void> {
  const projects = await withAdmin(io, options, (admin) => projectsOf(admin, options))
  const keys = projects.flatMap((project) => project.provider_keys.map((key) => ({ ...key, project: project.name })))
  if (options.json) return printJson(io, { data: keys.map(({ project, ...key }) => key) })
  if (keys.length === 0)
    return say(io, 'No provider keys. Add one: llm-proxy provider-key add openai=- --project <project>')
  printTable(
    io,
    ['ID', 'PROJECT', 'PROVIDER', 'KEY', 'WEIGHT', 'CREATED'],
    keys.map(({ id, project, provider, last4, weight, created_at }) => [
      id,
      project,
      provider,
      last4 && `…${last4}`,
      weight,
      shortTime(created_at),
    ]),
  )
}

async function deleteKey(io: Io, id: string, options: OfProject): Promise<void> {
  const key = await withAdmin(io, options, async (admin) => {
    const projects = await projectsOf(admin, options)
    const found = projects.flatMap((project) => project.provider_keys).find((key) => key.id === id)
    if (!found)
      throw new CliError('There is no such provider key: "llm-proxy provider-key list" shows those there are.')
    await admin.deleteProviderKey(found.project_id, found.id)
    return found
  })
  if (options.json) return printJson(io, { id: key.id, deleted: true })
  say(io, `Deleted the ${key.provider} key ${key.last4 ? `…${key.last4} ` : ''}(${key.id}).`)
}

async function projectsOf(admin: Admin, { project }: OfProject): Promise<Project[]> {
  if (project !== undefined) return [await admin.findProject(project)]
  return (await collect(admin.listProjects, { limit: Number.POSITIVE_INFINITY })).data
}
