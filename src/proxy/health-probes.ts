import type { AppContext } from '../context.ts'
import { demo } from '../providers/demo.ts'
import type { ConfiguredProvider } from '../providers/index.ts'
import type { UpstreamFailure } from './forward.ts'
import { readText } from './read-text.ts'

const PATIENCE_MS = 5_000
/** Nothing is read out of it, but a connection whose answer was read to its end can be used again. */
const MAX_BYTES = 1024 * 1024

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
  const { path, headers, authHeaders = provider.authHeaders } = provider.probe
  const deadline = performance.now() + PATIENCE_MS
  const answer = http.start(
    {
      origin: provider.origin,
      path: `${provider.basePath}${path}`,
      method: 'GET',
      headers: Object.entries({
        accept: 'application/json',
        'accept-encoding': 'identity',
        ...headers,
        ...authHeaders(key),
      }).flat(),
      body: null,
    },
    deadline,
  )
  answer.limit(MAX_BYTES, deadline)
  const failure = await answer.ready.then(
    () => null,
    (thrown: UpstreamFailure) => thrown,
  )
  if (failure !== null) return failure
  await readText(answer, 0)
  return answer.status >= 500 ? new Error(`${provider.name} answered ${answer.status} to GET ${path}`) : null
}
