import { formatUsd } from '../money.ts'
import { definePage } from './frame/page.ts'
import { type ProviderList, readProviders } from './providers/rows.ts'
import { KEY_SOURCES } from './providers/words.ts'

const LIVE_MS = 5_000

/** How each provider does, whose key it is asked with, and what it was asked for. */
export const providers = definePage<ProviderList>({
  path: '/providers',
  title: 'Providers',
  view: 'providers',
  nav: { icon: 'providers', key: 'v', group: 'Run' },
  needs: 'read_gateway',
  load: readProviders,
  live: { view: 'providers/live', everyMs: LIVE_MS, load: readProviders },
  async csv(visit) {
    const { rows } = await readProviders(visit)
    return {
      name: 'providers',
      columns: [
        'provider',
        'health',
        'reason',
        'base_url',
        'key',
        'project_keys',
        'models',
        'requests_24h',
        'errors_24h',
        'cost_usd_24h',
        'remaining_requests',
        'remaining_tokens',
      ],
      rows: rows.map((row) => [
        row.name,
        row.doing.health,
        row.doing.reason,
        row.baseUrl,
        KEY_SOURCES[row.keySource],
        row.projectKeys,
        row.models,
        row.usage?.requests ?? 0,
        row.usage?.errors ?? 0,
        formatUsd(row.usage?.costNanoUsd ?? 0n),
        row.remaining.requests,
        row.remaining.tokens,
      ]),
    }
  },
})
