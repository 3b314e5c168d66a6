import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { given } from './given.ts'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

const COMMANDS = [
  'server',
  'chat',
  ...['list', 'get', 'create', 'update', 'delete'].map((verb) => `project ${verb}`),
  ...['list', 'get', 'generate', 'update', 'revoke', 'delete'].map((verb) => `token ${verb}`),
  ...['add', 'list', 'delete'].map((verb) => `provider-key ${verb}`),
  ...['verify', 'reconcile'].map((verb) => `ledger ${verb}`),
  ...['status', 'up', 'version'].map((verb) => `migrate ${verb}`),
  'config check',
  'rotate-encryption-key',
  'doctor',
]

describe('the command line', () => {
  it('prints the version of package.json', async () => {
    expect(await given().cli('--version')).toEqual({ code: 0, out: `${version}\n`, err: '' })
  })

  it.each(COMMANDS)('has help with an example for %s', async (command) => {
    const { code, out, err } = await given().cli(`${command} --help`)
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toContain(`Usage: llm-proxy ${command}`)
    expect(out).toMatch(new RegExp(`Examples:\n[\\s\\S]*llm-proxy ${command}`))
  })

  it('takes options before the command as well as behind it', async () => {
    const { cli, json } = given()
    await json('project create a')
    expect(JSON.parse((await cli('--json project list')).out)).toEqual(await json('project list'))
  })

  it('refuses an option that the command does not have, wherever it stands', async () => {
    const { cli } = given()
    const refused = { code: 2, out: '', err: 'error: "llm-proxy migrate up" has no option --url.\n' }
    expect(await cli('migrate up --url http://127.0.0.1:8080')).toEqual(refused)
    expect(await cli('--url http://127.0.0.1:8080 migrate up')).toEqual(refused)
  })

  it.each([
    ['an unknown command', 'tokn list', "error: unknown command 'tokn'"],
    ['an unknown option', 'token list --jsn', "error: unknown option '--jsn'"],
    ['a missing argument', 'token get', "error: missing required argument 'id'"],
    ['a number that is none', 'token generate --rpm many', 'It must be a whole number from 1 on.'],
    ['two ends of a token', 'token generate --expires 2099-01-01 --duration 1h', 'cannot be used with option'],
    ['on and off at once', 'project update a --active --inactive', 'cannot be used with option'],
    [
      'a length of time without its unit',
      'token generate --duration 30',
      'It must be a time such as 90m, 24h, 30d or 4w',
    ],
    ['nothing to change', 'token update tok_1', 'error: Say what to change'],
    ['no name', 'project create', 'error: Say one name'],
    ['metadata without its name', 'token generate --metadata x', '--metadata takes key=value'],
    ['an address that is none', 'project list --url gateway', '--url must be the address of a gateway'],
    ['an empty address', ['project', 'list', '--url', ''], '--url must be the address of a gateway'],
    ['a token in place of its id', `token revoke sk-${'x'.repeat(43)}`, 'That is a token and not its id'],
    ['a management token without an address', 'project list --management-token x', 'say its address with --url too'],
  ])('exits with 2 and one line for %s', async (_name, line, complaint) => {
    const { code, out, err } = await given().cli(line)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain(complaint)
    expect(err).not.toContain('    at ')
  })

  it('exits with 2 and the help for half a command', async () => {
    const { code, out, err } = await given().cli('token')
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain('Usage: llm-proxy token')
  })
})

describe('a secret that is typed in the wrong place', () => {
  const secret = 'my0wnSecretWithoutAShape'

  it.each([
    ['as one argument too many', ['provider-key', 'add', 'openai=-', secret, '--project', 'default']],
    ['behind an option that there is not', ['project', 'create', 'a', `--provider-keys=openai=${secret}`]],
    ['without its provider', ['project', 'create', 'a', '--provider-key', secret]],
    ['for a provider that there is not', ['project', 'create', 'a', '--provider-key', `nobody=${secret}`]],
    ['with a line break in it', ['project', 'create', 'a', '--provider-key', `openai=${secret}\nx`]],
    [
      'as a management token that no header can carry',
      ['project', 'list', '--url', 'http://127.0.0.1:3', '--management-token', `${secret}\n`],
    ],
    ['as a new encryption key', ['rotate-encryption-key', '--new-key', secret]],
    ['in an address', ['project', 'list', '--url', `http://me:${secret}@127.0.0.1:3`]],
  ])('is not repeated: %s', async (_name, argv) => {
    const { code, out, err } = await given().cli(argv, { stdin: '' })
    expect(code).toBe(2)
    expect(out + err).not.toContain(secret)
  })
})
