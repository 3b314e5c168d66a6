import type { AppContext } from '../context.ts'
import { demo } from '../providers/demo.ts'
import type { ConfiguredProvider } from '../providers/index.ts'
import { askProbe } from './ask-probe.ts'

type Options = Pick<AppContext, 'http' | 'providers' | 'live' | 'log'> & {
  /** Null: never. */
  everyMs: number | null
}

/** Asks every provider that the operator has a key for something cheap, now and then, whether requests come or not. */
export function startHealthProbes({ http, providers, live, log, everyMs }: Options): { close(): void } {
  const underWay = new Set<string>()

  const probe = async (provider: ConfiguredProvider, key: string) => {
    if (underWay.has(provider.name)) return
    underWay.add(provider.name)
    const failure = await ask(http, provider, key).finally(() => underWay.delete(provider.name))
    if (isClosed) return
    live.noteProbe(provider.name, 'shared', failure === null)
    if (failure !== null) log.debug('a provider does not answer its probe', { provider: provider.name, cause: failure })
  }
  const probeAll = () => {
    for (const provider of providers.list()) {
      const { name, sharedKey } = provider
      if (sharedKey === null || name === demo.name) continue
      probe(provider, sharedKey).catch((cause) =>
        log.error('a provider could not be probed', { provider: name, cause }),
      )
    }
  }
  let isClosed = false
  const timer = everyMs === null ? undefined : setInterval(probeAll, everyMs).unref()
  return {
    close() {
      isClosed = true
      clearInterval(timer)
    },
  }
}

/** Null: it is alive. Whoever refuses, or limits, is: only requests can tell what a key is good for. */
async function ask(http: Options['http'], provider: ConfiguredProvider, key: string): Promise<Error | null> {
  const answer = await askProbe(http, provider, key)
  if (answer.failure !== null) return answer.failure
  const { status } = answer
  return status >= 500 ? new Error(`${provider.name} answered ${status} to GET ${provider.probe.path}`) : null
}
