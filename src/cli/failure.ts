import { CommanderError } from 'commander'
import { ConfigError } from '../config/config-error.ts'
import { GatewayError } from '../errors.ts'
import { redact } from '../redact.ts'
import { StoreError } from '../store/store.ts'
import { optionOfField } from './option-names.ts'

export const FAILURE = 1
export const USAGE = 2
/** By Ctrl-C, as shells count it. */
export const STOPPED = 130

/** What stopped a command, in words that say what to do. */
export class CliError extends Error {
  readonly exitCode: number
  constructor(message: string, exitCode = FAILURE, options?: ErrorOptions) {
    super(message, options)
    this.name = 'CliError'
    this.exitCode = exitCode
  }
}

/** The command was not called as it should be. */
export const usageError = (message: string) => new CliError(message, USAGE)

export const noSuchProject = () =>
  new CliError('There is no such project: "llm-proxy project list" shows those there are.')

/** What to print, null when it has been printed already, and how to exit. Only what nobody expected keeps its stack. */
export function explain(error: unknown): { text: string | null; exitCode: number } {
  if (error instanceof CommanderError) return { text: null, exitCode: error.exitCode === 0 ? 0 : USAGE }
  if (error instanceof CliError) return { text: error.message, exitCode: error.exitCode }
  if (error instanceof GatewayError) return explainGatewayError(error)
  if (error instanceof StoreError || error instanceof ConfigError) return { text: error.message, exitCode: FAILURE }
  const { code, path, message, stack } = Object(error) as NodeJS.ErrnoException
  if (typeof code === 'string' && path !== undefined)
    return { text: `${path}: ${REASONS[code] ?? code}.`, exitCode: FAILURE }
  const fault = redact(stack ?? message ?? String(error))
  return { text: `This is a fault of LLM Proxy itself: ${fault}`, exitCode: FAILURE }
}

const REASONS: Record<string, string> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'it is on a read-only file system',
  ENOSPC: 'the disk is full',
  ENOENT: 'there is no such file',
}

type FieldProblem = { field: string; reason: string }

function explainGatewayError({ code, message, details, cause }: GatewayError) {
  // An operator may read what a caller of the API may not.
  if (cause instanceof StoreError && code === 'storage_unavailable') return { text: cause.message, exitCode: FAILURE }
  if (code !== 'validation_failed') return { text: message, exitCode: FAILURE }
  const fields = Array.isArray(details?.fields) ? (details.fields as FieldProblem[]) : []
  const told = fields.map(({ field, reason }) => `${optionOfField(field)} ${reason}`)
  return { text: told.length > 0 ? `${told.join('; ')}.` : message, exitCode: USAGE }
}
