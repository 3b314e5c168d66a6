import { z } from 'zod'
import type { Kind } from './export.ts'
import { KINDS } from './kinds.ts'
import { count, name, openAiBucket, type PageReader, readPage } from './pages.ts'

const result = z.looseObject({
  object: name,
  model: name,
  num_model_requests: count,
  input_tokens: count,
  input_cached_tokens: count,
  input_cache_write_tokens: count,
  output_tokens: count,
})

const NAME = /^organization\.usage\.(\w+)\.result$/

/**
 * OpenAI's `GET /v1/organization/usage/completions`, and its sisters for embeddings, moderations, images, speech and transcriptions.
 * Input includes what was read from a cache and written to one, and tokens of every modality (openai-node 7.5,
 * `src/resources/admin/organization/usage.ts`; the recordings of ruby-openai agree). `model` is null unless the export was asked for
 * `group_by=model`.
 */
export const openAiUsage: PageReader = {
  format: 'OpenAI usage',
  provider: 'openai',
  reads: ({ object, num_model_requests }) =>
    typeof object === 'string' ? NAME.test(object) : num_model_requests !== undefined,
  read(given) {
    const { buckets, ...page } = readPage(given, openAiBucket(result))
    for (const { day, results } of buckets) {
      for (const { object, model, ...told } of results) {
        const kind = NAME.exec(object ?? '')?.[1] ?? 'completions'
        // Searches, sessions and stores: they count the requests of a model a second time, or no requests at all.
        if (!isKnown(kind)) {
          page.notes.add(
            `The figures of ${kind} were left out: the ledger has nothing that they could be compared with.`,
          )
          continue
        }
        page.kinds.add(kind)
        page.rows.push({
          day,
          model: model ?? null,
          requests: told.num_model_requests ?? undefined,
          inputTokens: told.input_tokens ?? undefined,
          cachedTokens: told.input_cached_tokens ?? undefined,
          cacheWriteTokens: told.input_cache_write_tokens ?? undefined,
          outputTokens: told.output_tokens ?? undefined,
        })
      }
    }
    return page
  },
}

const isKnown = (kind: string): kind is Kind => (KINDS as readonly string[]).includes(kind)
