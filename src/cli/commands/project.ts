import type { Command } from 'commander'
import { collect, type List, type Project, withAdmin } from '../client.ts'
import { CliError, STOPPED, usageError } from '../failure.ts'
import {
  addLimitOptions,
  addSwitchOptions,
  type LimitOptions,
  limitFields,
  parseProviderKeys,
  requireChanges,
  type SwitchOptions,
  switchFields,
} from '../fields.ts'
import { confirm, type Io } from '../io.ts'
import { printJson, printRecord, printTable, say, shortTime } from '../output.ts'
import { budgetsText, limitsText, listText, metadataText } from '../rows.ts'
import {
  addPageOptions,
  addPlaceOptions,
  exampleText,
  moreHint,
  type OutputOptions,
  type PageOptions,
  toPage,
} from './shared.ts'

type CreateOptions = OutputOptions & LimitOptions & SwitchOptions & { name?: string; providerKey?: string[] }
type UpdateOptions = OutputOptions & LimitOptions & SwitchOptions & { name?: string }

export function addProjectCommands(program: Command, io: Io): void {
  const project = program.command('project').description('projects: who tokens and provider keys belong to')

  addPlaceOptions(addPageOptions(project.command('list').description('list projects, newest first')))
    .addHelpText('after', exampleText('llm-proxy project list', 'llm-proxy project list --all --json'))
    .action((_options, command: Command) => listProjects(io, command.optsWithGlobals()))

  addPlaceOptions(project.command('get <project>').description('show a project, by id or name'))
    .addHelpText('after', exampleText('llm-proxy project get search'))
    .action((ref: string, _options, command: Command) => getProject(io, ref, command.optsWithGlobals()))

  const create = project.command('create [name]').description('create a project').option('--name <text>', 'its name')
  addPlaceOptions(addLimitOptions(addSwitchOptions(create, 'its tokens')))
    .option('--provider-key <provider=key...>', 'a key of a provider; <provider>=- reads it from stdin')
    .option('--quiet', 'print the id alone')
    .addHelpText(
      'after',
      exampleText(
        'llm-proxy project create --name search',
        'llm-proxy project create --name search --provider-key openai=- < key.txt',
        'llm-proxy project create --name search --models gpt-4o,claude-* --rpm 600 --metadata team=search',
      ),
    )
    .action((name: string | undefined, _options, command: Command) =>
      createProject(io, name, command.optsWithGlobals()),
    )

  const update = project.command('update <project>').description('change a project; what is not said stays')
  addPlaceOptions(addLimitOptions(addSwitchOptions(update.option('--name <text>', 'its new name'), 'its tokens')))
    .addHelpText(
      'after',
      exampleText('llm-proxy project update search --rpm 300', 'llm-proxy project update search --inactive'),
    )
    .action((ref: string, _options, command: Command) => updateProject(io, ref, command.optsWithGlobals()))

  addPlaceOptions(project.command('delete <project>').description('delete a project with its tokens and provider keys'))
    .option('--yes', 'do not ask')
    .addHelpText('after', exampleText('llm-proxy project delete search --yes'))
    .action((ref: string, _options, command: Command) => deleteProject(io, ref, command.optsWithGlobals()))
}

async function listProjects(io: Io, options: OutputOptions & PageOptions): Promise<void> {
  const list = await withAdmin(io, options, (admin) => collect(admin.listProjects, toPage(options)))
  if (options.json) return printJson(io, list)
  if (list.data.length === 0) return say(io, 'No projects. Make one: llm-proxy project create --name <name>')
  printProjects(io, list)
}

async function getProject(io: Io, ref: string, options: OutputOptions): Promise<void> {
  show(io, await withAdmin(io, options, (admin) => admin.findProject(ref)), options)
}

async function createProject(io: Io, argument: string | undefined, options: CreateOptions): Promise<void> {
  const name = argument ?? options.name
  if (name === undefined || (argument !== undefined && options.name !== undefined)) {
    throw usageError('Say one name: llm-proxy project create --name <name>.')
  }
  const keys = options.providerKey && (await parseProviderKeys(io, options.providerKey))
  const fields = { name, ...limitFields(options), ...switchFields(options), ...(keys && { provider_keys: keys }) }
  const made = await withAdmin(io, options, (admin) => admin.createProject(fields), { create: true })
  if (options.quiet) return say(io, made.id)
  show(io, made, options)
}

async function updateProject(io: Io, ref: string, options: UpdateOptions): Promise<void> {
  const name = options.name === undefined ? {} : { name: options.name }
  const changes = requireChanges({ ...name, ...limitFields(options), ...switchFields(options) })
  const changed = await withAdmin(io, options, async (admin) => {
    const { id } = await admin.findProject(ref)
    return admin.updateProject(id, changes)
  })
  show(io, changed, options)
}

async function deleteProject(io: Io, ref: string, options: OutputOptions & { yes?: boolean }): Promise<void> {
  const { id, name } = await withAdmin(io, options, async (admin) => {
    const project = await admin.findProject(ref)
    const question = `Delete the project "${project.name}" with its tokens and provider keys?`
    if (!options.yes && !(await confirm(io, question))) throw new CliError('Nothing was deleted.', STOPPED)
    await admin.deleteProject(project.id)
    return project
  })
  if (options.json) return printJson(io, { id, deleted: true })
  say(io, `Deleted the project "${name}" (${id}) with its tokens and provider keys.`)
}

function show(io: Io, project: Project, { json }: OutputOptions): void {
  if (json) return printJson(io, project)
  printRecord(io, [
    ['id', project.id],
    ['name', project.name],
    ['state', project.is_active ? 'active' : 'inactive'],
    ['models', listText(project.allowed_models)],
    ['limits', limitsText(project.rate_limit)],
    ['budgets', budgetsText(project.budgets)],
    ['provider keys', project.provider_keys.map(keyText).join('\n')],
    ['metadata', metadataText(project.metadata)],
    ['created', shortTime(project.created_at)],
    ['updated', shortTime(project.updated_at)],
  ])
}

function printProjects(io: Io, { data, next_cursor }: List<Project>): void {
  printTable(
    io,
    ['ID', 'NAME', 'STATE', 'PROVIDER KEYS', 'LIMITS', 'CREATED'],
    data.map((project) => [
      project.id,
      project.name,
      project.is_active ? 'active' : 'inactive',
      [...new Set(project.provider_keys.map(({ provider }) => provider))].join(', '),
      limitsText(project.rate_limit),
      shortTime(project.created_at),
    ]),
  )
  const hint = moreHint(next_cursor)
  if (hint) say(io, hint)
}

const keyText = ({ id, provider, last4 }: Project['provider_keys'][number]) =>
  `${provider} ${last4 ? `…${last4} ` : ''}(${id})`
