import { z } from 'zod'
import { anthropicBucket, count, name, type PageReader, readPage } from './pages.ts'

const result = z.looseObject({
  model: name,
  uncached_input_tokens: count,
  cache_read_input_tokens: count,
  cache_creation: z.record(z.string(), count).nullish(),
  output_tokens: count,
})

/**
 * Anthropic's `GET /v1/organizations/usage_report/messages`. It counts what was read from a cache and written to one (for five minutes,
 * for an hour) beside the input; here they are part of it. It does not tell of requests. `model` is null unless the report was asked for
 * `group_by[]=model`. Source: platform.claude.com, Admin API reference, Usage Report.
 */
export const anthropicUsage: PageReader = {
  format: 'Anthropic usage report',
  provider: 'anthropic',
  reads: (fields) => 'uncached_input_tokens' in fields,
  read(given) {
    const { buckets, ...page } = readPage(given, anthropicBucket(result))
    for (const { day, results } of buckets) {
      for (const told of results) {
        const cachedTokens = told.cache_read_input_tokens ?? 0
        const cacheWriteTokens = sum(Object.values(told.cache_creation ?? {}))
        page.rows.push({
          day,
          model: told.model ?? null,
          inputTokens: (told.uncached_input_tokens ?? 0) + cachedTokens + cacheWriteTokens,
          cachedTokens,
          cacheWriteTokens,
          outputTokens: told.output_tokens ?? 0,
        })
      }
    }
    return page
  },
}

const sum = (counts: (number | null | undefined)[]) => counts.reduce<number>((total, one) => total + (one ?? 0), 0)
