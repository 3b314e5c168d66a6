import { SHARED_KEY_ID, testProvider, unbenchProviderKey } from '../domain/provider-operations.ts'
import { validationError } from '../domain/validate.ts'
import { NO_KEY } from '../providers/index.ts'
import type { ProviderKey } from '../store/store.ts'
import type { Form } from './frame/form.ts'
import { definePage } from './frame/page.ts'
import type { Visit } from './frame/visit.ts'
import { listingKey, type ProviderDetail, readLanes, readProvider, requireProvider } from './providers/detail.ts'
import { readModels } from './providers/models.ts'
import { tellTest } from './providers/words.ts'

const LIVE_MS = 3_000

/** One provider: its lanes, keys, models and last errors, and a test of it. */
export const provider = definePage<ProviderDetail>({
  path: '/providers/:name',
  title: ({ provider }) => provider,
  view: 'provider',
  crumbs: () => [{ label: 'Providers', href: '/admin/providers' }],
  needs: 'read_gateway',
  load: readProvider,
  live: { view: 'providers/lanes', everyMs: LIVE_MS, load: readLanes },
  actions: {
    test: { needs: 'write', run: test },
    unbench: { needs: 'write', run: unbench },
  },
  async csv(visit) {
    const provider = requireProvider(visit)
    const key = listingKey(visit, provider, await visit.reads.keysOfProvider(provider.name))
    const all = { search: visit.query.text('q'), now: visit.now, most: Number.POSITIVE_INFINITY }
    const { rows } = readModels(visit.ctx, provider, key, all)
    return {
      name: `models-${provider.name}`,
      columns: ['model', 'input_usd_per_million', 'output_usd_per_million', 'price_source'],
      rows: rows.map(({ id, input, output, source }) => [id, input, output, source]),
    }
  },
})

async function test(visit: Visit, form: Form) {
  const provider = requireProvider(visit)
  const key = await chosenKey(visit, form)
  const { name, baseUrl, sharedKey } = provider
  const tested = await testProvider(visit.parts, visit.actor, { provider: name, key, sharedKey }, (secret) =>
    visit.ctx.testProvider(provider, secret),
  )
  const subject = { name, baseUrl, isShared: key === null, hasKey: key !== null || sharedKey !== NO_KEY }
  return { shown: tellTest(tested, subject) }
}

async function unbench(visit: Visit, form: Form) {
  const { name } = requireProvider(visit)
  const key = await chosenKey(visit, form)
  const rested = await unbenchProviderKey({ ...visit.parts, live: visit.ctx.live }, visit.actor, {
    provider: name,
    key,
  })
  const notice = rested ? 'The key works again, from the next request on.' : 'The key had stopped resting already.'
  return { to: `/admin/providers/${encodeURIComponent(name)}`, notice }
}

/** Null: the operator's. */
async function chosenKey({ params, reads }: Visit, form: Form): Promise<ProviderKey | null> {
  const id = form.text('key_id')
  if (id === SHARED_KEY_ID) return null
  const found = (await reads.keysOfProvider(params.name!)).find((key) => key.id === id)
  if (found) return found
  throw validationError([{ field: 'key_id', reason: 'is not a key for this provider (any more)' }])
}
