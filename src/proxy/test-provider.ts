import type { AppContext } from '../context.ts'
import type { ConfiguredProvider } from '../providers/index.ts'
import { judgeProbe, type ProbeVerdict } from '../providers/judge-probe.ts'
import { askProbe } from './ask-probe.ts'
import type { UpstreamFailure } from './forward.ts'

/** `no_list`: the key is good as far as can be told, and the list of models did not come. */
export type TestVerdict = ProbeVerdict | 'no_list' | 'timeout' | 'unreachable' | 'cut'
export type ProviderTested = {
  verdict: TestVerdict
  /** Of the answer; null: none came. */
  status: number | null
  /** Until the first answer was here, or was given up. */
  durationMs: number
  /** How many models its list has; null: it was not asked for one, or gave none. */
  models: number | null
  /** What the network said (`ECONNREFUSED`); null: nothing, or nothing with a name. */
  networkCode: string | null
}

/** Tries a provider out with a key, now: whether it is reachable, takes the key, and what models it has. Never rejects. */
export type TestProvider = (provider: ConfiguredProvider, key: string) => Promise<ProviderTested>

export const createTestProvider =
  ({ http, modelLists }: Pick<AppContext, 'http' | 'modelLists'>): TestProvider =>
  async (provider, key) => {
    const startedAt = performance.now()
    const answer = await askProbe(http, provider, key)
    const durationMs = performance.now() - startedAt
    const told = { durationMs, models: null, networkCode: null }
    if (answer.failure !== null) return { ...told, ...fromFailure(answer.failure), status: null }
    const { status } = answer
    const verdict = judgeProbe(status, answer.body)
    if (verdict !== 'ok' || (provider.modelListing === null && provider.ownModels === null))
      return { ...told, verdict, status }
    return modelLists.refresh(provider, key).then(
      (models) => ({ ...told, verdict, status, models: models.length }),
      () => ({ ...told, verdict: 'no_list' as const, status }),
    )
  }

function fromFailure({ kind, cause }: UpstreamFailure): Pick<ProviderTested, 'verdict' | 'networkCode'> {
  const code = (cause as { code?: unknown } | undefined)?.code
  const networkCode = typeof code === 'string' && /^[A-Z_0-9]{1,60}$/.test(code) ? code : null
  if (kind === 'timeout') return { verdict: 'timeout', networkCode }
  return { verdict: kind === 'unreachable' ? 'unreachable' : 'cut', networkCode }
}
