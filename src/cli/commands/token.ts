import type { Command } from 'commander'
import { type Admin, type CreatedToken, collect, type Token, withAdmin } from '../client.ts'
import { usageError } from '../failure.ts'
import {
  addSwitchOptions,
  addTokenOptions,
  requireChanges,
  type SwitchOptions,
  switchFields,
  type TokenOptions,
  tokenFields,
} from '../fields.ts'
import type { Io } from '../io.ts'
import { printJson, printRecord, printTable, say, shortTime } from '../output.ts'
import { budgetsText, limitsText, listText, metadataText, tokenState, usesText } from '../rows.ts'
import {
  addPageOptions,
  addPlaceOptions,
  exampleText,
  moreHint,
  type OutputOptions,
  type PageOptions,
  toPage,
} from './shared.ts'

type ListOptions = OutputOptions & PageOptions & { project?: string; activeOnly?: boolean }
type GenerateOptions = OutputOptions & TokenOptions & { project?: string }
type UpdateOptions = OutputOptions & TokenOptions & SwitchOptions

export function addTokenCommands(program: Command, io: Io): void {
  const token = program.command('token').description('proxy tokens: what clients send instead of a provider key')

  addPlaceOptions(addPageOptions(token.command('list').description('list tokens, newest first')))
    .option('--project <id|name>', 'those of one project')
    .option('--active-only', 'those that work now')
    .addHelpText('after', exampleText('llm-proxy token list --project search --active-only'))
    .action((_options, command: Command) => listTokens(io, command.optsWithGlobals()))

  addPlaceOptions(token.command('get <id>').description('show a token'))
    .addHelpText('after', exampleText('llm-proxy token get tok_V1StGXR8_Z5jdHi6B-myT'))
    .action((id: string, _options, command: Command) => getToken(io, id, command.optsWithGlobals()))

  const generate = token.command('generate').alias('create').description('make a token; it is shown this once')
  addPlaceOptions(
    addTokenOptions(generate.option('--project <id|name>', 'whose it is; the project "default" if left out')),
  )
    .option('--quiet', 'print the token alone')
    .addHelpText(
      'after',
      exampleText(
        'llm-proxy token generate --project search --duration 30d',
        'llm-proxy token generate --name ci --expires 2027-01-01T00:00:00Z --models gpt-4o* --rpm 60 --concurrent 4',
        'TOKEN=$(llm-proxy token generate --quiet --max-requests 100)',
      ),
    )
    .action((_options, command: Command) => generateToken(io, command.optsWithGlobals()))

  const update = token.command('update <id>').description('change a token; what is not said stays')
  addPlaceOptions(addTokenOptions(addSwitchOptions(update, 'it')))
    .addHelpText(
      'after',
      exampleText(
        'llm-proxy token update tok_V1StGXR8_Z5jdHi6B-myT --rpm none --duration 7d',
        'llm-proxy token update tok_V1StGXR8_Z5jdHi6B-myT --inactive',
      ),
    )
    .action((id: string, _options, command: Command) => updateToken(io, id, command.optsWithGlobals()))

  addPlaceOptions(token.command('revoke [id]').description('stop a token, or all of a project, for good'))
    .option('--all-of <project>', 'every token of this project')
    .addHelpText(
      'after',
      exampleText('llm-proxy token revoke tok_V1StGXR8_Z5jdHi6B-myT', 'llm-proxy token revoke --all-of search'),
    )
    .action((id: string | undefined, _options, command: Command) => revokeTokens(io, id, command.optsWithGlobals()))

  addPlaceOptions(token.command('delete <id>').description('delete a token; its requests stay in the ledger'))
    .addHelpText('after', exampleText('llm-proxy token delete tok_V1StGXR8_Z5jdHi6B-myT'))
    .action((id: string, _options, command: Command) => deleteToken(io, id, command.optsWithGlobals()))
}

async function listTokens(io: Io, options: ListOptions): Promise<void> {
  const { list, names } = await withAdmin(io, options, async (admin) => {
    const projectId = options.project === undefined ? undefined : (await admin.findProject(options.project)).id
    const filter = { projectId, activeOnly: options.activeOnly }
    const list = await collect((page) => admin.listTokens(filter, page), toPage(options))
    return { list, names: options.json ? new Map<string, string>() : await projectNames(admin, list.data) }
  })
  if (options.json) return printJson(io, list)
  if (list.data.length === 0) return say(io, 'No tokens. Make one: llm-proxy token generate')
  const now = io.now()
  printTable(
    io,
    ['ID', 'NAME', 'PROJECT', 'TOKEN', 'STATE', 'EXPIRES', 'REQUESTS', 'LAST USED'],
    list.data.map((token) => [
      token.id,
      token.name,
      names.get(token.project_id) ?? token.project_id,
      `…${token.last4}`,
      tokenState(token, now),
      token.expires_at && shortTime(token.expires_at),
      usesText(token),
      token.last_used_at && shortTime(token.last_used_at),
    ]),
  )
  const hint = moreHint(list.next_cursor)
  if (hint) say(io, hint)
}

