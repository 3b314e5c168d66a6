import { z } from 'zod'
import { isoTime as toIso } from '../domain/present.ts'
import type { Live } from '../routing/live.ts'
import { isoTime } from './shapes.ts'

const keyId = z.string().describe("Id of a project's key; `shared`: the operator's own.")

export const routingShape = z
  .object({
    lanes: z.array(
      z.object({
        provider: z.string(),
        key_id: keyId,
        model: z.string().describe('As the provider is asked for it; empty: the request named none.'),
        breaker: z
          .enum(['closed', 'open', 'half_open'])
          .describe('closed: requests pass. open: they pass it by. half_open: a few pass as probes.'),
        retry_at: isoTime.nullable().describe('From when on a request may pass again; null: they pass.'),
        in_flight: z.int().describe('Tries under way.'),
        first_event_ms: z.number().nullable().describe('Moving average of the time to the first event of an answer.'),
        error_rate: z.number().nullable().describe('Moving average, from 0 to 1, of tries that the provider failed.'),
        remaining_requests: z.int().nullable().describe("Of the provider's own limit, where it tells."),
        remaining_tokens: z.int().nullable().describe("Of the provider's own limit, where it tells."),
        benched_until: isoTime.nullable().describe('The key rests until then; null: it is fit.'),
      }),
    ),
    resting_keys: z
      .array(
        z.object({
          provider: z.string(),
          key_id: keyId,
          until: isoTime,
          reason: z
            .enum(['limited', 'refused', 'by_hand'])
            .describe(
              'limited: the provider limits it (429). refused: the provider does not take it. by_hand: somebody lets it rest.',
            ),
        }),
      )
      .describe('Keys that are tried last, if at all.'),
  })
  .describe('What this process knows of the providers at the moment: of each key with each model that was asked for.')

export function routingStatus(live: Pick<Live, 'snapshot' | 'benches'>): z.input<typeof routingShape> {
  return {
    lanes: live.snapshot().map((lane) => ({
      provider: lane.provider,
      key_id: lane.keyId,
      model: lane.model,
      breaker: lane.breaker,
      retry_at: toIsoOrNull(lane.retryAt),
      in_flight: lane.inFlight,
      first_event_ms: lane.firstEventMs === null ? null : Math.round(lane.firstEventMs),
      error_rate: lane.errorRate === null ? null : Math.round(lane.errorRate * 1000) / 1000,
      remaining_requests: lane.remainingRequests,
      remaining_tokens: lane.remainingTokens,
      benched_until: toIsoOrNull(lane.benchedUntil),
    })),
    resting_keys: live
      .benches()
      .map(({ provider, keyId, untilMs, why }) => ({ provider, key_id: keyId, until: toIso(untilMs), reason: why })),
  }
}

const toIsoOrNull = (at: number | null) => (at === null ? null : toIso(at))
