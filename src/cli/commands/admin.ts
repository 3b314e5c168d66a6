import { type Command, Option } from 'commander'
import type { AdminUserView } from '../admin-users.ts'
import { CliError, STOPPED, usageError } from '../failure.ts'
import { confirm, type Io, readPassword } from '../io.ts'
import { printJson, printTable, say, shortTime } from '../output.ts'
import { exampleText } from './shared.ts'

type Options = { json?: boolean; passwordStdin?: boolean }
type CreateOptions = Options & { role?: string; project?: string; singleSignOn?: boolean }

export function addAdminCommands(program: Command, io: Io): void {
  const admin = program.command('admin').description('users of the admin console, in the database in DATA_DIR')
  const add = (usage: string, description: string, ...examples: string[]) =>
    admin
      .command(usage)
      .description(description)
      .option('--json', 'print JSON, as the management API has it')
      .addHelpText('after', exampleText(...examples))

  addPasswordOption(
    add('create <name>', 'create a user; the first is an owner', 'llm-proxy admin create ann@example.com --role admin'),
  )
    .addOption(
      new Option('--role <role>', 'what the user may do; viewer when left out').choices(['owner', 'admin', 'viewer']),
    )
    .option('--project <id|name>', 'of a viewer: the only project that is seen')
    .option('--single-sign-on', 'without a password: the user signs in with OpenID Connect')
    .action((name: string, _options, command: Command) => create(io, name, command.optsWithGlobals()))

  add('list', 'list users', 'llm-proxy admin list').action((_options, command: Command) =>
    list(io, command.optsWithGlobals()),
  )

  addPasswordOption(
    add(
      'reset-password <user>',
      'give a user a new password, which ends the sessions',
      'llm-proxy admin reset-password ann@example.com',
    ),
  ).action(async (user: string, _options, command: Command) => {
    const options: Options = command.optsWithGlobals()
    const password = await readPassword(io, 'New password', options.passwordStdin)
    await change(io, user, { password }, options, 'has a new password; all sessions are ended')
  })

  const changes: [usage: string, description: string, fields: object, done: string][] = [
    [
      'disable',
      'let a user in no more, from now on',
      { is_active: false },
      'is let in no more; all sessions are ended',
    ],
    ['enable', 'let a user in again', { is_active: true }, 'is let in again'],
    [
      'reset-totp',
      'take the second factor of a user away, who lost it',
      { second_factor: false },
      'has no second factor any more',
    ],
  ]
  for (const [name, description, fields, done] of changes) {
    add(`${name} <user>`, description, `llm-proxy admin ${name} ann@example.com`).action(
      (user: string, _options, command: Command) => change(io, user, fields, command.optsWithGlobals(), done),
    )
  }

  add('remove <user>', 'delete a user', 'llm-proxy admin remove ann@example.com')
    .option('--yes', 'do not ask')
    .action((user: string, _options, command: Command) => remove(io, user, command.optsWithGlobals()))

  add('setup-link', 'print the link that makes the first user', 'llm-proxy admin setup-link').action(
    (_options, command: Command) => setupLink(io, command.optsWithGlobals()),
  )
}

const addPasswordOption = (command: Command) =>
  command.option('--password-stdin', 'read the password from stdin; at a terminal it is asked for')

const open = async (io: Io, options?: { create: boolean }) => {
  const { openAdminUsers } = await import('../admin-users.ts')
  return openAdminUsers(io, options)
}

async function create(io: Io, name: string, options: CreateOptions): Promise<void> {
  const { role, project, singleSignOn, passwordStdin, json } = options
  if (singleSignOn && passwordStdin) throw usageError('Say --single-sign-on or --password-stdin, not both.')
  const password = singleSignOn ? null : await readPassword(io, 'Password', passwordStdin)
  const users = await open(io, { create: true })
  try {
    const user = await users.create({ name, role, project, password })
    if (json) return printJson(io, user)
    say(io, `Created the ${user.role} ${user.name} (${user.id}).`)
  } finally {
    await users.close()
  }
}

async function list(io: Io, { json }: Options): Promise<void> {
  const users = await open(io)
  const data = await users.list().finally(users.close)
  if (json) return printJson(io, { data })
  if (data.length === 0) return say(io, 'No admin users. Create one: llm-proxy admin create <name>')
  printTable(
    io,
    ['NAME', 'ROLE', 'PROJECT', 'STATE', 'SIGNS IN WITH', 'LAST SIGN-IN', 'ID'],
    data.map((user) => [
      user.name,
      user.role,
      user.project_id,
      user.is_active ? 'active' : 'disabled',
      waysOf(user),
      user.last_sign_in_at && shortTime(user.last_sign_in_at),
      user.id,
    ]),
  )
}

function waysOf({ has_password, single_sign_on, second_factor }: AdminUserView): string {
  const password = second_factor ? 'password and code' : 'password'
  return [has_password && password, (single_sign_on || !has_password) && 'single sign-on'].filter(Boolean).join(', ')
}

async function change(io: Io, wanted: string, fields: object, { json }: Options, done: string): Promise<void> {
  const users = await open(io)
  const user = await users.update(wanted, fields).finally(users.close)
  if (json) return printJson(io, user)
  say(io, `${user.name} ${done}.`)
}

async function remove(io: Io, wanted: string, { json, yes }: Options & { yes?: boolean }): Promise<void> {
  const users = await open(io)
  try {
    const user = await users.find(wanted)
    if (!yes && !(await confirm(io, `Delete the admin user ${user.name}?`))) throw new CliError('Stopped.', STOPPED)
    await users.remove(user.id)
    if (json) return printJson(io, { id: user.id, deleted: true })
    say(io, `Deleted ${user.name}.`)
  } finally {
    await users.close()
  }
}

async function setupLink(io: Io, { json }: Options): Promise<void> {
  const users = await open(io)
  const link = await users.setupLink().finally(users.close)
  if (json) return printJson(io, { url: link })
  say(io, link)
}
