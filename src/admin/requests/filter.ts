import { z } from 'zod'
import { parseInput } from '../../domain/validate.ts'
import { GatewayError } from '../../errors.ts'
import { parseUsd } from '../../money.ts'
import type { Project, RequestFilter } from '../../store/store.ts'
import type { Form } from '../frame/form.ts'
import type { Reads } from '../frame/reads.ts'
import { shownTime, timeField } from '../time-field.ts'

/** What an address asks of the ledger. */
export type Asked = {
  /** Null: something in it cannot be meant so, see `problems`. */
  filter: RequestFilter | null
  /** Reasons, by the names of fields. */
  problems: Readonly<Record<string, string>>
  /** The fields as they are shown again. */
  values: Readonly<Record<FilterName, string>>
  /** Those that say something. */
  active: FilterName[]
}

const text = z.string().max(200)

const schema = z.object({
  project: text.optional(),
  token: text
    .regex(/^tok_/, { error: 'must be the id of a token, as tok_…; the search finds tokens by their names' })
    .optional(),
  model: text.optional(),
  provider: text.optional(),
  endpoint: text.startsWith('/', { error: 'must be a path, as /v1/chat/completions' }).optional(),
  status: z
    .string()
    .regex(/^[1-5]\d\d$/, { error: 'must be a status from 100 to 599, as 429' })
    .transform(Number)
    .optional(),
  failed: z.enum(['1', 'on', 'true'], { error: 'must be 1' }).optional(),
  error: text.optional(),
  min_cost: z
    .string()
    .transform((given) => parseUsd(given.replace(/^\$/, '')))
    .refine((value) => value !== null, { error: 'must be US dollars with at most nine decimals, as 0.25' })
    .optional(),
  min_latency: z
    .string()
    .regex(/^\d{1,12}(\.\d{1,6})?$/, { error: 'must be milliseconds, as 1500' })
    .transform(Number)
    .optional(),
  metadata: text.optional(),
  from: timeField.optional(),
  to: timeField.optional(),
})

export type FilterName = keyof z.input<typeof schema>
export const FILTER_NAMES = Object.keys(schema.shape) as FilterName[]

/** What is wrong is told at its field, and nothing is looked for then. */
export async function readFilter(query: Form, reads: Pick<Reads, 'only' | 'projects'>): Promise<Asked> {
  const given = FILTER_NAMES.flatMap((name) => (query.text(name) === '' ? [] : [[name, query.text(name)] as const]))
  const typed = { ...BLANK, ...Object.fromEntries(given) }
  const values = { ...typed, from: shownTime(typed.from), to: shownTime(typed.to) }
  const asked = { values, active: given.map(([name]) => name), problems: {} }
  try {
    const filter = toFilter(parseInput(schema, Object.fromEntries(given)))
    const project = await findProject(typed.project, reads)
    if (project === null) return { ...asked, filter: null, problems: { project: 'is no project that you can see' } }
    return { ...asked, filter: project === undefined ? filter : { ...filter, projectId: project } }
  } catch (error) {
    if (!(error instanceof GatewayError) || !Array.isArray(error.details?.fields)) throw error
    const fields = error.details.fields as { field: string; reason: string }[]
    const problems = Object.fromEntries(fields.map(({ field, reason }) => [field, reason]))
    return { ...asked, filter: null, problems }
  }
}

/** Throws `validation_failed`: where there is no page to tell it on. */
export async function requireFilter(query: Form, reads: Pick<Reads, 'only' | 'projects'>): Promise<RequestFilter> {
  const { filter, problems } = await readFilter(query, reads)
  if (filter !== null) return filter
  const told = Object.entries(problems).map(([field, reason]) => `${field} ${reason}`)
  throw new GatewayError('validation_failed', { message: `${told.join('; ')}.` })
}

/** The id of a project by its id or name; undefined: of all; null: there is none. Those that are gone still have requests. */
export async function findProject(
  given: string,
  { only, projects }: Pick<Reads, 'only' | 'projects'>,
): Promise<string | null | undefined> {
  if (given === '') return undefined
  if (given.startsWith('proj_')) return only === null || only === given ? given : null
  const isMeant = ({ name }: Project) => name.toLowerCase() === given.toLowerCase()
  return (await projects()).find(isMeant)?.id ?? null
}

const BLANK = Object.fromEntries(FILTER_NAMES.map((name) => [name, ''])) as Record<FilterName, string>

function toFilter(read: z.output<typeof schema>): RequestFilter {
  const { project: _found, token, failed, min_cost, min_latency, ...same } = read
  return {
    ...same,
    ...(token !== undefined && { tokenId: token }),
    ...(failed !== undefined && { failed: true }),
    ...(min_cost != null && { minCostNanoUsd: min_cost }),
    ...(min_latency !== undefined && { minLatencyMs: min_latency }),
  }
}
