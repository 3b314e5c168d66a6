import { z } from 'zod'
import { parseInput } from '../../domain/validate.ts'
import { GatewayError } from '../../errors.ts'
import { DAY_MS, dayOf, ExportError, type ExportRow, type Kind } from './export.ts'

/* Both providers answer with pages of buckets: stretches of time, each with what was used in it. */

/** One page, read. */
export type Page = {
  rows: ExportRow[]
  /** Of its buckets; null when there are none. */
  time: { from: number; to: number } | null
  days: Set<string>
  /** The provider has more, on a page of its own. */
  hasMore: boolean
  kinds: Set<Kind>
  notes: Set<string>
}

/** Turns pages of one format into rows. */
export type PageReader = {
  format: string
  provider: string
  /** Whether a result is of this format. */
  reads(result: Record<string, unknown>): boolean
  /** Throws `ExportError`. */
  read(page: unknown): Page
}

export type Bucket<Result> = { day: string; from: number; to: number; results: Result[] }

export const count = z.int({ error: 'must be a whole number' }).nonnegative({ error: 'must not be negative' }).nullish()
export const name = z.string().nullish()

const MAX_AT = Date.UTC(2100, 0)
const isTime = (at: number) => at >= 0 && at < MAX_AT
/** Unix seconds; milliseconds once read. */
const unixSeconds = z
  .number()
  .transform((seconds) => seconds * 1000)
  .refine(isTime, { error: 'must be a time in Unix seconds' })
const isoTime = z.iso
  .datetime({ offset: true, error: 'must be a time in ISO 8601 with its zone' })
  .transform((text) => Date.parse(text))
  .refine(isTime, { error: 'must be a time of this century' })

const bucketOf = <Time extends z.ZodType<number>, Result extends z.ZodType>(
  startName: string,
  endName: string,
  time: Time,
  result: Result,
) =>
  z
    .looseObject({ [startName]: time, [endName]: time, results: z.array(result) })
    .transform((bucket): Bucket<z.output<Result>> => {
      const from = bucket[startName] as number
      return { day: dayOf(from), from, to: bucket[endName] as number, results: bucket.results as z.output<Result>[] }
    })
    .refine(isOfOneDay, { error: 'must be within one day of UTC: export days, hours or minutes (bucket_width)' })

/** Source: recorded answers of OpenAI's `GET /v1/organization/usage/…` and `/costs` (ruby-openai, February 2025). */
export const openAiBucket = <Result extends z.ZodType>(result: Result) =>
  bucketOf('start_time', 'end_time', unixSeconds, result)

/** Source: platform.claude.com, Admin API reference, Usage Report and Cost Report. */
export const anthropicBucket = <Result extends z.ZodType>(result: Result) =>
  bucketOf('starting_at', 'ending_at', isoTime, result)

function isOfOneDay({ from, to }: Bucket<unknown>): boolean {
  return from < to && Math.floor(from / DAY_MS) === Math.floor((to - 1) / DAY_MS)
}

/** The page as these buckets have it. Throws `ExportError` with the place that is wrong. */
export function readPage<Result>(
  page: unknown,
  bucket: z.ZodType<Bucket<Result>>,
): Page & { buckets: Bucket<Result>[] } {
  const { data, has_more } = check(z.looseObject({ data: z.array(bucket), has_more: z.boolean().nullish() }), page)
  const from = data.reduce((least, { from }) => Math.min(least, from), Number.POSITIVE_INFINITY)
  const to = data.reduce((most, { to }) => Math.max(most, to), 0)
  return {
    buckets: data,
    rows: [],
    time: data.length === 0 ? null : { from, to },
    days: new Set(data.map(({ day }) => day)),
    hasMore: has_more === true,
    kinds: new Set(),
    notes: new Set(),
  }
}

function check<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  try {
    return parseInput(schema, input)
  } catch (cause) {
    if (cause instanceof GatewayError) throw new ExportError(cause.message, { cause })
    throw cause
  }
}
