import { createInterface } from 'node:readline'
import { type Readable, Writable } from 'node:stream'
import { CliError, STOPPED, usageError } from './failure.ts'

/** The world as a command sees it. */
export type Io = {
  env: Record<string, string | undefined>
  cwd: string
  stdin: Readable & { isTTY?: boolean }
  stdout: Writable & { isTTY?: boolean }
  stderr: Writable
  /** Milliseconds since the epoch. */
  now(): number
}

const MAX_INPUT_BYTES = 16 * 1024 * 1024

/** All of a piped stdin. */
export async function readAll({ stdin }: Io): Promise<string> {
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of stdin) {
    const buffer = Buffer.from(piece as Buffer | string)
    bytes += buffer.length
    if (bytes > MAX_INPUT_BYTES) throw new CliError('What came on stdin is larger than 16 MB.')
    pieces.push(buffer)
  }
  return Buffer.concat(pieces).toString('utf8')
}

/** A secret from stdin: asked for without an echo at a terminal, else the whole input. `what`: "Key of openai". */
export async function readSecret(io: Io, what: string): Promise<string> {
  const secret = (io.stdin.isTTY ? await askHidden(io, `${what}: `) : await readAll(io)).trim()
  if (secret === '') throw usageError(`${what}: nothing came on stdin.`)
  return secret
}

/**
 * A new password: asked for twice without an echo at a terminal, else the whole input but its line end, if that was said. Unlike a
 * key it may begin and end with spaces.
 */
export async function readPassword(io: Io, what: string, fromStdin = false): Promise<string> {
  if (fromStdin) {
    const password = (await readAll(io)).replace(/\r?\n$/, '')
    if (password === '') throw usageError(`${what}: nothing came on stdin.`)
    return password
  }
  if (!io.stdin.isTTY) throw usageError(`${what}: there is no terminal to ask at; send it to --password-stdin.`)
  const password = await askHidden(io, `${what}: `)
  if ((await askHidden(io, `${what}, once more: `)) === password) return password
  throw new CliError('The two are not the same. Nothing was changed.')
}

/** Asks a person. Where there is no terminal nobody can be asked: the command was meant. */
export async function confirm(io: Io, question: string): Promise<boolean> {
  if (!io.stdin.isTTY) return true
  return /^y(es)?$/i.test((await ask(io, `${question} [y/N] `, io.stderr)).trim())
}

async function askHidden(io: Io, question: string): Promise<string> {
  io.stderr.write(question)
  const nowhere = new Writable({ write: (_piece, _encoding, done) => done() })
  const answer = await ask(io, '', nowhere)
  io.stderr.write('\n')
  return answer
}

function ask({ stdin, stderr }: Io, question: string, output: Writable): Promise<string> {
  const lines = createInterface({ input: stdin, output, terminal: true, historySize: 0 })
  return new Promise((resolve, reject) => {
    lines.question(question, (answer) => {
      resolve(answer)
      lines.close()
    })
    lines.once('SIGINT', () => {
      stderr.write('\n')
      lines.close()
    })
    // After an answer this comes too late to matter.
    lines.once('close', () => reject(new CliError('Stopped.', STOPPED)))
  })
}
