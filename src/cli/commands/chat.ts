import type { Command } from 'commander'
import type { Ask } from '../chat/conversation.ts'
import { CliError, usageError } from '../failure.ts'
import { parseGatewayUrl, requireHeaderText } from '../http.ts'
import { type Io, readAll } from '../io.ts'
import { gatewayUrl, loadConfiguration } from '../local.ts'
import { printable } from '../text.ts'
import { exampleText } from './shared.ts'

type Options = { url?: string; token?: string; model: string; system?: string }

export function addChatCommand(program: Command, io: Io): void {
  program
    .command('chat [message]')
    .description('talk to a model through the gateway')
    .option('--url <address>', "the gateway's address [LLM_PROXY_URL; the one started here]")
    .option('--token <token>', 'a proxy token [LLM_PROXY_TOKEN]')
    .option('--model <name>', 'the model', 'demo')
    .option('--system <text>', 'what the model is told first')
    .addHelpText(
      'after',
      exampleText(
        'export LLM_PROXY_TOKEN=$(llm-proxy token generate --quiet --duration 24h)',
        'llm-proxy chat',
        'llm-proxy chat "Say hello"',
        'git diff | llm-proxy chat --model gpt-4o --system "Write a commit message for this diff."',
      ),
    )
    .addHelpText(
      'after',
      '\nWith a message, or something on stdin, it answers once. At a terminal: /model, /reset, /exit, Ctrl-C.',
    )
    .action((message: string | undefined, _options, command: Command) => chat(io, message, command.optsWithGlobals()))
}

async function chat(io: Io, message: string | undefined, { model, system, ...options }: Options): Promise<void> {
  const { url, token } = await locate(io, options)
  const { streamAnswer } = await import('../chat/stream-answer.ts')
  const ask: Ask = (messages, model, signal) => streamAnswer({ url, token, model, messages, signal })
  if (message === undefined && io.stdin.isTTY) {
    const { converse } = await import('../chat/conversation.ts')
    return converse(io, ask, { model, system })
  }
  const content = message ?? (await readAll(io)).trim()
  if (content === '') throw usageError('There is nothing to ask: say a message, or send one on stdin.')
  const opening = system === undefined ? [] : [{ role: 'system' as const, content: system }]
  await answerOnce(io, streamAnswer({ url, token, model, messages: [...opening, { role: 'user', content }] }))
}

async function locate(io: Io, options: Pick<Options, 'url' | 'token'>): Promise<{ url: string; token: string | null }> {
  const token = options.token ?? (io.env.LLM_PROXY_TOKEN || null)
  const address = options.url ?? (io.env.LLM_PROXY_URL || undefined)
  const config = address !== undefined && token !== null ? null : (await loadConfiguration(io)).config
  const url = address !== undefined ? parseGatewayUrl(address) : gatewayUrl(config!)
  if (url === null) throw usageError('PORT is 0: say the address of the gateway with --url.')
  if (token === null && (address !== undefined || !config?.disableAuth)) {
    throw usageError(
      'A proxy token is needed: say --token or set LLM_PROXY_TOKEN ("llm-proxy token generate" makes one).',
    )
  }
  if (token !== null) requireHeaderText(token, 'The proxy token')
  return { url, token }
}

async function answerOnce(io: Io, answer: AsyncGenerator<string>): Promise<void> {
  let said = ''
  try {
    for await (const piece of answer) {
      said += piece
      io.stdout.write(io.stdout.isTTY ? printable(piece) : piece)
    }
  } finally {
    if (said !== '' && !said.endsWith('\n')) io.stdout.write('\n')
  }
  if (said === '') throw new CliError('The answer is empty.')
}
