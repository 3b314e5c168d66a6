import { z } from 'zod'
import { toNanoUsd } from './amounts.ts'
import { name, openAiBucket, type PageReader, readPage } from './pages.ts'

const result = z.looseObject({
  line_item: name,
  amount: z.looseObject({
    currency: z
      .string()
      .toLowerCase()
      .pipe(z.literal('usd', { error: 'must be usd' })),
    value: z
      .union([z.number(), z.string()])
      .transform((value) => toNanoUsd(value))
      .refine((nano) => nano !== null, { error: 'must be an amount of dollars' }),
  }),
})

/**
 * OpenAI's `GET /v1/organization/costs`: dollars a day, as a JSON number (recorded in February 2025) or a decimal string (since 2026:
 * mozilla/bigquery-etl#9739). With `group_by=line_item` there is a line for each kind of token of a model, without it one of everything.
 */
export const openAiCosts: PageReader = {
  format: 'OpenAI costs',
  provider: 'openai',
  reads: ({ object, amount }) =>
    object === 'organization.costs.result' || (object === undefined && typeof amount === 'object' && amount !== null),
  read(given) {
    const { buckets, ...page } = readPage(given, openAiBucket(result))
    for (const { day, results } of buckets) {
      for (const { line_item, amount } of results) {
        page.rows.push({ day, model: modelOfLine(line_item ?? null), costNanoUsd: amount.value! })
      }
    }
    return page
  },
}

/**
 * The model of a bill's line, whatever its kind of token: `gpt-4o-2024-08-06, cached input`, `gpt-image-1 text, input`,
 * `priority | gpt-5.6-sol, output, long context`. A line that is no model's (`web search tool calls`, `assistants api | file search`), or
 * whose model was used by something else than the API (`evals | gpt-4o, input`), stays as it is. The lines are OpenAI's own texts and
 * written down nowhere; these are from exports that others have published.
 */
export function modelOfLine(line: string | null): string | null {
  if (!line) return null
  const [, model] =
    /^(?:(?:priority|flex|batch|default) \| )?([^\s,|]+)(?: (?:text|audio|image))?, .+$/i.exec(line) ?? []
  return model ?? line
}
