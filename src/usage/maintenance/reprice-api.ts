import { z } from 'zod'
import { isoTime } from '../../domain/present.ts'
import { time } from '../../domain/schemas.ts'
import { parseInput } from '../../domain/validate.ts'
import { formatUsd } from '../../money.ts'
import type { RepriceQuery, RepriceResult } from './reprice.ts'

/* How a job of new prices is asked for and told of, over HTTP and on the command line. */

const moment = z
  .union([z.iso.date().transform((text) => Date.parse(text)), time], {
    error: ({ input }) =>
      input === undefined
        ? 'is required'
        : 'must be a time in ISO 8601 with its zone (2026-11-21T12:00:00Z) or a day (2026-11-21)',
  })
  .meta({ type: 'string', examples: ['2026-11-01'] })

export const repriceInput = z
  .strictObject({
    from: moment.describe('Requests that came in at this moment or later.'),
    to: moment.describe('And before this one.'),
    model: z.string().trim().min(1).max(200).nullish().describe('A name or a glob (`gpt-4o*`), as asked or as served.'),
    dry_run: z.boolean().optional().describe('Only say what would change.'),
  })
  .refine(({ from, to }) => from < to, { path: ['to'], error: 'must be after from' })

/** Throws `validation_failed`. */
export function readReprice(input: unknown): RepriceQuery {
  const { from, to, model, dry_run } = parseInput(repriceInput, input)
  return { from, to, model: model ?? null, dryRun: dry_run === true }
}

export type PresentedReprice = ReturnType<typeof presentReprice>

export const presentReprice = ({ from, to, model, dryRun }: RepriceQuery, result: RepriceResult) => ({
  from: isoTime(from),
  to: isoTime(to),
  model,
  dry_run: dryRun,
  requests: result.looked,
  changed_requests: result.changed,
  unpriced_requests: result.unpriced,
  cost_usd_before: formatUsd(result.beforeNanoUsd),
  cost_usd_after: formatUsd(result.afterNanoUsd),
  models: result.models.map((one) => ({
    provider: one.provider,
    model: one.model,
    changed_requests: one.requests,
    cost_usd_before: formatUsd(one.beforeNanoUsd),
    cost_usd_after: formatUsd(one.afterNanoUsd),
  })),
})
