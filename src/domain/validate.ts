import type { z } from 'zod'
import { GatewayError } from '../errors.ts'

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

function toProblems(issue: z.core.$ZodIssue): FieldProblem[] {
  if (issue.code !== 'unrecognized_keys') return [{ field: nameOf(issue.path), reason: issue.message }]
  return issue.keys.map((key) => ({ field: nameOf([...issue.path, key]), reason: 'is not a known field' }))
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
    default:
      return undefined
  }
}

function bound(origin: string, comparison: string, limit: number | bigint): string {
  if (origin === 'string' && comparison === 'at least' && limit === 1) return 'not be empty'
  if (origin === 'string') return `have ${comparison} ${limit} characters`
  return origin === 'array' ? `have ${comparison} ${limit} entries` : `be ${comparison} ${limit}`
}
