import { createInterface } from 'node:readline'
import { explain } from '../failure.ts'
import type { Io } from '../io.ts'
import { say, styled } from '../output.ts'
import { printable } from '../text.ts'
import type { Message } from './stream-answer.ts'

/** Streams the answer to these messages. */
export type Ask = (messages: Message[], model: string, signal: AbortSignal) => AsyncGenerator<string>

const HELP = '/model <name> changes the model, /reset forgets what was said, /exit leaves; Ctrl-C stops an answer.'

/** A conversation at a terminal, until `/exit`, Ctrl-D, or a Ctrl-C with nothing left to stop. */
export async function converse(
  io: Io,
  ask: Ask,
  { model: first, system }: { model: string; system?: string },
): Promise<void> {
  const lines = createInterface({ input: io.stdin, output: io.stdout, terminal: true, prompt: '> ' })
  const opening: Message[] = system === undefined ? [] : [{ role: 'system', content: system }]
  let messages = [...opening]
  let model = first
  let running: AbortController | null = null
  let leaving = false
  let closed = false

  lines.on('SIGINT', () => {
    if (leaving) return lines.close()
    leaving = true
    if (running) return running.abort()
    say(io, '\nCtrl-C again, or /exit, leaves.')
    lines.prompt()
  })

  lines.on('close', () => {
    closed = true
    running?.abort()
  })

  const answer = async (content: string) => {
    running = new AbortController()
    const asked: Message[] = [...messages, { role: 'user', content }]
    const said = await print(io, ask(asked, model, running.signal), running.signal)
    running = null
    // What was not answered was not said: the next message would only repeat the failure.
    if (said !== '') messages = [...asked, { role: 'assistant', content: said }]
  }

  say(io, styled(io, 'dim', `Model ${printable(model)}. ${HELP}`))
  lines.prompt()
  for await (const line of lines) {
    leaving = false
    const [command, argument = ''] = line.trim().split(/\s+/, 2)
    if (command === '/exit' || command === '/quit') break
    if (command === '/reset') messages = [...opening]
    else if (command === '/model' && argument) model = argument
    else if (command?.startsWith('/')) say(io, HELP)
    else if (command) await answer(line.trim())
    if (closed) break
    lines.prompt()
  }
  lines.close()
}

/** Prints the answer as it comes; what of it came before its end, its failure, or its stop. */
async function print(io: Io, answer: AsyncGenerator<string>, signal: AbortSignal): Promise<string> {
  let said = ''
  try {
    for await (const piece of answer) {
      said += piece
      io.stdout.write(printable(piece))
    }
    say(io)
  } catch (error) {
    say(io, signal.aborted ? styled(io, 'dim', ' (stopped)') : '')
    if (!signal.aborted) io.stderr.write(`error: ${printable(explain(error).text ?? '')}\n`)
  }
  return said
}
