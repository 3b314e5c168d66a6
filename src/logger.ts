import winston from 'winston'
import Transport from 'winston-transport'
import { formatUsd } from './money.ts'
import { redact } from './redact.ts'
import type { LedgerRow } from './store/store.ts'

export type LogFields = Record<string, unknown>
export type Logger = {
  error(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  debug(message: string, fields?: LogFields): void
  /** The one line of a request; `cause`: the real reason of a failure, never shown to the caller. Goes past winston's stream pipeline (17 to 21 µs a line) to the same redaction and the same sink. */
  request(row: LedgerRow, cause: string | null): void
  /** Writes what is still waiting. */
  flush(): void
}

type Options = {
  level: 'error' | 'warn' | 'info' | 'debug'
  format: 'json' | 'pretty'
  write?: (text: string) => void
  now?: () => number
}

/** winston for all that happens now and then; every line is redacted here, whoever wrote it, just before it leaves. */
export function createLogger({
  level,
  format,
  write = (text) => void process.stdout.write(text),
  now = Date.now,
}: Options): Logger {
  const sink = createSink(write)
  const logger = winston.createLogger({
    level,
    transports: [new SinkTransport({ format: format === 'json' ? jsonFormat(now) : prettyFormat(now), sink })],
  })
  const log = (at: string) => (message: string, fields?: LogFields) =>
    void logger.log(at, { message, fields: plain(fields) })
  const writesRequests = logger.isLevelEnabled('info')
  return {
    error: log('error'),
    warn: log('warn'),
    info: log('info'),
    debug: log('debug'),
    request(row, cause) {
      if (writesRequests)
        sink.write(format === 'json' ? requestJson(row, cause, now()) : requestPretty(row, cause, now()))
    },
    flush: sink.flush,
  }
}

/** Lines of one turn of the event loop leave in one write. Bounded: past 1 MB they leave at once. */
function createSink(write: (text: string) => void) {
  let waiting = ''
  const flush = () => {
    if (waiting === '') return
    const text = waiting
    waiting = ''
    write(redact(text))
  }
  return {
    write(line: string) {
      if (waiting === '') setImmediate(flush)
      waiting += `${line}\n`
      if (waiting.length > 1_000_000) flush()
    },
    flush,
  }
}

class SinkTransport extends Transport {
  readonly #sink: ReturnType<typeof createSink>
  constructor({ sink, ...options }: Transport.TransportStreamOptions & { sink: ReturnType<typeof createSink> }) {
    super(options)
    this.#sink = sink
  }

  override log(info: Record<symbol, string>, next: () => void) {
    this.#sink.write(info[Symbol.for('message')]!)
    next()
  }
}

/** The fields as JSON holds them; errors in words. Never throws: a line that cannot be written whole is better than none. */
function plain(fields: LogFields = {}): Record<string, unknown> {
  const seen = new Set<unknown>()
  const readable = (_key: string, value: unknown) => {
    if (value instanceof Error) return describeError(value)
    if (typeof value === 'bigint') return String(value)
    if (typeof value !== 'object' || value === null) return value
    if (seen.has(value)) return '[seen above]'
    seen.add(value)
    return value
  }
  try {
    return JSON.parse(JSON.stringify(fields, readable)) as Record<string, unknown>
  } catch (error) {
    return { unreadable_fields: describeError(error) }
  }
}

/** A line's own three members first, where people look; a field of the same name stays apart from them. */
const jsonFormat = (now: () => number) =>
  winston.format.printf(({ level, message, fields }) => {
    const line: Record<string, unknown> = { time: new Date(now()).toISOString(), level, message }
    for (const [name, value] of Object.entries(fields as LogFields)) line[name in line ? `field_${name}` : name] = value
    return JSON.stringify(line)
  })

const prettyFormat = (now: () => number) =>
  winston.format.printf(({ level, message, fields }) => {
    const rest = Object.keys(fields as LogFields).length > 0 ? ` ${JSON.stringify(fields)}` : ''
    return `${clock(now())} ${level.padEnd(5)} ${message}${rest}`
  })

const clock = (at: number) => new Date(at).toISOString().slice(11, 23)

/** An error with its causes, one line, without stacks of expected errors. */
export function describeError(error: unknown): string {
  const parts: string[] = []
  for (let at: unknown = error, depth = 0; at !== undefined && at !== null && depth < 5; depth++) {
    if (!(at instanceof Error)) {
      parts.push(String(at))
      break
    }
    const code = (at as NodeJS.ErrnoException).code
    parts.push(`${at.name}${typeof code === 'string' && code !== at.name ? ` ${code}` : ''}: ${at.message}`)
    at = at.cause
  }
  return parts.join(' ← ')
}

const text = (value: string | null) => (value === null ? 'null' : JSON.stringify(value))

/** Written field by field: half the cost of a generic serialiser, and the fields are all known. */
function requestJson(row: LedgerRow, cause: string | null, at: number): string {
  const { usage, changes } = row
  return `{"time":"${new Date(at).toISOString()}","level":"info","message":"request","request_id":"${row.requestId}","project":${text(row.projectId)},"token":${text(row.tokenId)},"method":${text(row.method)},"path":${text(row.endpoint)},"model":${text(row.model)},"provider":${text(row.provider)},"served_model":${text(row.servedModel)},"status":${row.status},"error":${text(row.error)},"stream":${row.stream},"latency_ms":${row.latencyMs},"first_token_ms":${row.firstTokenMs},"input_tokens":${usage.inputTokens},"output_tokens":${usage.outputTokens},"usage_source":"${usage.source}","cost_usd":${row.costNanoUsd === null ? 'null' : `"${formatUsd(row.costNanoUsd)}"`},"request_bytes":${row.requestBytes},"response_bytes":${row.responseBytes},"attempts":${row.attempts.length}${changes.length > 0 ? `,"changes":${JSON.stringify(changes)}` : ''}${cause === null ? '' : `,"cause":${JSON.stringify(cause)}`}}`
}

/** Without line breaks and escape sequences, with which a caller could forge lines or colours. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones to take out.
const printableText = (value: string) => value.replace(/[\x00-\x1f\x7f-\x9f]/g, '?')

function requestPretty(row: LedgerRow, cause: string | null, at: number): string {
  const { usage } = row
  const model = row.model === null ? '' : ` ${printableText(row.model)}`
  const tokens = usage.source === 'none' ? '' : ` ${usage.inputTokens}+${usage.outputTokens} tokens`
  const failed = row.error === null ? '' : ` ${row.error}${cause === null ? '' : ` (${printableText(cause)})`}`
  return `${clock(at)} info  ${row.status} ${row.method} ${printableText(row.endpoint)}${model} ${row.latencyMs} ms${tokens}${failed} ${row.requestId}`
}
