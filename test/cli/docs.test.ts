import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from '@jest/globals'
import { ENCRYPTION_KEY_FILE } from '../../src/cli/local.ts'
import { openAiPage, openAiUsageResult } from '../fixtures/exports.ts'
import { ENCRYPTION_KEY, MANAGEMENT_TOKEN } from '../helpers/gateway.ts'
import { sendJson, startUpstream } from '../helpers/upstream.ts'
import { aRoute, aStamp } from '../store/samples.ts'
import { CLOSED_PORT, givenGateway } from './given.ts'

const page = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8')
const EXAMPLES = Array.from(page.matchAll(/^```sh\n([\s\S]*?)^```$/gm), ([, block]) => block!.trim().split('\n')).flat()

/** What cannot end, needs a person, or another machine. */
const NOT_RUN = [/\bserver$/, /^llm-proxy chat$/, /llm\.example\.com/]

/** Just enough of a shell for the page: variables, quotes, `$(…)`, and something on stdin. */
function read(line: string, variables: Record<string, string>) {
  const [, name, inner] = /^(\w+)=\$\((.+)\)$/.exec(line) ?? []
  const [, said] = /^echo "([^"]+)" \| /.exec(line) ?? []
  const piped = / \| |< key\.txt$/.test(inner ?? line)
  const command = (inner ?? line).replace(/^.* \| /, '').replace(/ < key\.txt$/, '')
  const words = Array.from(
    command.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g),
    ([, double, single, bare]) =>
      single ?? (double ?? bare!).replace(/\$(\w+)/g, (_, variable: string) => variables[variable]!),
  )
  return {
    argv: words.slice(1),
    into: name,
    stdin: piped ? (said ?? (/openssl/.test(line) ? KEY : 'sk-from-a-file-0123456789')) : undefined,
  }
}

/** The page sends nothing to a provider, and this is what a provider says then. */
const UNUSED = openAiPage({ '2026-11-20': [openAiUsageResult(null, { num_model_requests: 0, input_tokens: 0 })] })

const KEY = Buffer.alloc(32, 5).toString('base64')

it('every example of docs/cli.md works, in their order', async () => {
  const upstream = await startUpstream((_req, res) => sendJson(res, 200, { object: 'list', data: [] }))
  const { cli, json, env, dataDir, gateway } = await givenGateway({ config: { demo: true } })
  writeFileSync(join(dataDir, ENCRYPTION_KEY_FILE), ENCRYPTION_KEY.toString('base64'), { mode: 0o600 })
  writeFileSync(join(dataDir, 'usage.json'), JSON.stringify(UNUSED))
  writeFileSync(join(dataDir, 'costs.csv'), 'date,model,cost_usd\n2026-11-20,claude-sonnet-4-5,0.00\n')
  Object.assign(env, { OPENAI_BASE_URL: upstream.url, ENCRYPTION_KEY: '' })
  await gateway.ctx.store.routes.create(aRoute({ pattern: 'gpt-*' }), aStamp())
  const examples = EXAMPLES.filter((line) => !NOT_RUN.some((pattern) => pattern.test(line)))
  expect(examples.length).toBeGreaterThan(40)
  const variables: Record<string, string> = {}
  for (const line of examples) {
    // The gateway holds on to its key: what the page asks to stop is stopped here too, as far as the command can see.
    const stopped = line.includes('rotate-encryption-key') && { PORT: CLOSED_PORT }
    const here = await withRealIds(line.replace('http://127.0.0.1:8080', gateway.url))
    const { argv, into, stdin } = read(here, variables)
    const { code, out, err } = await cli(argv, {
      ...(stdin !== undefined && { stdin }),
      env: { MANAGEMENT_TOKEN, ...variables, ...stopped },
    })
    expect(`${line}: ${code} ${err}`).toBe(`${line}: 0 `)
    if (into) variables[into] = out.trim()
  }
  await upstream.close()

  /** The newest token or provider key for the one that the page made up. */
  async function withRealIds(line: string): Promise<string> {
    if (line.includes('tok_')) return line.replace(/tok_[\w-]+/, (await json('token list')).data[0]!.id)
    if (line.includes('key_')) return line.replace(/key_[\w-]+/, (await json('provider-key list')).data[0]!.id)
    return line
  }
})

it('names the files that it speaks of', () => {
  for (const name of ['', '.old', '.new']) expect(page).toContain(`\`${ENCRYPTION_KEY_FILE}${name}\``)
})
