import type { z } from 'zod'
import { GatewayError } from '../errors.ts'
import { nearest } from '../suggest.ts'

type FieldProblem = { field: string; reason: string }

/** The input as `schema` reads it. Throws `validation_failed` with a reason for each field; values are never quoted. */
export function parseInput<S extends z.ZodType>(schema: S, input: unknown): z.output<S> {
  const read = schema.safeParse(input, { error: reasonOf })
  if (read.success) return read.data
  throw validationError(read.error.issues.flatMap(toProblems))
}

/** `validation_failed` for what a schema alone cannot see. */
export function validationError(problems: FieldProblem[]): GatewayError {
  const fields = problems.slice(0, MAX_PROBLEMS)
  const told = fields.slice(0, 3).map(({ field, reason }) => `${field} ${reason}`)
  const more = problems.length > 3 ? `; and ${problems.length - 3} more` : ''
  return new GatewayError('validation_failed', {
    message: `${told.join('; ')}${more}.`,
    param: fields[0]?.field,
    details: { fields },
  })
}

const MAX_PROBLEMS = 50
const MAX_FIELD = 100

/**
 * What `schema` makes of a value of the configuration file, and all that it has against it, each with its place. The value is null
 * where there is anything.
 */
export function readValue<S extends z.ZodType>(schema: S, value: unknown): ReadValue<z.output<S>> {
  const read = schema.safeParse(value, { error: reasonOf })
  if (read.success) return { value: read.data, problems: [] }
  const problems = read.error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? hintsOf(issue).map(([key, hint]) => ({ path: [...issue.path, key], text: `unknown key${hint}` }))
      : [{ path: issue.path, text: issue.message }],
  )
  return { value: null, problems }
}

type ReadValue<T> = { value: T | null; problems: { path: PropertyKey[]; text: string }[] }

function toProblems(issue: z.core.$ZodIssue): FieldProblem[] {
  if (issue.code !== 'unrecognized_keys') return [{ field: nameOf(issue.path), reason: issue.message }]
  return hintsOf(issue).map(([key, hint]) => ({
    field: nameOf([...issue.path, key]),
    reason: `is not a known field${hint}`,
  }))
}

/** `reasonOf` says one line for each key. */
const hintsOf = ({ keys, message }: z.core.$ZodIssueUnrecognizedKeys): [key: string, hint: string][] => {
  const hints = message.split('\n')
  return keys.map((key, index) => [key, hints[index] ?? ''])
}

/** Only the schema that is at work knows its keys. */
function hintFor(key: string, inst: unknown): string {
  const { shape = {} } = (inst as { _zod?: { def: { shape?: object } } } | undefined)?._zod?.def ?? {}
  const known = Object.keys(shape)
  const meant = nearest(key, known) ?? (key.includes('.') ? nearest(key.split('.')[0]!, known) : null)
  return meant === null ? '' : `; did you mean ${meant}?`
}

const nameOf = (path: PropertyKey[]) => path.map(String).join('.').slice(0, MAX_FIELD) || 'body'

const KINDS: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
}

/** Undefined leaves it to zod's own words. */
function reasonOf(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? 'is required' : `must be ${KINDS[issue.expected] ?? issue.expected}`
    case 'invalid_value':
      return issue.input === undefined ? 'is required' : `must be one of ${issue.values.map(String).join(', ')}`
    case 'too_small':
      return `must ${bound(issue.origin, issue.inclusive === false ? 'more than' : 'at least', issue.minimum)}`
    case 'too_big':
      return `must ${bound(issue.origin, issue.inclusive === false ? 'less than' : 'at most', issue.maximum)}`
    case 'invalid_key':
      return issue.issues[0]?.message
    case 'unrecognized_keys':
      return issue.keys.map((key) => hintFor(key, issue.inst)).join('\n')
    default:
      return undefined
  }
}

function bound(origin: string, comparison: string, limit: number | bigint): string {
  if (origin === 'string' && comparison === 'at least' && limit === 1) return 'not be empty'
  if (origin === 'string') return `have ${comparison} ${limit} characters`
  return origin === 'array' ? `have ${comparison} ${limit} entries` : `be ${comparison} ${limit}`
}
