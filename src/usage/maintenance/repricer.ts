import { type Actor, audited } from '../../domain/audit.ts'
import { GatewayError } from '../../errors.ts'
import type { Store } from '../../store/store.ts'
import type { RepriceQuery, RepriceResult } from './reprice.ts'
import { type PresentedReprice, presentReprice, readReprice } from './reprice-api.ts'

export type Repricer = {
  /** `input` as `repriceInput` has it. Throws `GatewayError`: `validation_failed`, `conflict` while another one runs, `storage_unavailable`. */
  reprice(actor: Actor, input: unknown): Promise<PresentedReprice>
}

type Options = {
  store: Pick<Store, 'audit'>
  now(): number
  run(query: RepriceQuery): Promise<RepriceResult>
  /** Costs may have changed. */
  onChange?(): void
}

/** Prices past requests anew, one such job at a time, and writes into the audit log what changed. A dry run is no change. */
export function createRepricer({ store, now, run, onChange }: Options): Repricer {
  let running = false

  const runAlone = async (query: RepriceQuery) => {
    if (running)
      throw new GatewayError('conflict', {
        message: 'Requests are being priced anew already: try again when that is done.',
      })
    running = true
    try {
      return presentReprice(query, await run(query))
    } finally {
      running = false
      // Also when it was cut off: what is written is written.
      if (!query.dryRun) onChange?.()
    }
  }

  return {
    reprice: (actor, input) =>
      audited({ store, now }, actor, { action: 'prices.reprice' }, async (stamp) => {
        const query = readReprice(input)
        const result = await runAlone(query)
        const { models, dry_run, requests, unpriced_requests, ...after } = result
        if (!query.dryRun) await store.audit.append({ ...stamp, before: null, after })
        return result
      }),
  }
}
