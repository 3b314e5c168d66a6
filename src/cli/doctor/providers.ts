import type { Config } from '../../config/config.ts'
import { type ConfiguredProvider, createProviders, NO_KEY } from '../../providers/index.ts'
import { judgeProbe } from '../../providers/judge-probe.ts'
import { settingOf } from '../../providers/setting-names.ts'
import { reasonOf } from '../http.ts'
import { type Check, failure, ok, skipped, warning } from './check.ts'
import type { StoredKey } from './database.ts'

const TIMEOUT_MS = 5_000
const MAX_KEYS = 50
const MAX_CLOCK_SKEW_MS = 60_000

type Asked = { check: Check; clockSkewMs: number | null }

/** Asks each configured provider for something cheap, with each key; and compares the clocks. */
export async function checkProviders(config: Config, stored: StoredKey[], now: () => number): Promise<Check[]> {
  const providers = createProviders(config, () => null).list()
  const asked = await Promise.all(questions(config, providers, stored).map((question) => ask(question, now)))
  if (asked.length === 0) return [checkDemo(config)]
  return [...asked.map(({ check }) => check), checkClock(asked.map(({ clockSkewMs }) => clockSkewMs))]
}

/** `secret`, `whose`: null for a provider that has an address of its own and no key. */
type Question = { provider: ConfiguredProvider; secret: string | null; whose: string | null }

function questions(config: Config, providers: readonly ConfiguredProvider[], stored: StoredKey[]): Question[] {
  const shared = providers.flatMap((provider): Question[] => {
    if (provider.sharedKey === NO_KEY) return [{ provider, secret: NO_KEY, whose: null }]
    if (provider.sharedKey !== null) return [{ provider, secret: provider.sharedKey, whose: 'shared key' }]
    const hasStored = stored.some((key) => key.provider === provider.name)
    const isConfigured = (config.providers[provider.name]?.baseUrl ?? null) !== null
    return isConfigured && !hasStored ? [{ provider, secret: null, whose: null }] : []
  })
  const owned = stored.flatMap(({ provider: name, secret, project }): Question[] => {
    const provider = providers.find((candidate) => candidate.name === name)
    return provider ? [{ provider, secret, whose: `key of "${project}"` }] : []
  })
  return [...shared, ...owned].slice(0, MAX_KEYS)
}

async function ask({ provider, secret, whose }: Question, now: () => number): Promise<Asked> {
  const name = whose === null ? provider.name : `${provider.name}, ${whose}`
  const { path, headers, authHeaders = provider.authHeaders } = provider.probe
  try {
    const sentAt = now()
    const answer = await fetch(`${provider.baseUrl}${path}`, {
      headers: { accept: 'application/json', ...headers, ...(secret !== null && authHeaders(secret)) },
      // The key is for this address alone.
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    const clockSkewMs = skewOf(answer.headers.get('date'), sentAt, now())
    const facts = { name, provider: provider.name, path: path.replace(/\?.*/, ''), hasKey: whose !== null }
    return { check: judge(answer.status, await readStart(answer), facts), clockSkewMs }
  } catch (error) {
    const advice = `Look at the network, its firewall, and ${settingOf(provider.name, 'base_url')} (${provider.baseUrl}).`
    return { check: failure(name, `unreachable: ${reasonOf(error)}`, advice), clockSkewMs: null }
  }
}

type Given = { name: string; provider: string; path: string; hasKey: boolean }

function judge(status: number, body: string, { name, provider, path, hasKey }: Given): Check {
  const setting = settingOf(provider, 'api_key')
  const verdict = judgeProbe(status, body)
  if (verdict === 'ok') return ok(name, hasKey ? 'reachable, takes the key' : 'reachable, without a key')
  if (verdict === 'refused') {
    if (!hasKey) return warning(name, `reachable, wants a key (${status})`, `Set ${setting}, or give a project a key.`)
    const where = name.endsWith('shared key') ? `Set ${setting} to a valid key.` : REPLACE
    return failure(name, `the key is refused (${status})`, where)
  }
  if (verdict === 'limited') return warning(name, 'reachable, but limits our requests now (429)')
  if (verdict === 'in_trouble')
    return warning(name, `reachable, but in trouble (${status})`, 'Look at its status page.')
  return warning(
    name,
    `answers ${path} with ${status}`,
    `Look at ${settingOf(provider, 'base_url')}: it ends in the version path, as /v1.`,
  )
}

const REPLACE = 'Add a valid key ("llm-proxy provider-key add") and delete this one.'

/** Enough of an error to judge by. */
async function readStart(answer: Response): Promise<string> {
  const reader = answer.body?.getReader()
  const first = await reader?.read().catch(() => undefined)
  await reader?.cancel().catch(() => {})
  return Buffer.from(first?.value ?? [])
    .toString('utf8')
    .slice(0, 4096)
}

/** How far this clock is ahead of the provider's. `Date` counts whole seconds. */
function skewOf(date: string | null, sentAt: number, receivedAt: number): number | null {
  const theirs = date === null ? Number.NaN : Date.parse(date)
  return Number.isNaN(theirs) ? null : (sentAt + receivedAt) / 2 - theirs
}

function checkClock(skews: (number | null)[]): Check {
  const known = skews.filter((skew) => skew !== null).sort((a, b) => Math.abs(a) - Math.abs(b))
  const skew = known[0]
  if (skew === undefined) return skipped('clock', 'no provider told the time')
  const seconds = Math.round(Math.abs(skew) / 1000)
  if (Math.abs(skew) <= MAX_CLOCK_SKEW_MS) return ok('clock', 'agrees with the providers')
  const advice = 'Set the clock (NTP): tokens expire and budgets turn by it.'
  return warning('clock', `${seconds} s ${skew > 0 ? 'ahead of' : 'behind'} the providers`, advice)
}

function checkDemo({ demo }: Config): Check {
  const advice = 'Set OPENAI_API_KEY (or another), or give a project a key with "llm-proxy provider-key add".'
  if (demo === false) return failure('providers', 'no provider has a key, and DEMO is off', advice)
  return warning('providers', 'no provider has a key: only the model "demo" answers', advice)
}