async function projectNames(admin: Admin, tokens: Token[]): Promise<Map<string, string>> {
  const ids = new Set(tokens.map(({ project_id }) => project_id))
  const { data } = ids.size > 0 ? await collect(admin.listProjects, { limit: Number.POSITIVE_INFINITY }) : { data: [] }
  return new Map(data.map(({ id, name }) => [id, name]))
}

async function getToken(io: Io, id: string, options: OutputOptions): Promise<void> {
  requireId(id)
  show(io, await withAdmin(io, options, (admin) => admin.getToken(id)), options)
}

async function generateToken(io: Io, options: GenerateOptions): Promise<void> {
  const { project, made, place } = await withAdmin(
    io,
    options,
    async (admin) => {
      const project = await (options.project === undefined
        ? admin.defaultProject()
        : admin.findProject(options.project))
      // Before the token is there: what fails behind it would take its only showing with it.
      const place = await admin.firstRequest()
      return { project, place, made: await admin.createToken({ project_id: project.id, ...tokenFields(options) }) }
    },
    { create: true },
  )
  if (options.quiet) return say(io, made.token)
  if (options.json) return printJson(io, made)
  const until = made.expires_at === null ? 'never expires' : `until ${shortTime(made.expires_at)}`
  say(io, `Token ${made.id} of the project "${project.name}" (${until}). It is shown this once:\n`)
  say(io, `  ${made.token}\n`)
  say(io, `Try it:\n\n${curlFor(made, place)}`)
}

/** A request that works: the demo model, the token's own one, or else the list of models. */
function curlFor({ token, allowed_models }: CreatedToken, { url, demo }: { url: string; demo: boolean }): string {
  const own = allowed_models?.find((model) => !model.includes('*'))
  const model = own ?? (demo && allowed_models === null ? 'demo' : null)
  if (model === null) return `  curl ${url}/v1/models -H "Authorization: Bearer ${token}"`
  const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello!' }] })
  return [
    `  curl ${url}/v1/chat/completions \\`,
    `    -H "Authorization: Bearer ${token}" \\`,
    '    -H "Content-Type: application/json" \\',
    `    -d ${shellQuote(body)}`,
  ].join('\n')
}

const shellQuote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`

async function updateToken(io: Io, id: string, options: UpdateOptions): Promise<void> {
  requireId(id)
  const changes = requireChanges({ ...tokenFields(options), ...switchFields(options) })
  show(io, await withAdmin(io, options, (admin) => admin.updateToken(id, changes)), options)
}

async function revokeTokens(
  io: Io,
  id: string | undefined,
  options: OutputOptions & { allOf?: string },
): Promise<void> {
  const { allOf } = options
  if (id !== undefined && allOf === undefined) {
    requireId(id)
    const revoked = await withAdmin(io, options, (admin) => admin.revokeToken(id))
    if (options.json) return printJson(io, revoked)
    return say(io, `Revoked the token ${revoked.id}${revoked.name ? ` (${revoked.name})` : ''}: it works no more.`)
  }
  if (id !== undefined || allOf === undefined) throw usageError('Say a token id, or --all-of <project>.')
  const revoked = await withAdmin(io, options, async (admin) =>
    admin.revokeProjectTokens((await admin.findProject(allOf)).id),
  )
  if (options.json) return printJson(io, { revoked })
  say(io, `Revoked ${revoked} ${revoked === 1 ? 'token' : 'tokens'}.`)
}

async function deleteToken(io: Io, id: string, options: OutputOptions): Promise<void> {
  requireId(id)
  const gone = await withAdmin(io, options, async (admin) => {
    // Deleting what is not there is no error to the gateway; here it is a slip of the finger.
    const token = await admin.getToken(id)
    await admin.deleteToken(token.id)
    return token
  })
  if (options.json) return printJson(io, { id: gone.id, deleted: true })
  say(io, `Deleted the token ${gone.id}${gone.name ? ` (${gone.name})` : ''}.`)
}

/** Throws `CliError` for a token in place of its id: it would end up in a URL, and from there in logs. */
function requireId(id: string): void {
  if (!id.startsWith('sk-')) return
  throw usageError(
    'That is a token and not its id (tok_…): "llm-proxy token list" shows the ids with the last four characters.',
  )
}

function show(io: Io, token: Token, { json }: OutputOptions): void {
  if (json) return printJson(io, token)
  printRecord(io, [
    ['id', token.id],
    ['name', token.name],
    ['project', token.project_id],
    ['token', `…${token.last4}`],
    ['state', tokenState(token, io.now())],
    ['expires', token.expires_at && shortTime(token.expires_at)],
    ['revoked', token.revoked_at && shortTime(token.revoked_at)],
    ['requests', usesText(token)],
    ['last used', token.last_used_at && shortTime(token.last_used_at)],
    ['limits', limitsText(token.rate_limit)],
    ['budgets', budgetsText(token.budgets)],
    ['models', listText(token.allowed_models)],
    ['endpoints', listText(token.allowed_endpoints)],
    ['addresses', listText(token.allowed_ips)],
    ['metadata', metadataText(token.metadata)],
    ['created', shortTime(token.created_at)],
    ['updated', shortTime(token.updated_at)],
  ])
}
